use std::time::Duration;

use keywarden_model::{RateLimit, Scopes, VerifyCode};

use super::Scene;
use crate::cast::{House, both_engines};
use crate::keys::{KeyPatch, Question, Route};

#[tokio::test]
async fn two_nodes_share_a_limit_within_a_tenth_and_never_pass_it() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let other = scene.house.neighbour().await;
        let mut new = scene.new_key("Orders");
        new.rate_limit = Some(RateLimit::new(100, 60).unwrap());
        let key = scene.house.domain.issue_key(&scene.bob.op(), new).await.unwrap();
        let none = Scopes::default();
        let ask = async |house: &House| {
            let question = Question {
                presented: key.value.expose(),
                scopes: &none,
                ip: None,
                caller: None,
                route: Route::Verify,
            };
            house.domain.verify_key(&scene.gateway.op(), &question).await.unwrap()
        };
        let mut valid = 0;
        for n in 0..150 {
            // Mostly one node, so that the other holds a reserve that it does not use.
            let verdict = ask(if n % 10 == 0 { &other } else { &scene.house }).await;
            let rate = verdict.rate_limit.unwrap();
            assert_eq!(rate.limit, 100);
            valid += u32::from(verdict.valid());
        }
        assert!((90..=100).contains(&valid), "{valid}");
        let verdict = ask(&scene.house).await;
        assert_eq!((verdict.code, verdict.rate_limit.unwrap().remaining), (VerifyCode::RateLimited, 0));
        let reset = verdict.rate_limit.unwrap().reset_seconds;
        assert!((1..=60).contains(&reset));
        scene.house.clock.advance(Duration::from_secs(reset.into()));
        assert_eq!(ask(&scene.house).await.code, VerifyCode::Valid);
    })
    .await;
}

#[tokio::test]
async fn an_edited_limit_counts_in_windows_of_its_own_though_they_begin_together() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let domain = &scene.house.domain;
        // On the hour, so that a minute and an hour begin together.
        let into_hour = scene.house.now().timestamp().rem_euclid(3_600);
        scene.house.clock.advance(Duration::from_secs(u64::try_from(3_600 - into_hour).unwrap()));
        let bob = scene.bob.steps_up();
        let mut new = scene.new_key("Orders");
        new.rate_limit = Some(RateLimit::new(3, 3_600).unwrap());
        let key = domain.issue_key(&bob.op(), new).await.unwrap();
        let valid = async || {
            let mut valid = 0;
            for _ in 0..10 {
                valid += u32::from(scene.verify(&key.value).await == VerifyCode::Valid);
            }
            valid
        };
        let limited = async |limit, seconds| {
            let rate_limit = Some(Some(RateLimit::new(limit, seconds).unwrap()));
            let patch = KeyPatch { rate_limit, ..KeyPatch::default() };
            domain.edit_key(&bob.op(), key.id, None, patch).await.unwrap();
        };
        assert_eq!(valid().await, 3);
        limited(2, 60).await;
        assert_eq!(valid().await, 2, "the minute is new");
        // And the hour is what it was: to edit back gives nothing twice.
        limited(3, 3_600).await;
        assert_eq!(valid().await, 0);
        limited(2, 60).await;
        assert_eq!(valid().await, 0);
        scene.house.clock.advance(Duration::from_mins(1));
        assert_eq!(valid().await, 2);
    })
    .await;
}
