//! Issuers' keys: fetched seldom, changed by the issuer, away, or too much of them.

use std::time::Duration;

use serde_json::{Value, json};

use super::super::KeySet;
use super::super::KeySetError;
use super::super::shelf::Issuer;
use super::*;
use crate::cast::both_engines;
use crate::trust::GivenKeys;

#[tokio::test]
async fn keys_are_fetched_once_and_a_flood_of_unknown_names_asks_seldom() {
    both_engines(async |house| {
        let scene = Scene::with_rule(house).await;
        for _ in 0..5 {
            scene.exchange(&scene.issuer.sign(&scene.claims())).await.unwrap();
        }
        assert_eq!(scene.house.shelf.fetched(), 2, "the discovery document and the keys");
        let stranger = |n: u8| Issuer::new(URL, &format!("unknown-{n}"), n.max(1));
        for n in 0..100 {
            assert!(scene.refuses(&stranger(n).sign(&scene.claims())).await);
        }
        assert_eq!(scene.house.shelf.fetched(), 2, "it was asked just now");
        scene.house.clock.advance(Duration::from_secs(20));
        for n in 0..100 {
            assert!(scene.refuses(&stranger(n).sign(&scene.claims())).await);
        }
        assert_eq!(scene.house.shelf.fetched(), 4);
        scene.exchange(&scene.issuer.sign(&scene.claims())).await.unwrap();
        assert_eq!(scene.house.shelf.fetched(), 4);
    })
    .await;
}

#[tokio::test]
async fn a_new_key_counts_at_once_and_a_withdrawn_one_no_longer_than_ten_minutes() {
    both_engines(async |house| {
        let scene = Scene::with_rule(house).await;
        scene.exchange(&scene.issuer.sign(&scene.claims())).await.unwrap();
        scene.house.clock.advance(Duration::from_mins(1));
        let next = Issuer::new(URL, "k2", 9);
        next.publish(&scene.house.shelf);
        scene.exchange(&next.sign(&scene.claims())).await.unwrap();
        // The set that was fetched for the new one has no old one in it.
        assert!(scene.refuses(&scene.issuer.sign(&scene.claims())).await);
        // Withdrawn without a new name to look for: believed until the set is fetched again.
        let last = Issuer::new(URL, "k3", 10);
        last.publish(&scene.house.shelf);
        scene.exchange(&next.sign(&scene.claims())).await.unwrap();
        scene.house.clock.advance(Duration::from_mins(10));
        assert!(scene.refuses(&next.sign(&scene.claims())).await);
    })
    .await;
}

