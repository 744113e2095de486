//! S-08 and S-15: a ceremony serves one browser, once, and a refusal leaves nothing behind.

use std::time::Duration;

use futures_util::future::join_all;
use keywarden_model::Role;

use super::super::ceremonies::{OF_ONE, OF_STRANGERS};
use super::super::turns::TURN;
use super::*;
use crate::cast::both_engines;
use crate::passkeys::PasskeyError;

#[tokio::test]
async fn of_fifty_finishes_of_one_ceremony_one_succeeds() {
    both_engines(async |house| {
        let mut ada = set_up(&house).await;
        let (browser, _) = Browser::fresh(house.domain.env());
        let started = house.domain.start_sign_in(&nobody(&house), browser).await.unwrap();
        let answer = got(&mut ada.soft, &started.options);
        let finished = join_all((0..50).map(async |_| {
            house.domain.finish_sign_in(&nobody(&house), browser, started.ceremony, &answer).await
        }))
        .await;
        let refused = finished.iter().filter(|it| matches!(it, Err(CeremonyError::Gone))).count();
        assert_eq!((finished.iter().filter(|it| it.is_ok()).count(), refused), (1, 49));
        assert_eq!(credentials(&house).await[4], 2);
    })
    .await;
}

#[tokio::test]
async fn a_flood_of_strangers_leaves_a_bounded_number_and_the_latest_can_still_be_finished() {
    both_engines(async |house| {
        let mut ada = set_up(&house).await;
        let flood = sql("INSERT INTO ceremonies (id, kind, bound_to, sealed, created_at, expires_at)
                         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1)
                         SELECT 'flood_' || i, 'sign-in', 'browser_x', $2, $3, $4 FROM n")
        .bind(OF_STRANGERS + 50)
        .bind(vec![0_u8; 8])
        .bind(house.now())
        .bind(house.now() + chrono::TimeDelta::minutes(1));
        house.put(vec![flood]).await;
        let (browser, _) = Browser::fresh(house.domain.env());
        let started = house.domain.start_sign_in(&nobody(&house), browser).await.unwrap();
        assert_eq!(house.rows().await["ceremonies"], OF_STRANGERS);
        let answer = got(&mut ada.soft, &started.options);
        let finished = house.domain.finish_sign_in(&nobody(&house), browser, started.ceremony, &answer).await;
        assert!(finished.is_ok(), "{finished:?}");
        // Until it is somebody's turn to look, some more stand there.
        let kept = OF_STRANGERS - 1;
        for more in 1..i64::from(TURN) {
            house.domain.start_sign_in(&nobody(&house), browser).await.unwrap();
            if more == 1 || more + 1 == i64::from(TURN) {
                assert_eq!(house.rows().await["ceremonies"], kept + more);
            }
        }
        house.domain.start_sign_in(&nobody(&house), browser).await.unwrap();
        assert_eq!(house.rows().await["ceremonies"], OF_STRANGERS);
    })
    .await;
}

#[tokio::test]
async fn whoever_holds_a_link_or_a_session_leaves_a_bounded_number_too() {
    both_engines(async |house| {
        let ada = set_up(&house).await;
        let link = house.domain.invite(&ada.op(&house), &named("Bob"), Role::Auditor, None).await.unwrap();
        let link = value(&link);
        let mut begun = Vec::new();
        for seed in 10..=10 + OF_ONE.unsigned_abs() {
            let started = house.domain.start_accept(&nobody(&house), &link, &named("Bob")).await.unwrap();
            begun.push((started.ceremony, made(&mut SoftAuthenticator::new(seed), &started.options)));
            // Its own instant tells which is the oldest.
            house.clock.advance(Duration::from_secs(1));
        }
        assert_eq!(house.rows().await["ceremonies"], OF_ONE);
        for _ in 0..=OF_ONE {
            house.domain.start_step_up(&ada.op(&house)).await.unwrap();
        }
        assert_eq!(house.rows().await["ceremonies"], 2 * OF_ONE);
        let finish = async |(ceremony, answer): &(CeremonyId, Vec<u8>)| {
            house.domain.finish_accept(&nobody(&house), &link, *ceremony, answer, &named("Key")).await
        };
        assert!(matches!(finish(&begun[0]).await, Err(EnrolError::Gone)), "the oldest went");
        assert!(finish(begun.last().unwrap()).await.is_ok());
    })
    .await;
}

