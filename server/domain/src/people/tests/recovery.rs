//! S-11 for codes, and what a recovered account may do.

use std::time::Duration;

use chrono::TimeDelta;
use futures_util::future::join_all;
use keywarden_model::Role;

use super::*;
use crate::cast::both_engines;
use crate::{Action, Refused, Resource};

#[tokio::test]
async fn of_two_hundred_uses_of_one_code_one_succeeds() {
    both_engines(async |house| {
        let ada = set_up(&house).await;
        let code = typed(&codes(&house, &ada).await[3]);
        let used =
            join_all((0..200).map(async |_| house.domain.use_recovery_code(&nobody(&house), &code).await))
                .await;
        assert_eq!(used.iter().filter(|it| it.is_ok()).count(), 1);
        let unknown = used.iter().filter(|it| matches!(it, Err(RecoverError::Unknown))).count();
        assert_eq!(unknown, 199);
        assert_eq!(credentials(&house).await[4], 1, "one session: the one that the code opened");
    })
    .await;
}

#[tokio::test]
async fn a_code_opens_nothing_but_the_enrolment_of_a_passkey() {
    both_engines(async |house| {
        let ada = set_up(&house).await;
        let bob = join(&house, &ada, "Bob", Role::Admin, None, 2).await;
        let shown = codes(&house, &bob).await;
        let sloppy = shown[0].to_lowercase().replace('-', " ");
        let recovered = house.domain.use_recovery_code(&nobody(&house), &typed(&sloppy)).await.unwrap();
        assert!(bob.resolved(&house).await.is_none(), "other sessions end");
        let recovered = Somebody::new(SoftAuthenticator::new(7), recovered);
        assert!(recovered.resolved(&house).await.unwrap().recovering);
        let op = recovered.op(&house);
        assert_eq!(house.domain.recovery_codes_left(&op).await.unwrap(), 9);
        for action in [Action::CreateTeam, Action::ViewUsers] {
            let asked = house.domain.authorize(&op, action, &Resource::Organization).await;
            assert!(matches!(asked, Err(Refused::Forbidden(_))), "{asked:?}");
        }
        assert!(house.domain.renew_recovery_codes(&op).await.is_err());
        assert!(house.domain.start_step_up(&op).await.is_err());

        let mut soft = SoftAuthenticator::new(7);
        let started = house.domain.start_add_passkey(&op, &named("Added")).await.unwrap();
        let answer = made(&mut soft, &started.options);
        let added =
            house.domain.finish_add_passkey(&op, started.ceremony, &answer, &named("New")).await.unwrap();
        assert!(recovered.resolved(&house).await.is_none(), "the recovering cookie is gone");
        let whole = Somebody::new(soft, added.recovered.unwrap());
        assert!(!whole.resolved(&house).await.unwrap().recovering);
        let op = whole.op(&house);
        assert!(house.domain.authorize(&op, Action::CreateTeam, &Resource::Organization).await.is_ok());
        let own = house.domain.own_passkeys(&op).await.unwrap();
        let new = own.iter().find(|it| it.id == added.passkey).unwrap();
        assert_eq!(new.may_approve_after, house.now() + TimeDelta::hours(24));

        for told in [&whole, &ada] {
            let notices = house.domain.own_notices(&told.op(&house)).await.unwrap();
            let recovered = notices.iter().find(|it| it.kind == NoticeKind::RecoveredByCode).unwrap();
            assert_eq!(recovered.about, (bob.person.id, "Bob".into()));
        }
    })
    .await;
}

#[tokio::test]
async fn codes_that_are_wrong_used_replaced_or_of_somebody_deactivated_look_alike() {
    both_engines(async |house| {
        let ada = set_up(&house).await;
        let bob = join(&house, &ada, "Bob", Role::Auditor, None, 2).await;
        let shown = codes(&house, &bob).await;
        let (used, replaced) = (typed(&shown[0]), typed(&shown[1]));
        let last = if shown[2].ends_with('0') { "1" } else { "0" };
        let wrong = typed(&format!("{}{last}", &shown[2][..shown[2].len() - 1]));
        let bob =
            Somebody::new(bob.soft, house.domain.use_recovery_code(&nobody(&house), &used).await.unwrap());
        let before = credentials(&house).await;
        let garbage = typed("' OR 1=1 --");
        for code in [&used, &wrong, &garbage] {
            let refused = house.domain.use_recovery_code(&nobody(&house), code).await;
            assert!(matches!(refused, Err(RecoverError::Unknown)));
        }
        house.domain.deactivate_user(&ada.op(&house), bob.person.id).await.unwrap();
        let refused = house.domain.use_recovery_code(&nobody(&house), &replaced).await;
        assert!(matches!(refused, Err(RecoverError::Unknown)));
        assert_eq!(credentials(&house).await[4], before[4] - 1, "only the deactivation ended a session");
        assert_eq!(house.domain.flush_refusals().await.unwrap(), 4);

        let old = typed(&codes(&house, &ada).await[0]);
        let fresh = house.domain.renew_recovery_codes(&ada.op(&house)).await.unwrap();
        let fresh = fresh.iter().next().unwrap();
        let refused = house.domain.use_recovery_code(&nobody(&house), &old).await;
        assert!(matches!(refused, Err(RecoverError::Unknown)));
        assert!(house.domain.use_recovery_code(&nobody(&house), fresh).await.is_ok());
    })
    .await;
}

