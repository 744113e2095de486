//! S-11: of two hundred who try to use one thing that serves once, one succeeds, whatever the thing.

use futures_util::future::join_all;
use keywarden_model::Role;
use keywarden_vault::SecretBytes;

use super::*;
use crate::cast::both_engines;

const TRIES: usize = 200;
/// Those who race with a ceremony of their own; each tries several times.
const RUNNERS: usize = 40;

/// Lets everybody finish at once, as often as it takes to make [`TRIES`]; how many succeeded.
async fn race<T, E>(finish: impl AsyncFn(usize) -> Result<T, E>) -> usize {
    let finished = join_all((0..TRIES).map(|n| finish(n % RUNNERS))).await;
    finished.into_iter().flatten().count()
}

#[tokio::test]
async fn a_setup_link_makes_one_owner() {
    both_engines(async |house| {
        let link = setup_link(&house).await;
        let mut runners = Vec::new();
        for seed in 0..RUNNERS {
            runners.push(starts_setup(&house, &link, &mut SoftAuthenticator::new(seed as u64)).await);
        }
        let succeeded = race(async |n| {
            let (ceremony, answer) = &runners[n];
            house.domain.finish_setup(&nobody(&house), &link, *ceremony, answer, &named("Key")).await
        })
        .await;
        assert_eq!(succeeded, 1);
        assert_eq!(credentials(&house).await, [1, 1, 1, 10, 1]);
        assert_eq!(events(&house, "user.join", "allowed").await, 1);
    })
    .await;
}

#[tokio::test]
async fn an_invitation_lets_one_in() {
    both_engines(async |house| {
        let ada = set_up(&house).await;
        let link = house.domain.invite(&ada.op(&house), &named("Bob"), Role::Auditor, None).await.unwrap();
        let link = value(&link);
        let mut runners = Vec::new();
        for seed in 0..RUNNERS {
            let mut soft = SoftAuthenticator::new(100 + seed as u64);
            let started = house.domain.start_accept(&nobody(&house), &link, &named("Bob")).await.unwrap();
            runners.push((started.ceremony, made(&mut soft, &started.options)));
        }
        let succeeded = race(async |n| {
            let (ceremony, answer) = &runners[n];
            house.domain.finish_accept(&nobody(&house), &link, *ceremony, answer, &named("Key")).await
        })
        .await;
        assert_eq!(succeeded, 1);
        assert_eq!(credentials(&house).await, [2, 2, 2, 20, 2]);
        assert_eq!(events(&house, "user.join", "allowed").await, 2);
    })
    .await;
}

#[tokio::test]
async fn a_recovery_link_opens_one_session() {
    both_engines(async |house| {
        let ada = set_up(&house).await;
        let link = house.domain.operator_recover(&house.operator(Role::Owner), ada.person.id).await.unwrap();
        let link = value(&link);
        let succeeded = race(async |_| house.domain.use_recovery_link(&nobody(&house), &link).await).await;
        assert_eq!(succeeded, 1);
        assert_eq!(credentials(&house).await[4], 1);
        assert_eq!(events(&house, "recovery.use-link", "allowed").await, 1);
    })
    .await;
}

#[tokio::test]
async fn ten_codes_open_ten_times_and_no_more() {
    both_engines(async |house| {
        let ada = set_up(&house).await;
        let codes: Vec<_> = codes(&house, &ada).await.iter().map(|code| typed(code)).collect();
        let succeeded =
            race(async |n| house.domain.use_recovery_code(&nobody(&house), &codes[n % codes.len()]).await)
                .await;
        assert_eq!(succeeded, CODES);
        assert_eq!(events(&house, "recovery.use-code", "allowed").await, 10);
        assert_eq!(credentials(&house).await[4], 1, "each ends the one before");
    })
    .await;
}

#[tokio::test]
async fn a_kept_post_is_sent_on_once() {
    both_engines(async |house| {
        let ada = set_up(&house).await;
        let body = SecretBytes::copy_of(b"name=a");
        let id = house.domain.keep_post(&ada.op(&house), "/keys/issue", &body).await.unwrap();
        let taken = race(async |_| {
            let taken = house.domain.take_post(&ada.op(&house), id).await.unwrap();
            taken.ok_or(())
        })
        .await;
        assert_eq!(taken, 1);
    })
    .await;
}

#[tokio::test]
async fn a_step_up_and_a_new_passkey_are_finished_once() {
    both_engines(async |house| {
        let mut ada = set_up(&house).await;
        let started = house.domain.start_step_up(&ada.op(&house)).await.unwrap();
        let answer = got(&mut ada.soft, &started.options);
        let succeeded =
            race(async |_| house.domain.finish_step_up(&ada.op(&house), started.ceremony, &answer).await)
                .await;
        assert_eq!(succeeded, 1);
        assert_eq!(events(&house, "session.step-up", "allowed").await, 1);

        let started = house.domain.start_add_passkey(&ada.op(&house), &named("Added")).await.unwrap();
        let answer = made(&mut SoftAuthenticator::new(7), &started.options);
        let succeeded = race(async |_| {
            let op = ada.op(&house);
            house.domain.finish_add_passkey(&op, started.ceremony, &answer, &named("Second")).await
        })
        .await;
        assert_eq!(succeeded, 1);
        assert_eq!(credentials(&house).await[2], 2);
    })
    .await;
}

/// S-12: codes cannot be guessed (90 bits beside the group that finds the row), and whoever tries locks nobody out.
#[tokio::test]
async fn wrong_codes_lock_nobody_out() {
    both_engines(async |house| {
        let mut ada = set_up(&house).await;
        let right = codes(&house, &ada).await.remove(0);
        let before = credentials(&house).await;
        for n in 0..300 {
            // The group that finds the row is right, so that the row itself is tried.
            let wrong = format!("{}-{:0>width$}", &right[..right.find('-').unwrap()], n, width = 18);
            let refused = house.domain.use_recovery_code(&nobody(&house), &typed(&wrong)).await;
            assert!(matches!(refused, Err(RecoverError::Unknown)));
        }
        assert_eq!(credentials(&house).await, before);
        assert!(ada.signs_in(&house).await.is_ok(), "a passkey still opens");
        assert!(
            house.domain.use_recovery_code(&nobody(&house), &typed(&right)).await.is_ok(),
            "and so does the code"
        );
        assert!(house.domain.flush_refusals().await.unwrap() >= 1, "what was tried is on record");
    })
    .await;
}
