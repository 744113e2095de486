use std::time::Duration;

use chrono::TimeDelta;
use keywarden_model::{AllowedCidrs, RevokeReason, Role, Scopes, VerifyCode};

use super::{Scene, events_of};
use crate::Refused;
use crate::cast::{House, both_engines};
use crate::keys::{Question, Route};

#[tokio::test]
async fn each_verb_and_each_moment_has_its_code() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let domain = &scene.house.domain;
        let now = scene.house.now();
        let mut new = scene.new_key("Orders");
        new.scopes = Scopes::parse(["orders:*"]).unwrap();
        new.allowed_cidrs = AllowedCidrs::parse(["192.0.2.0/24"]).unwrap();
        new.not_before = Some(now + TimeDelta::minutes(1));
        new.expires_at = Some(now + TimeDelta::minutes(10));
        let key = domain.issue_key(&scene.bob.op(), new).await.unwrap();
        let minutes = |n| scene.house.clock.advance(Duration::from_mins(n));
        assert_eq!(scene.verify(&key.value).await, VerifyCode::NotYetValid);
        minutes(1);
        let verdict = scene.ask(key.value.expose(), |_| {}).await.unwrap();
        assert_eq!((verdict.code, verdict.superseded), (VerifyCode::Valid, false));
        let told = verdict.key().unwrap();
        assert_eq!((&*told.project_slug, &*told.environment_slug, &*told.name), ("pay", "live", "Orders"));
        let wanted = Scopes::parse(["orders:read"]).unwrap();
        let other = Scopes::parse(["refunds:write"]).unwrap();
        let ask = async |scopes: &Scopes, ip: Option<[u8; 4]>| {
            let question = Question {
                presented: key.value.expose(),
                scopes,
                ip: ip.map(Into::into),
                caller: None,
                route: Route::Verify,
            };
            domain.verify_key(&scene.gateway.op(), &question).await.unwrap().code
        };
        assert_eq!(ask(&wanted, Some([192, 0, 2, 9])).await, VerifyCode::Valid);
        assert_eq!(ask(&other, Some([192, 0, 2, 9])).await, VerifyCode::InsufficientScope);
        assert_eq!(ask(&other, Some([198, 51, 100, 1])).await, VerifyCode::IpNotAllowed);
        assert_eq!(ask(&wanted, None).await, VerifyCode::IpNotAllowed);
        let bob = scene.bob.steps_up();
        domain.suspend_key(&bob.op(), key.id, "odd traffic").await.unwrap();
        assert_eq!(scene.verify(&key.value).await, VerifyCode::Suspended);
        domain.resume_key(&bob.op(), key.id).await.unwrap();
        assert_eq!(scene.verify(&key.value).await, VerifyCode::Valid);
        minutes(9);
        assert_eq!(scene.verify(&key.value).await, VerifyCode::Expired);
        let bob = scene.bob.steps_up();
        domain.revoke_key(&bob.op(), key.id, RevokeReason::KeyCompromise, "on a paste site").await.unwrap();
        assert_eq!(scene.verify(&key.value).await, VerifyCode::Revoked);
        assert_eq!(
            events_of(&scene.house, key.id).await,
            ["key.issue", "key.resume", "key.revoke", "key.suspend"]
        );
    })
    .await;
}

#[tokio::test]
async fn wrong_unknown_foreign_and_malformed_values_answer_alike() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let issued = scene.issue("Orders").await;
        let elsewhere = scene.house.project("elsewhere").await;
        let owner = scene.house.person("Olga", &[(Role::Owner, None)]).await;
        let mut foreign = scene.new_key("Foreign");
        foreign.place = crate::keys::Place::Environment(elsewhere.live);
        let foreign = scene.house.domain.issue_key(&owner.op(), foreign).await.unwrap();
        // The same public id with another secret, checksum in order.
        let other = scene.issue("Other").await;
        let wrong = with_id_of(other.value.expose(), issued.value.expose());
        assert_eq!(scene.verify(&issued.value).await, VerifyCode::Valid);
        for presented in [
            wrong.as_str(),
            foreign.value.expose(),
            "kwk_live_000000000000_000000000000000000000000000000000000000000037HFaf",
            "",
            "a-value-that-nobody-imported",
            &issued.value.expose()[..40],
        ] {
            for _ in 0..2 {
                let verdict = scene.ask(presented, |_| {}).await.unwrap();
                assert_eq!(verdict.code, VerifyCode::NotFound, "{presented}");
                assert!(verdict.key().is_none() && verdict.expires_at.is_none() && !verdict.superseded);
            }
        }
    })
    .await;
}

