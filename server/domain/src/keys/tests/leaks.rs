use std::time::Duration;

use chrono::TimeDelta;
use keywarden_model::{RevokeReason, Role, VerifyCode};

use super::{NewKey, Place, Scene, events_of};
use crate::audit::Query;
use crate::cast::both_engines;
use crate::keys::{Leak, LookUpError, Overlap};
use crate::workloads::{TokenLifetime, TokenState};

#[tokio::test]
async fn a_leak_is_told_to_who_may_act_on_it_and_to_nobody_else() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let domain = &scene.house.domain;
        let key = scene.issue("Orders").await;
        let mallory = scene.house.person("Mallory", &[]).await;
        let line = format!("2026-01-01 GET /?key={} 200", key.value.expose());
        let Leak::Found { key: found, value, may, .. } =
            domain.look_up_leak(&scene.bob.without_step_up().op(), &line).await.unwrap()
        else {
            panic!("not found")
        };
        assert_eq!((found.id, value.public_id), (key.id, key.public_id.clone()));
        assert!(may.revoke && may.rotate);
        for (who, text) in [
            (&mallory, key.value.expose()),
            (&mallory, "kwk_live_000000000000_000000000000000000000000000000000000000000037HFaf"),
            (&scene.bob, &key.value.expose()[..60]),
        ] {
            let answer = domain.look_up_leak(&who.op(), text).await.unwrap();
            assert!(matches!(answer, Leak::Unknown), "{answer:?}");
        }
        assert_eq!(events_of(&scene.house, key.id).await, ["key.issue", "leak.look-up", "leak.look-up"]);
        assert_eq!(events_of(&scene.house, "organization").await.len(), 2);
    })
    .await;
}

#[tokio::test]
async fn a_value_behind_many_words_that_only_begin_like_one_is_found() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let key = scene.issue("Orders").await;
        let false_ones = "kwk_live_x kws_workload_y ".repeat(33);
        let endless = "kwk_".repeat(100);
        let text = format!("{false_ones}{endless} {}", key.value.expose());
        let answer = scene.house.domain.look_up_leak(&scene.bob.op(), &text).await.unwrap();
        let Leak::Found { key: found, .. } = answer else { panic!("not found") };
        assert_eq!(found.id, key.id);
    })
    .await;
}

#[tokio::test]
async fn no_value_hides_behind_made_up_ones_or_somebody_elses() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let (house, domain) = (&scene.house, &scene.house.domain);
        let (mine, too) = (scene.issue("Orders").await, scene.issue("Payouts").await);
        let mut text = String::new();
        for _ in 0..127 {
            text = format!("{text}{} ", house.made_up_key());
        }
        let whole = format!("{text}{} {0}", mine.value.expose());
        let found = domain.look_up_leak(&scene.bob.op(), &whole).await.unwrap();
        assert!(matches!(&found, Leak::Found { key, more: false, .. } if key.id == mine.id), "{found:?}");
        let events = events_of(house, "organization").await.len();
        let more = format!("{text}{} {}", house.made_up_key(), mine.value.expose());
        let refused = domain.look_up_leak(&scene.bob.op(), &more).await.unwrap_err();
        assert!(matches!(refused, LookUpError::TooMany), "{refused}");
        assert!(refused.to_string().contains("in parts"), "{refused}");
        assert_eq!(events_of(house, "organization").await.len(), events, "nothing was looked up");

        // Bob may not act on Hugo's key: his own behind it is told all the same, and the record knows both.
        let hr = house.project("hr").await;
        let hugo = house.person("Hugo", &[(Role::Issuer, Some(hr.id))]).await;
        let new = NewKey::named(Place::Environment(hr.live), "Wages".parse().unwrap());
        let foreign = domain.issue_key(&hugo.op(), new).await.unwrap();
        let line = format!("{} {}", foreign.value.expose(), mine.value.expose());
        house.clock.advance(Duration::from_millis(5));
        let found = domain.look_up_leak(&scene.bob.op(), &line).await.unwrap();
        assert!(matches!(&found, Leak::Found { key, more: false, .. } if key.id == mine.id), "{found:?}");
        let query = Query { resource: Some(mine.id.to_string()), limit: 1, ..Query::default() };
        let event = domain.events(&house.operator(Role::Owner), &query).await.unwrap().events.remove(0);
        assert_eq!(event.canonical["facts"]["others"], serde_json::json!([foreign.id.to_string()]));

        let both = format!("{line}\n{}", too.value.expose());
        let found = domain.look_up_leak(&scene.bob.op(), &both).await.unwrap();
        assert!(matches!(&found, Leak::Found { key, more: true, .. } if key.id == mine.id), "{found:?}");
    })
    .await;
}