#[tokio::test]
async fn a_ceremony_is_finished_only_where_and_while_it_was_begun() {
    both_engines(async |house| {
        let mut ada = set_up(&house).await;
        let before = credentials(&house).await;
        let (browser, cookie) = Browser::fresh(house.domain.env());
        let (other, _) = Browser::fresh(house.domain.env());
        assert_eq!(Browser::known(cookie.expose()), browser);
        let started = house.domain.start_sign_in(&nobody(&house), browser).await.unwrap();
        let answer = got(&mut ada.soft, &started.options);
        let finish = async |browser| {
            house.domain.finish_sign_in(&nobody(&house), browser, started.ceremony, &answer).await
        };
        assert!(matches!(finish(other).await, Err(CeremonyError::Gone)));
        let stepped = house.domain.finish_step_up(&ada.op(&house), started.ceremony, &answer).await;
        assert!(matches!(stepped, Err(CeremonyError::Gone)));
        house.clock.advance(Duration::from_mins(5));
        assert!(matches!(finish(browser).await, Err(CeremonyError::Gone)));
        assert_eq!(credentials(&house).await, before);
    })
    .await;
}

#[tokio::test]
async fn a_failed_answer_spends_its_ceremony_and_is_recorded() {
    both_engines(async |house| {
        let mut ada = set_up(&house).await;
        let before = credentials(&house).await;
        let (browser, _) = Browser::fresh(house.domain.env());
        let started = house.domain.start_sign_in(&nobody(&house), browser).await.unwrap();
        let good = got(&mut ada.soft, &started.options);
        ada.soft.habits.user_verified = false;
        let unverified = got(&mut ada.soft, &started.options);
        let finish = async |answer: &[u8]| {
            house.domain.finish_sign_in(&nobody(&house), browser, started.ceremony, answer).await
        };
        let refused = finish(&unverified).await;
        assert!(matches!(refused, Err(CeremonyError::Passkey(PasskeyError::UserNotVerified))));
        assert!(matches!(finish(&good).await, Err(CeremonyError::Gone)));
        assert_eq!(credentials(&house).await, before);
        assert_eq!(house.domain.flush_refusals().await.unwrap(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_counter_that_stands_still_is_refused_across_ceremonies() {
    both_engines(async |house| {
        let mut ada = set_up(&house).await;
        // A copy of the authenticator, made before it signed again.
        let mut copy = Somebody { soft: ada.soft.clone(), person: ada.person.clone(), key: ada.key.clone() };
        ada.signs_in(&house).await.unwrap();
        let refused = copy.signs_in(&house).await;
        assert!(matches!(refused, Err(CeremonyError::Passkey(PasskeyError::CounterWentBack))));
        assert_eq!(events(&house, "session.sign-in", "refused").await, 1);
    })
    .await;
}

#[tokio::test]
async fn somebody_deactivated_is_refused_like_somebody_unknown() {
    both_engines(async |house| {
        let ada = set_up(&house).await;
        let mut bob = join(&house, &ada, "Bob", Role::Auditor, None, 2).await;
        house.domain.deactivate_user(&ada.op(&house), bob.person.id).await.unwrap();
        let before = credentials(&house).await;
        let known = bob.signs_in(&house).await.err().unwrap();
        // An authenticator that registered, with somebody who never came in.
        let link = house.domain.invite(&ada.op(&house), &named("Eve"), Role::Auditor, None).await.unwrap();
        let started = house.domain.start_accept(&nobody(&house), &value(&link), &named("Eve")).await.unwrap();
        let mut eve = SoftAuthenticator::new(3);
        made(&mut eve, &started.options);
        let mut eve = Somebody { soft: eve, person: bob.person.clone(), key: bob.key.clone() };
        let unknown = eve.signs_in(&house).await.err().unwrap();
        assert_eq!(format!("{known:?}"), format!("{unknown:?}"));
        assert_eq!(known.to_string(), unknown.to_string());
        assert_eq!(credentials(&house).await, before);
        assert_eq!(house.domain.flush_refusals().await.unwrap(), 2);
    })
    .await;
}

#[tokio::test]
async fn signing_in_gives_a_new_cookie_and_takes_the_old_one() {
    both_engines(async |house| {
        let mut ada = set_up(&house).await;
        let (browser, _) = Browser::fresh(house.domain.env());
        let started = house.domain.start_sign_in(&ada.op(&house), browser).await.unwrap();
        let answer = got(&mut ada.soft, &started.options);
        let op = ada.op(&house);
        let after = house.domain.finish_sign_in(&op, browser, started.ceremony, &answer).await.unwrap();
        assert_eq!(ada.resolved(&house).await, None);
        let after = Somebody::new(ada.soft, after);
        assert_eq!(after.resolved(&house).await.as_ref(), Some(&after.person));
        assert_ne!(after.person.session, ada.person.session);
    })
    .await;
}
