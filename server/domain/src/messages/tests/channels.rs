//! Whose channels are whose, what is kept of them, and what is shown.

use super::*;
use crate::cast::Machine;

#[tokio::test]
async fn the_organizations_channels_are_the_admins_and_ones_own_are_ones_own() {
    both_engines(async |house| {
        let ada = house.person("Ada", &[(Role::Admin, None)]).await;
        let bob = house.person("Bob", &[]).await;
        let eve = house.person("Eve", &[(Role::Auditor, None)]).await;
        let pay = house.project("pay").await;
        let gate: Machine = house.workload("gate", Role::Manager, Some(pay.id)).await;
        let org = hook(&house, &ada, HOOK).await.id;
        let own = new(ChannelOwner::Person(bob.id), ChannelKind::Webhook, OTHER, &[]);
        let own = house.domain.create_channel(&bob.op(), own).await.unwrap().id;
        let domain = &house.domain;
        // Nobody makes one for somebody else, or one of the organization's without being allowed to.
        let theirs = new(ChannelOwner::Person(bob.id), ChannelKind::Webhook, OTHER, &[]);
        assert!(matches!(domain.create_channel(&ada.op(), theirs).await, Err(ChannelError::Refused(_))));
        for op in [bob.op(), eve.op(), gate.op()] {
            let org = new(ChannelOwner::Organization, ChannelKind::Webhook, OTHER, &[]);
            assert!(matches!(domain.create_channel(&op, org).await, Err(ChannelError::Refused(_))));
        }
        assert_eq!(domain.channels(&eve.op(), ChannelOwner::Organization).await.unwrap().len(), 1);
        assert!(domain.channels(&bob.op(), ChannelOwner::Organization).await.is_err());
        for (op, id) in [(bob.op(), org), (gate.op(), org), (ada.op(), own), (eve.op(), own)] {
            assert!(matches!(domain.channel(&op, id).await, Err(Refused::NotFound)), "{}", op.actor);
            assert!(matches!(
                domain.delete_channel(&op, id).await,
                Err(ChannelError::Refused(Refused::NotFound))
            ));
            assert!(matches!(
                domain.test_channel(&op, id).await,
                Err(ChannelError::Refused(Refused::NotFound))
            ));
        }
        let seen = domain.pause_channel(&eve.op(), org).await;
        assert!(matches!(seen, Err(ChannelError::Refused(Refused::Forbidden(Action::ManageChannels)))));
        let late = domain.pause_channel(&ada.without_step_up().op(), org).await;
        assert!(matches!(late, Err(ChannelError::Refused(Refused::StepUp))));
        domain.delete_channel(&bob.op(), own).await.unwrap();
        domain.delete_channel(&ada.op(), org).await.unwrap();
        assert!(matches!(domain.channel(&ada.op(), org).await, Err(Refused::NotFound)));
    })
    .await;
}

#[tokio::test]
async fn where_a_channel_leads_and_what_signs_lies_sealed_and_is_shown_to_nobody() {
    both_engines(async |house| {
        let ada = house.person("Ada", &[(Role::Owner, None)]).await;
        let made = hook(&house, &ada, HOOK).await;
        let secret = made.secret.as_ref().unwrap().expose().to_owned();
        assert!(!format!("{made:?}").contains(&secret));
        let shown = house.domain.channel(&ada.op(), made.id).await.unwrap();
        assert_eq!(shown.leads_to.as_deref(), Some("hooks.example.com"));
        assert!(!format!("{shown:?}").contains("s3cr3t"));
        let row = keywarden_store::channels::find(&mut house.store.read().await.unwrap(), made.id).await;
        let row = row.unwrap().unwrap();
        let holds = |needle: &str| row.sealed.windows(needle.len()).any(|it| it == needle.as_bytes());
        assert!(!holds("s3cr3t") && !holds(&secret) && !holds("hooks"));
        // The events that tell of it do not hold them either.
        let all = keywarden_store::event::Filter::default();
        let mut conn = house.store.read().await.unwrap();
        for event in keywarden_store::event::list(&mut conn, &all, 50).await.unwrap() {
            let text = String::from_utf8_lossy(&event.bytes).into_owned();
            assert!(!text.contains("s3cr3t") && !text.contains(&secret), "{text}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_request_that_comes_twice_makes_one_channel_and_shows_its_secret_to_whoever_knows_the_key() {
    both_engines(async |house| {
        let ada = house.person("Ada", &[(Role::Owner, None)]).await;
        let new = || new(ChannelOwner::Organization, ChannelKind::Webhook, HOOK, &[]);
        let op = || ada.op_once("make-a-channel", &[b"POST"]);
        let first = house.domain.create_channel(&op(), new()).await.unwrap();
        let again = house.domain.create_channel(&op(), new()).await.unwrap();
        assert_eq!(first.id, again.id);
        assert_eq!(first.secret.unwrap().expose(), again.secret.unwrap().expose());
        assert_eq!(house.domain.channels(&ada.op(), ChannelOwner::Organization).await.unwrap().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_paused_channel_takes_nothing_new_and_what_waits_waits_on() {
    both_engines(async |house| {
        let ada = house.person("Ada", &[(Role::Owner, None)]).await;
        let id = hook(&house, &ada, HOOK).await.id;
        house.domain.test_channel(&ada.op(), id).await.unwrap();
        route(&house).await;
        house.domain.pause_channel(&ada.op(), id).await.unwrap();
        assert_eq!(attempt(&house).await, 0);
        assert!(matches!(house.domain.test_channel(&ada.op(), id).await, Err(ChannelError::Paused)));
        let twice = house.domain.pause_channel(&ada.op(), id).await;
        assert!(matches!(twice, Err(ChannelError::ChangedMeanwhile)));
        house.domain.resume_channel(&ada.op(), id).await.unwrap();
        assert_eq!(attempt(&house).await, 1);
    })
    .await;
}

#[tokio::test]
async fn an_edit_names_what_it_has_seen_and_there_are_only_so_many_channels() {
    both_engines(async |house| {
        let bob = house.person("Bob", &[]).await;
        let own = || new(ChannelOwner::Person(bob.id), ChannelKind::Slack, OTHER, &[MessageKind::KeyExpiry]);
        let id = house.domain.create_channel(&bob.op(), own()).await.unwrap().id;
        let edit = ChannelEdit {
            name: "Night".parse().unwrap(),
            kinds: Kinds::these([MessageKind::Rotation, MessageKind::Test]),
            row_version: 1,
        };
        house.domain.edit_channel(&bob.op(), id, edit.clone()).await.unwrap();
        let stale = house.domain.edit_channel(&bob.op(), id, edit).await;
        assert!(matches!(stale, Err(ChannelError::ChangedMeanwhile)));
        let shown = house.domain.channel(&bob.op(), id).await.unwrap().channel;
        assert_eq!(shown.name, "Night");
        assert_eq!(shown.kinds, Kinds::these([MessageKind::Rotation]));
        assert!(matches!(
            house.domain.rotate_channel_secret(&bob.op(), id).await,
            Err(ChannelError::NoSecret)
        ));
        for _ in 0..4 {
            house.domain.create_channel(&bob.op(), own()).await.unwrap();
        }
        assert!(matches!(house.domain.create_channel(&bob.op(), own()).await, Err(ChannelError::TooMany)));
    })
    .await;
}