#[tokio::test]
async fn a_leaked_service_token_is_told_to_who_may_revoke_it_and_to_nobody_else() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let domain = &scene.house.domain;
        let mia = scene.house.person("Mia", &[(Role::Manager, Some(scene.pay.id))]).await;
        let hr = scene.house.project("hr").await;
        let hugo = scene.house.person("Hugo", &[(Role::Manager, Some(hr.id))]).await;
        let gateway = scene.gateway.id;
        let token = domain.issue_service_token(&mia.op(), gateway, TokenLifetime::default()).await.unwrap();
        let line = format!("Authorization: Bearer {}", token.value.expose());
        let Leak::Token(leaked) = domain.look_up_leak(&mia.op(), &line).await.unwrap() else {
            panic!("not found")
        };
        assert_eq!((leaked.token.id, leaked.workload.map(|it| it.id)), (token.id, Some(gateway)));
        assert!(leaked.listed && leaked.may_revoke);
        let cut = &token.value.expose()[..token.value.expose().len() - 1];
        for (who, text) in [(&hugo, line.as_str()), (&scene.bob, line.as_str()), (&mia, cut)] {
            let answer = domain.look_up_leak(&who.op(), text).await.unwrap();
            assert!(matches!(answer, Leak::Unknown), "{answer:?}");
        }
        domain.revoke_service_token(&mia.op(), token.id).await.unwrap();
        let Leak::Token(leaked) = domain.look_up_leak(&mia.op(), &line).await.unwrap() else {
            panic!("not found")
        };
        assert!(leaked.token.state == TokenState::Revoked && !leaked.may_revoke);
        let told = events_of(&scene.house, token.id).await;
        assert_eq!(told.iter().filter(|it| *it == "leak.look-up").count(), 4, "{told:?}");
    })
    .await;
}

#[tokio::test]
async fn of_an_old_value_the_end_is_offered_that_spares_the_current_one() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let domain = &scene.house.domain;
        let old = scene.issue("Orders").await;
        let week = Overlap::For(TimeDelta::days(7));
        let new = domain.rotate_key(&scene.bob.op(), old.id, week).await.unwrap();
        let look = async |value: &str| {
            let Leak::Found { value, may, .. } = domain.look_up_leak(&scene.bob.op(), value).await.unwrap()
            else {
                panic!("not found")
            };
            (value.id, [may.stop_old, may.revoke, may.rotate])
        };
        assert_eq!(look(new.value.expose()).await.1, [false, true, true]);
        let (leaked, may) = look(old.value.expose()).await;
        assert_eq!(may, [true, true, false]);
        let why = Some(RevokeReason::KeyCompromise);
        domain.stop_old_value(&scene.bob.op(), old.id, leaked, why).await.unwrap();
        assert_eq!(scene.verify(&old.value).await, VerifyCode::Revoked);
        assert_eq!(scene.verify(&new.value).await, VerifyCode::Valid);
        assert_eq!(look(old.value.expose()).await.1, [false; 3], "there is nothing left to end");
    })
    .await;
}