#[tokio::test]
async fn an_issuer_that_is_away_is_believed_for_an_hour() {
    both_engines(async |house| {
        let scene = Scene::with_rule(house).await;
        scene.exchange(&scene.issuer.sign(&scene.claims())).await.unwrap();
        scene.house.shelf.clear();
        scene.house.clock.advance(Duration::from_mins(59));
        scene.exchange(&scene.issuer.sign(&scene.claims())).await.unwrap();
        scene.house.clock.advance(Duration::from_mins(1));
        assert!(scene.refuses(&scene.issuer.sign(&scene.claims())).await);
        scene.issuer.publish(&scene.house.shelf);
        scene.house.clock.advance(Duration::from_secs(20));
        scene.exchange(&scene.issuer.sign(&scene.claims())).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_discovery_document_speaks_for_its_own_issuer_and_names_https() {
    both_engines(async |house| {
        let scene = Scene::with_rule(house).await;
        let discovery = format!("{URL}/.well-known/openid-configuration");
        let keys = scene.issuer.keys_url();
        scene.house.shelf.put("http://issuer.example/keys", scene.issuer.jwks());
        for wrong in [
            json!({ "issuer": "https://evil.example", "jwks_uri": keys }),
            json!({ "jwks_uri": keys }),
            json!({ "issuer": URL }),
            json!({ "issuer": URL, "jwks_uri": "http://issuer.example/keys" }),
            json!({ "issuer": URL, "jwks_uri": "file:///etc/passwd" }),
            json!({ "issuer": URL, "jwks_uri": [keys] }),
            json!([]),
        ] {
            scene.house.shelf.put(&discovery, wrong.to_string());
            scene.house.clock.advance(Duration::from_secs(20));
            assert!(scene.refuses(&scene.issuer.sign(&scene.claims())).await, "{wrong}");
        }
        scene.issuer.publish(&scene.house.shelf);
        scene.house.clock.advance(Duration::from_secs(20));
        scene.exchange(&scene.issuer.sign(&scene.claims())).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn keys_of_an_address_or_a_document_need_no_discovery() {
    both_engines(async |house| {
        let scene = Scene::new(house).await;
        scene.house.shelf.clear();
        let given = GivenKeys::read(&scene.issuer.jwks()).unwrap();
        let rule = scene.rule(Terms { keys: Keys::Given(given), ..terms("sub=shop") }).await;
        scene.exchange(&scene.issuer.sign(&scene.claims())).await.unwrap();
        assert_eq!(scene.house.shelf.fetched(), 0);
        let domain = &scene.house.domain;
        domain.delete_trust_rule(&scene.mia.steps_up().op(), scene.workload, rule.id).await.unwrap();
        let at = "https://elsewhere.example/jwks";
        scene.house.shelf.put(at, scene.issuer.jwks());
        scene.rule(Terms { keys: Keys::At(at.parse().unwrap()), ..terms("sub=shop") }).await;
        scene.exchange(&scene.issuer.sign(&scene.claims())).await.unwrap();
        assert_eq!(scene.house.shelf.fetched(), 1);
    })
    .await;
}

#[test]
fn a_set_is_read_strictly_and_up_to_a_number() {
    let issuer = Issuer::new(URL, "k1", 7);
    let set = |keys: Vec<Value>| json!({ "keys": keys }).to_string();
    let many = |n: usize| set(vec![issuer.jwk(); n]);
    assert!(KeySet::read(many(100).as_bytes()).is_ok());
    assert_eq!(KeySet::read(many(101).as_bytes()).unwrap_err(), KeySetError::TooMany);
    assert_eq!(KeySet::read(many(200).as_bytes()).unwrap_err(), KeySetError::TooMany);
    // More values than any JSON of ours may have: nothing is made of it at all.
    assert_eq!(KeySet::read(many(10_000).as_bytes()).unwrap_err(), KeySetError::NoSet);
    assert_eq!(GivenKeys::read(&many(1_000)).unwrap_err(), KeySetError::TooLong);
    for none in ["", "{}", "[]", "null", r#"{"keys":{}}"#, r#"{"keys":[],"keys":[]}"#] {
        assert_eq!(KeySet::read(none.as_bytes()).unwrap_err(), KeySetError::NoSet, "{none}");
    }
    for empty in [r#"{"keys":[]}"#, r#"{"keys":[1,null,"x",[]]}"#] {
        assert_eq!(KeySet::read(empty.as_bytes()).unwrap_err(), KeySetError::NoKey, "{empty}");
    }
    let mut private = issuer.jwk();
    private["d"] = json!("secret");
    for given in [set(vec![private.clone()]), set(vec![issuer.jwk(), private])] {
        assert_eq!(GivenKeys::read(&given).unwrap_err(), KeySetError::Private);
    }
    assert_eq!(
        GivenKeys::read(&set(vec![issuer.jwk(), json!({ "kty": "oct", "k": "c2VjcmV0" })])).unwrap_err(),
        KeySetError::Private
    );
}

#[tokio::test]
async fn a_token_without_a_keys_name_fits_the_only_key_of_its_kind() {
    let scene = Scene::with_rule(House::new(crate::cast::Engine::Sqlite).await).await;
    let header = json!({ "alg": "ES256" });
    let sign = || scene.issuer.sign_with(&header, &scene.claims().to_string());
    assert!(scene.exchange(&sign()).await.is_ok());
    let second = Issuer::new(URL, "k2", 9);
    let both = json!({ "keys": [scene.issuer.jwk(), second.jwk()] });
    scene.house.shelf.put(&scene.issuer.keys_url(), both.to_string());
    scene.house.clock.advance(Duration::from_mins(10));
    assert!(scene.refuses(&sign()).await, "of two it must say which");
    assert!(scene.exchange(&scene.issuer.sign(&scene.claims())).await.is_ok());
    assert!(scene.exchange(&second.sign(&scene.claims())).await.is_ok());
}