#[tokio::test]
async fn a_recovering_session_lasts_half_an_hour() {
    both_engines(async |house| {
        let ada = set_up(&house).await;
        let code = typed(&codes(&house, &ada).await[0]);
        let opened = house.domain.use_recovery_code(&nobody(&house), &code).await.unwrap();
        let ada = Somebody::new(ada.soft, opened);
        house.clock.advance(Duration::from_mins(29));
        assert!(ada.resolved(&house).await.is_some());
        house.clock.advance(Duration::from_mins(1));
        assert!(ada.resolved(&house).await.is_none());
    })
    .await;
}

#[tokio::test]
async fn the_operators_shell_lets_somebody_back_in_and_nobody_else_can() {
    both_engines(async |house| {
        let ada = set_up(&house).await;
        let user = ada.person.id;
        let by_person = house.domain.operator_recover(&ada.op(&house), user).await;
        assert!(matches!(by_person, Err(RecoveryLinkError::Refused(Refused::NotFound))));
        let by_token =
            crate::Actor::Operator { token: Some(house.domain.env().id(house.now())), role: Role::Owner };
        let by_token = house.domain.operator_recover(&house.op(by_token), user).await;
        assert!(matches!(by_token, Err(RecoveryLinkError::Refused(Refused::NotFound))));
        let link = house.domain.operator_recover(&house.operator(Role::Owner), user).await.unwrap();
        let link = value(&link);
        let used =
            join_all((0..20).map(async |_| house.domain.use_recovery_link(&nobody(&house), &link).await))
                .await;
        let mut opened = used.into_iter().filter_map(Result::ok);
        let back = opened.next().unwrap();
        assert!(opened.next().is_none());
        assert!(back.person.recovering && back.person.id == user);
        assert!(ada.resolved(&house).await.is_none());
        assert_eq!(events(&house, "recovery.open-link", "allowed").await, 1);
        assert_eq!(events(&house, "recovery.use-link", "allowed").await, 1);
    })
    .await;
}

#[tokio::test]
async fn the_newest_recovery_link_is_the_only_one_and_a_recovery_by_code_ends_it() {
    both_engines(async |house| {
        let ada = set_up(&house).await;
        let (user, domain) = (ada.person.id, &house.domain);
        let code = typed(&codes(&house, &ada).await[0]);
        let open =
            async || value(&domain.operator_recover(&house.operator(Role::Owner), user).await.unwrap());
        let (first, second) = (open().await, open().await);
        let works = async |link: &str| {
            let looked = domain.look_at_link(&nobody(&house), LinkKind::Recovery, link).await;
            looked.is_ok()
        };
        assert!(!works(&first).await && works(&second).await);
        let old = domain.use_recovery_link(&nobody(&house), &first).await;
        assert!(matches!(old, Err(RecoverError::Unknown)));
        let back = domain.use_recovery_code(&nobody(&house), &code).await.unwrap();
        assert!(back.person.recovering && !works(&second).await);
        let third = open().await;
        let back = domain.use_recovery_link(&nobody(&house), &third).await.unwrap();
        assert!(back.person.recovering);
        let fsck = domain.fsck(&[]).await.unwrap().findings;
        // Without a seal no tag is known.
        let odd = fsck.iter().find(|it| it.check.contains("link") && it.check != "link-tag");
        assert!(odd.is_none(), "{odd:?}");
    })
    .await;
}

#[tokio::test]
async fn who_is_deactivated_gets_no_recovery_link_and_the_shell_is_told_why() {
    both_engines(async |house| {
        let ada = set_up(&house).await;
        let bob = join(&house, &ada, "Bob", Role::Auditor, None, 2).await;
        house.domain.deactivate_user(&ada.op(&house), bob.person.id).await.unwrap();
        let operator = house.operator(Role::Owner);
        let refused = house.domain.operator_recover(&operator, bob.person.id).await;
        assert!(matches!(refused, Err(RecoveryLinkError::Deactivated)), "{refused:?}");
        let called = house.domain.users_called(&operator, &named("BOB")).await.unwrap();
        assert_eq!(called.iter().map(|it| it.id).collect::<Vec<_>>(), [bob.person.id]);
        assert!(house.domain.users_called(&operator, &named("Bo")).await.unwrap().is_empty());
    })
    .await;
}
