use std::time::Duration;

use futures_util::future::join_all;
use keywarden_model::Role;
use keywarden_store::sql;

use super::*;
use crate::cast::both_engines;
use crate::{Action, Refused, Resource};

#[tokio::test]
async fn the_link_makes_an_owner_with_all_that_they_need_and_works_once() {
    both_engines(async |house| {
        assert_eq!(house.domain.setup_state().await.unwrap(), SetupState::Waiting);
        let ada = set_up(&house).await;
        assert_eq!(credentials(&house).await, [1, 1, 1, 10, 1]);
        let state = SetupState::Done { organization: "Example".into() };
        assert_eq!(house.domain.setup_state().await.unwrap(), state);
        assert_eq!(ada.resolved(&house).await.as_ref(), Some(&ada.person));
        let op = ada.op(&house);
        let permit = house.domain.authorize(&op, Action::GrantOwner, &Resource::Organization).await;
        assert!(permit.is_ok());
        assert_eq!(codes(&house, &ada).await.len(), CODES);
        assert!(house.domain.take_unseen_codes(&ada.op(&house)).await.unwrap().is_none());
        assert_eq!(events(&house, "organization.set-up", "allowed").await, 1);
        assert_eq!(events(&house, "user.join", "allowed").await, 1);
    })
    .await;
}

#[tokio::test]
async fn a_house_is_never_set_up_twice_even_when_its_people_are_gone() {
    both_engines(async |house| {
        let link = setup_link(&house).await;
        let mut soft = SoftAuthenticator::new(2);
        let (late, answer) = starts_setup(&house, &link, &mut soft).await;
        let mut again = SoftAuthenticator::new(1);
        let (ceremony, first) = starts_setup(&house, &link, &mut again).await;
        let (op, key) = (nobody(&house), named("Key"));
        assert!(house.domain.finish_setup(&op, &link, ceremony, &first, &key).await.is_ok());
        let second = house.domain.finish_setup(&op, &link, late, &answer, &key).await;
        assert!(matches!(second, Err(EnrolError::AlreadySetUp)));
        let statements = [
            "DELETE FROM recovery_codes",
            "DELETE FROM sessions",
            "DELETE FROM role_bindings",
            "DELETE FROM passkeys",
            "DELETE FROM users",
        ];
        house.put(statements.map(sql).into()).await;
        assert_eq!(credentials(&house).await, [0; 5]);
        let opened = house.domain.open_setup(&house.op(Actor::System("start"))).await;
        assert!(matches!(opened, Err(EnrolError::AlreadySetUp)));
        let started = house.domain.start_setup(&op, &link, &named("Mine"), &named("Mallory")).await;
        assert!(matches!(started, Err(EnrolError::AlreadySetUp)));
    })
    .await;
}

#[tokio::test]
async fn of_many_who_race_with_one_link_one_becomes_the_owner_and_the_others_leave_nothing() {
    both_engines(async |house| {
        let link = setup_link(&house).await;
        let mut runners = Vec::new();
        for seed in 0..8 {
            runners.push(starts_setup(&house, &link, &mut SoftAuthenticator::new(seed)).await);
        }
        let finished = join_all(runners.iter().map(async |(ceremony, answer)| {
            house.domain.finish_setup(&nobody(&house), &link, *ceremony, answer, &named("Key")).await
        }))
        .await;
        assert_eq!(finished.iter().filter(|it| it.is_ok()).count(), 1);
        assert_eq!(credentials(&house).await, [1, 1, 1, 10, 1]);
    })
    .await;
}

#[tokio::test]
async fn a_link_serves_for_thirty_minutes_and_until_the_next_start() {
    both_engines(async |house| {
        let first = setup_link(&house).await;
        let second = setup_link(&house).await;
        let look = async |link: &str| {
            house.domain.look_at_link(&nobody(&house), LinkKind::Setup, link).await.is_ok()
        };
        assert!(!look(&first).await);
        assert!(look(&second).await);
        // A value is good for its own kind, and only whole.
        let other = house.domain.look_at_link(&nobody(&house), LinkKind::Invitation, &second).await;
        assert!(matches!(other, Err(LinkError::Gone(LinkGone))));
        assert!(!look(&second[1..]).await);
        house.clock.advance(Duration::from_secs(30 * 60 - 1));
        assert!(look(&second).await);
        house.clock.advance(Duration::from_secs(1));
        assert!(!look(&second).await);
    })
    .await;
}

#[tokio::test]
async fn only_a_start_opens_the_setup() {
    both_engines(async |house| {
        let mallory = house.person("Mallory", &[(Role::Owner, None)]).await;
        for op in [mallory.op(), nobody(&house)] {
            let opened = house.domain.open_setup(&op).await;
            assert!(matches!(opened, Err(EnrolError::Refused(Refused::NotFound))));
        }
    })
    .await;
}

#[tokio::test]
async fn another_relying_party_is_refused_by_the_names_of_what_it_orphans() {
    both_engines(async |house| {
        let start = house.op(Actor::System("start"));
        house.domain.check_rp_id(&start, "other.example", false).await.unwrap();
        set_up(&house).await;
        house.domain.check_rp_id(&start, "keys.example.com", false).await.unwrap();
        let refused = house.domain.check_rp_id(&start, "other.example", false).await.unwrap_err();
        assert!(refused.to_string().contains("YubiKey of Ada"), "{refused}");
        let nowhere = house.neighbour_with(|settings| settings.origin = "https://192.0.2.1".into()).await;
        let refused = nowhere.domain.check_rp_id(&start, "192.0.2.1", true).await.unwrap_err();
        assert!(matches!(refused, crate::people::RpIdError::Relying(_)), "{refused}");
        house.domain.check_rp_id(&start, "other.example", true).await.unwrap();
        house.domain.check_rp_id(&start, "other.example", false).await.unwrap();
        assert_eq!(events(&house, "system.change-rp-id", "allowed").await, 1);
        // Whoever made that change by mistake gets the passkeys back by undoing it, and is not told that they would be lost.
        assert!(house.domain.would_orphan("keys.example.com").await.unwrap().is_none());
        house.domain.check_rp_id(&start, "keys.example.com", false).await.unwrap();
        let refused = house.domain.check_rp_id(&start, "other.example", false).await.unwrap_err();
        assert!(refused.to_string().contains("YubiKey of Ada"), "{refused}");
        assert_eq!(events(&house, "system.change-rp-id", "allowed").await, 2);
    })
    .await;
}