/// `secret`'s value under the public id of `id`'s.
pub(super) fn with_id_of(secret: &str, id: &str) -> String {
    let end = id.rfind('_').unwrap() + 1;
    let base = format!("{}{}", &id[..end], &secret[end..secret.len() - 6]);
    const DIGITS: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut number = crc32(base.as_bytes());
    let mut checksum = [b'0'; 6];
    for place in checksum.iter_mut().rev() {
        *place = DIGITS[(number % 62) as usize];
        number /= 62;
    }
    base + std::str::from_utf8(&checksum).unwrap()
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0_u32, |crc, byte| {
        (0..8).fold(
            crc ^ u32::from(*byte),
            |crc, _| {
                if crc & 1 == 1 { crc >> 1 ^ 0xEDB8_8320 } else { crc >> 1 }
            },
        )
    })
}

#[tokio::test]
async fn who_may_verify_nowhere_is_told_so_and_a_stranger_learns_nothing() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let issued = scene.issue("Orders").await;
        let viewer = scene.house.workload("reader", Role::Viewer, Some(scene.pay.id)).await;
        let none = Scopes::default();
        let question = Question {
            presented: issued.value.expose(),
            scopes: &none,
            ip: None,
            caller: None,
            route: Route::Introspect,
        };
        let answer = scene.house.domain.verify_key(&viewer.op(), &question).await;
        assert!(matches!(answer, Err(Refused::Forbidden(_))), "{answer:?}");
    })
    .await;
}

#[tokio::test]
async fn a_key_revoked_on_one_node_is_refused_on_the_other_within_a_second() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let other = scene.house.neighbour().await;
        let issued = scene.issue("Orders").await;
        let there = async |house: &House| {
            let none = Scopes::default();
            let question = Question {
                presented: issued.value.expose(),
                scopes: &none,
                ip: None,
                caller: None,
                route: Route::Verify,
            };
            house.domain.verify_key(&scene.gateway.op(), &question).await.unwrap().code
        };
        assert_eq!(there(&other).await, VerifyCode::Valid);
        let domain = &scene.house.domain;
        domain.revoke_key(&scene.bob.op(), issued.id, RevokeReason::Superseded, "").await.unwrap();
        assert_eq!(there(&scene.house).await, VerifyCode::Revoked);
        scene.house.clock.advance(Duration::from_secs(1));
        assert_eq!(there(&other).await, VerifyCode::Revoked);
    })
    .await;
}

#[tokio::test]
async fn verifications_are_told_in_one_event_with_their_sum() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let issued = scene.issue("Orders").await;
        for _ in 0..3 {
            scene.verify(&issued.value).await;
        }
        scene.ask("not-a-key-at-all-at-all", |_| {}).await.unwrap();
        assert_eq!(scene.house.domain.flush_verify_counts().await.unwrap(), 4);
        assert_eq!(scene.house.domain.flush_verify_counts().await.unwrap(), 0);
        let mut conn = scene.house.store.read().await.unwrap();
        let filter =
            keywarden_store::event::Filter { action: Some("keys.verified".into()), ..Default::default() };
        let found = keywarden_store::event::list(&mut conn, &filter, 10).await.unwrap();
        assert_eq!(found.len(), 1);
        let event: serde_json::Value = serde_json::from_slice(&found[0].bytes).unwrap();
        assert_eq!(event["facts"]["times"], 4);
        let gateway = scene.gateway.id.to_string();
        assert_eq!(
            event["facts"]["verdicts"],
            serde_json::json!([[gateway, "verify", "not_found", 1], [gateway, "verify", "valid", 3]])
        );
    })
    .await;
}
