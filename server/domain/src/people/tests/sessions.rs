use std::time::Duration;

use futures_util::future;
use keywarden_model::Role;
use keywarden_vault::Purpose;

use super::*;
use crate::cast::both_engines;
use crate::{Action, Fault, Refused, Resource};

const MINUTE: Duration = Duration::from_mins(1);

#[tokio::test]
async fn an_owner_is_out_after_fifteen_idle_minutes_or_twelve_hours() {
    both_engines(async |house| {
        let mut ada = set_up(&house).await;
        house.clock.advance(14 * MINUTE);
        assert!(ada.resolved(&house).await.is_some());
        house.clock.advance(14 * MINUTE);
        assert!(ada.resolved(&house).await.is_some(), "being used keeps it");
        house.clock.advance(15 * MINUTE);
        assert!(ada.resolved(&house).await.is_none());
        let again = ada.signs_in(&house).await.unwrap();
        for _ in 0..71 {
            house.clock.advance(10 * MINUTE);
            assert!(again.resolved(&house).await.is_some());
        }
        house.clock.advance(10 * MINUTE);
        assert!(again.resolved(&house).await.is_none(), "twelve hours are over");
    })
    .await;
}

#[tokio::test]
async fn within_a_minutes_idle_limit_whoever_is_active_stays_in() {
    both_engines(async |house| {
        let ada = set_up(&house).await;
        let short = house.neighbour_with(|settings| settings.admin_session.0 = MINUTE).await;
        for _ in 0..9 {
            house.clock.advance(MINUTE / 3);
            assert!(ada.resolved(&short).await.is_some(), "a request every twenty seconds");
        }
        house.clock.advance(MINUTE);
        assert!(ada.resolved(&short).await.is_none());
    })
    .await;
}

#[tokio::test]
async fn somebody_without_a_role_of_the_organization_has_an_hour_and_a_day() {
    both_engines(async |house| {
        let pay = house.project("pay").await;
        let ada = set_up(&house).await;
        let bob = join(&house, &ada, "Bob", Role::Issuer, Some(pay.id), 2).await;
        for _ in 0..28 {
            house.clock.advance(50 * MINUTE);
            assert!(bob.resolved(&house).await.is_some());
        }
        house.clock.advance(40 * MINUTE);
        assert!(bob.resolved(&house).await.is_none(), "a day is over");
        let ada = house.person("Cleo", &[(Role::Owner, None)]).await;
        let link = house.domain.invite(&ada.op(), &named("Dan"), Role::Issuer, Some(pay.id)).await.unwrap();
        let mut soft = SoftAuthenticator::new(5);
        let started = house.domain.start_accept(&nobody(&house), &value(&link), &named("Dan")).await.unwrap();
        let answer = made(&mut soft, &started.options);
        let (op, key) = (nobody(&house), named("Key"));
        let dan = house.domain.finish_accept(&op, &value(&link), started.ceremony, &answer, &key).await;
        let dan = Somebody::new(soft, dan.unwrap());
        house.clock.advance(60 * MINUTE);
        assert!(dan.resolved(&house).await.is_none(), "an hour without a request");
    })
    .await;
}

#[tokio::test]
async fn a_new_role_of_the_organization_shortens_a_session_that_runs() {
    both_engines(async |house| {
        let pay = house.project("pay").await;
        let ada = set_up(&house).await;
        let bob = join(&house, &ada, "Bob", Role::Issuer, Some(pay.id), 2).await;
        let grant = crate::roles::Grant {
            holder: crate::roles::Holder::Person(bob.person.id),
            role: Role::Auditor,
            project: None,
        };
        house.domain.grant_role(&ada.op(&house), grant).await.unwrap();
        house.clock.advance(15 * MINUTE);
        assert!(bob.resolved(&house).await.is_none());
    })
    .await;
}

#[tokio::test]
async fn sessions_are_listed_and_ended_by_their_own_person_alone() {
    both_engines(async |house| {
        let mut ada = set_up(&house).await;
        let second = ada.signs_in(&house).await.unwrap();
        let third = ada.signs_in(&house).await.unwrap();
        let bob = join(&house, &ada, "Bob", Role::Auditor, None, 2).await;
        let own = house.domain.list_own_sessions(&second.op(&house)).await.unwrap();
        assert_eq!(own.len(), 3);
        let current: Vec<_> = own.iter().filter(|it| it.current).map(|it| it.id).collect();
        assert_eq!(current, [second.person.session]);
        assert_eq!(own[0].agent.as_deref(), Some("cast/1"));
        let foreign = house.domain.end_own_session(&bob.op(&house), ada.person.session).await;
        assert!(matches!(foreign, Err(Refused::NotFound)));
        assert!(ada.resolved(&house).await.is_some());
        house.domain.end_own_session(&second.op(&house), ada.person.session).await.unwrap();
        assert!(ada.resolved(&house).await.is_none());
        house.domain.end_all_other_sessions(&second.op(&house)).await.unwrap();
        assert!(third.resolved(&house).await.is_none());
        assert!(second.resolved(&house).await.is_some());
        house.domain.sign_out(&second.op(&house)).await.unwrap();
        assert!(second.resolved(&house).await.is_none());
        assert!(bob.resolved(&house).await.is_some());
        house
            .domain
            .end_sessions_of(&house.person("Eve", &[(Role::Admin, None)]).await.op(), bob.person.id)
            .await
            .unwrap();
        assert!(bob.resolved(&house).await.is_none());
    })
    .await;
}

/// S-13, on every node.
#[tokio::test]
async fn whoever_is_deactivated_is_out_everywhere_at_once_and_for_good() {
    both_engines(async |house| {
        let neighbour = house.neighbour().await;
        let ada = set_up(&house).await;
        let mut bob = join(&house, &ada, "Bob", Role::Admin, None, 2).await;
        let link = house.domain.invite(&bob.op(&house), &named("Eve"), Role::Auditor, None).await.unwrap();
        assert!(bob.resolved(&neighbour).await.is_some());
        let started = house.domain.start_step_up(&bob.op(&house)).await.unwrap();
        let answer = got(&mut bob.soft, &started.options);
        house.domain.deactivate_user(&ada.op(&house), bob.person.id).await.unwrap();
        assert!(bob.resolved(&neighbour).await.is_none());
        let stepped = neighbour.domain.finish_step_up(&bob.op(&house), started.ceremony, &answer).await;
        assert!(stepped.is_err());
        let looked = house.domain.look_at_link(&nobody(&house), LinkKind::Invitation, &value(&link)).await;
        assert!(looked.is_err(), "invitations that they made lapse too");
        house.clock.advance(std::time::Duration::from_secs(1));
        let asked =
            neighbour.domain.authorize(&bob.op(&house), Action::ViewUsers, &Resource::Organization).await;
        assert!(asked.is_err());
        assert!(bob.signs_in(&neighbour).await.is_err());
        let twice = house.domain.deactivate_user(&ada.op(&house), bob.person.id).await;
        assert!(matches!(twice, Err(DeactivateError::Already)));
        house.domain.reactivate_user(&ada.op(&house), bob.person.id).await.unwrap();
        assert!(bob.resolved(&house).await.is_none(), "an ended session does not come back");
        assert!(bob.signs_in(&house).await.is_ok());
    })
    .await;
}

#[tokio::test]
async fn the_last_owner_stays_and_an_admin_reaches_no_owner() {
    both_engines(async |house| {
        let ada = set_up(&house).await;
        let alone = house.domain.deactivate_user(&ada.op(&house), ada.person.id).await;
        assert!(matches!(alone, Err(DeactivateError::LastOwner)));
        assert!(ada.resolved(&house).await.is_some(), "nothing of it happened");
        let bob = join(&house, &ada, "Bob", Role::Admin, None, 2).await;
        let above = house.domain.deactivate_user(&bob.op(&house), ada.person.id).await;
        assert!(matches!(above, Err(DeactivateError::Refused(Refused::Forbidden(_)))));
        let cleo = join(&house, &ada, "Cleo", Role::Owner, None, 3).await;
        house.domain.deactivate_user(&cleo.op(&house), ada.person.id).await.unwrap();
        let last = house.domain.deactivate_user(&cleo.op(&house), cleo.person.id).await;
        assert!(matches!(last, Err(DeactivateError::LastOwner)));
    })
    .await;
}

#[tokio::test]
async fn a_cookie_that_is_given_up_ends_its_session_once() {
    both_engines(async |house| {
        let ada = set_up(&house).await;
        house.domain.forget_session(&ada.key, &nobody(&house)).await.unwrap();
        assert!(ada.resolved(&house).await.is_none());
        house.domain.forget_session(&ada.key, &nobody(&house)).await.unwrap();
        assert_eq!(events(&house, "session.end-own", "allowed").await, 1);
    })
    .await;
}

#[tokio::test]
async fn a_session_under_a_key_that_another_node_made_is_known_once_the_key_is_taken_in() {
    both_engines(async |house| {
        let (house, seals) = house.with_stored_keyring().await;
        let mut ada = set_up(&house).await;
        let node = house.neighbour_apart(&seals).await;
        let shell = house.operator(Role::Owner);
        house.domain.rotate_keyring_key(&shell, Purpose::Session, &seals).await.unwrap();
        house.domain.unseal(&seals).await.unwrap();
        let there = ada.signs_in(&house).await.unwrap();
        assert_eq!(ada.resolved(&node).await.unwrap().id, ada.person.id, "under the old key nothing changed");
        // Where nobody takes it in, the person is asked to wait, and not signed out.
        let waits = node.domain.resolve_session(&there.key, node.now()).await;
        assert!(matches!(waits, Err(Fault::KeyAway(_))), "{waits:?}");
        let keeper = async {
            node.domain.key_is_missing().await;
            node.domain.unseal(&seals).await.unwrap();
            node.domain.keys_were_taken_in();
        };
        let (found, ()) = future::join(node.domain.resolve_session(&there.key, node.now()), keeper).await;
        assert_eq!(found.unwrap().unwrap().session, there.person.session);
    })
    .await;
}
