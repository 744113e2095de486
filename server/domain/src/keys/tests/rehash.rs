//! A new key for hashing values: it serves new values at once, and old ones as they are shown.

use chrono::TimeDelta;
use keywarden_model::{Role, Scopes, VerifyCode};
use keywarden_store::count::number;
use keywarden_store::sql;
use keywarden_vault::token::{self, Kind};
use keywarden_vault::{Purpose, SecretString};

use super::Scene;
use super::away::ask;
use crate::Refused;
use crate::cast::{House, Machine, both_engines};
use crate::keys::{ImportError, ImportKey, ImportedValue, Leak, LookUpError, Question, Route};
use crate::workloads::TokenLifetime;

/// How many values have their hash under this keyring key.
async fn under(house: &House, key: impl std::fmt::Display) -> i64 {
    let count = sql("SELECT count(*) AS number FROM key_values WHERE mac_key_id = $1").bind(key.to_string());
    number(count, &mut house.store.read().await.unwrap()).await.unwrap()
}

#[tokio::test]
async fn an_old_hash_verifies_and_is_made_again_under_the_new_key_when_its_value_is_shown() {
    both_engines(async |house| {
        let (house, seals) = house.with_stored_keyring().await;
        let scene = Scene::set(house).await;
        let (house, domain) = (&scene.house, &scene.house.domain);
        let (shown, quiet) = (scene.issue("Shown").await, scene.issue("Quiet").await);
        let old = domain.keyring().newest(Purpose::ApiKeyMac).unwrap();
        assert_eq!(under(house, old).await, 2);
        let shell = house.operator(Role::Owner);
        domain.rotate_keyring_key(&shell, Purpose::ApiKeyMac, &seals).await.unwrap();
        domain.unseal(&seals).await.unwrap();
        let new = domain.keyring().newest(Purpose::ApiKeyMac).unwrap();
        assert_ne!(old, new);

        let fresh = scene.issue("Fresh").await;
        assert_eq!(under(house, new).await, 1, "new values are hashed under the new key");
        // Nothing is made again for a value that is wrong, however often it is tried.
        let wrong = wrong_secret(shown.value.expose());
        for _ in 0..3 {
            assert_eq!(scene.ask(&wrong, |_| {}).await.unwrap().code, VerifyCode::NotFound);
        }
        domain.flush_usage().await.unwrap();
        assert_eq!(under(house, old).await, 2);

        assert_eq!(scene.verify(&shown.value).await, VerifyCode::Valid);
        domain.flush_usage().await.unwrap();
        assert_eq!((under(house, old).await, under(house, new).await), (1, 2));
        for value in [&shown.value, &quiet.value, &fresh.value] {
            assert_eq!(scene.verify(value).await, VerifyCode::Valid);
        }
        domain.flush_usage().await.unwrap();
        assert_eq!((under(house, old).await, under(house, new).await), (0, 3));
        // A node that never saw the old hashes reads the new ones.
        let node = house.neighbour().await;
        for value in [&shown.value, &quiet.value] {
            assert_eq!(verify_on(&node, &scene, value).await, VerifyCode::Valid);
        }
        assert!(domain.fsck(&seals).await.unwrap().findings.iter().all(|it| it.check != "value-tag"));
    })
    .await;
}

fn is_put_off<T: std::fmt::Debug>(answer: &Result<T, Refused>) {
    assert!(matches!(answer, Err(Refused::Fault(fault)) if fault.is_passing()), "{answer:?}");
}

fn refused(error: LookUpError) -> Refused {
    match error {
        LookUpError::Refused(refused) => refused,
        LookUpError::TooMany => panic!("{error}"),
    }
}

#[tokio::test]
async fn a_node_that_lacks_a_new_key_puts_off_good_values_and_calls_none_of_them_unknown() {
    both_engines(async |house| {
        let (house, seals) = house.with_stored_keyring().await;
        let scene = Scene::set(house).await;
        let domain = &scene.house.domain;
        let shell = || scene.house.operator(Role::Owner);
        let outside = scene.house.project("other").await;
        let foreign = scene.house.workload("foreign", Role::Verifier, Some(outside.id)).await;
        let (shown, quiet) = (scene.issue("Shown").await, scene.issue("Quiet").await);
        let node = scene.house.neighbour_apart(&seals).await;
        // The others know nothing of this node, so nobody waits for it.
        for purpose in [Purpose::ApiKeyMac, Purpose::ServiceTokenMac] {
            domain.rotate_keyring_key(&shell(), purpose, &seals).await.unwrap();
        }
        let fresh = scene.issue("Fresh").await;
        let machine = domain.operator_token(&shell(), Role::Admin, TimeDelta::minutes(5)).await.unwrap();
        let mia = scene.house.person("Mia", &[(Role::Manager, Some(scene.pay.id))]).await;
        let leaked =
            domain.issue_service_token(&mia.op(), scene.gateway.id, TokenLifetime::default()).await.unwrap();
        let leaked = leaked.value.expose();
        assert_eq!(scene.verify(&shown.value).await, VerifyCode::Valid);
        domain.flush_usage().await.unwrap();

        for value in [&fresh.value, &shown.value] {
            is_put_off(&ask(&scene, &node, value.expose()).await);
        }
        is_put_off(&node.domain.authenticate_token(machine.expose()).await);
        let of_bobs = node.domain.look_up_leak(&scene.bob.op(), fresh.value.expose()).await;
        is_put_off(&of_bobs.map_err(refused));
        is_put_off(&node.domain.look_up_leak(&mia.op(), leaked).await.map_err(refused));
        let to_bob = node.domain.look_up_leak(&scene.bob.op(), leaked).await;
        assert!(matches!(to_bob, Ok(Leak::Unknown)), "it is no matter of his: {to_bob:?}");
        // What is there under the old key is good, and what is nowhere is still unknown.
        assert_eq!(verify_on(&node, &scene, &quiet.value).await, VerifyCode::Valid);
        let label = "live".parse().unwrap();
        let unknown = domain.env().with_rng(|rng| token::generate(Kind::ApiKey, &label, rng)).value;
        assert_eq!(verify_on(&node, &scene, &unknown).await, VerifyCode::NotFound);
        assert_eq!(verify_by(&node, &foreign, &fresh.value).await, VerifyCode::NotFound, "not a stranger's");

        node.domain.unseal(&seals).await.unwrap();
        for value in [&fresh.value, &shown.value, &quiet.value] {
            assert_eq!(verify_on(&node, &scene, value).await, VerifyCode::Valid);
        }
        node.domain.authenticate_token(machine.expose()).await.unwrap();
        let told = node.domain.look_up_leak(&mia.op(), leaked).await;
        assert!(matches!(told, Ok(Leak::Token(_))), "{told:?}");
        assert_eq!(verify_on(&node, &scene, &unknown).await, VerifyCode::NotFound);
    })
    .await;
}

#[tokio::test]
async fn nothing_is_hashed_under_a_key_that_a_running_node_lacks() {
    both_engines(async |house| {
        let (house, seals) = house.with_stored_keyring().await;
        let scene = Scene::set(house).await;
        let (house, domain) = (&scene.house, &scene.house.domain);
        let shell = || house.operator(Role::Owner);
        let shown = scene.issue("Shown").await;
        let node = house.neighbour_apart(&seals).await;
        let old = domain.keyring().newest(Purpose::ApiKeyMac).unwrap();
        for purpose in [Purpose::ApiKeyMac, Purpose::ServiceTokenMac] {
            domain.rotate_keyring_key(&shell(), purpose, &seals).await.unwrap();
        }
        let new = domain.keyring().newest(Purpose::ApiKeyMac).unwrap();
        house.tells_of_itself("one").await;
        node.tells_of_itself("two").await;

        let fresh = scene.issue("Fresh").await;
        let machine = domain.operator_token(&shell(), Role::Admin, TimeDelta::minutes(5)).await.unwrap();
        assert_eq!(scene.verify(&shown.value).await, VerifyCode::Valid);
        domain.flush_usage().await.unwrap();
        assert_eq!((under(house, old).await, under(house, new).await), (2, 0));
        for value in [&shown.value, &fresh.value] {
            assert_eq!(verify_on(&node, &scene, value).await, VerifyCode::Valid);
        }
        node.domain.authenticate_token(machine.expose()).await.unwrap();

        // It has taken in the key, and says so.
        node.domain.unseal(&seals).await.unwrap();
        node.tells_of_itself("two").await;
        assert_eq!(scene.verify(&shown.value).await, VerifyCode::Valid);
        domain.flush_usage().await.unwrap();
        scene.issue("Late").await;
        assert_eq!((under(house, old).await, under(house, new).await), (1, 2));

        // A sealed one answers nothing, and is not waited for.
        node.keyring.zeroize();
        node.tells_of_itself("two").await;
        domain.rotate_keyring_key(&shell(), Purpose::ApiKeyMac, &seals).await.unwrap();
        house.tells_of_itself("one").await;
        scene.issue("Later").await;
        assert_eq!(under(house, domain.keyring().newest(Purpose::ApiKeyMac).unwrap()).await, 1);
    })
    .await;
}

#[tokio::test]
async fn a_value_that_is_taken_in_after_a_rotation_is_found_on_every_node_at_once() {
    both_engines(async |house| {
        let (house, seals) = house.with_stored_keyring().await;
        let scene = Scene::set(house).await;
        let (house, domain) = (&scene.house, &scene.house.domain);
        let node = house.neighbour_apart(&seals).await;
        for purpose in [Purpose::ApiKeyMac, Purpose::Fingerprint] {
            domain.rotate_keyring_key(&house.operator(Role::Owner), purpose, &seals).await.unwrap();
        }
        house.tells_of_itself("one").await;
        node.tells_of_itself("two").await;
        let held = |name: &str, value: &str| ImportKey {
            key: scene.new_key(name),
            value: ImportedValue::value(value.to_owned()),
            last_day: house.now() + TimeDelta::days(30),
        };
        let value = SecretString::new("sk-Legacy-4f9a1c77e2".to_owned());
        domain.import_key(&scene.bob.op(), held("Old", value.expose())).await.unwrap();
        for there in [house, &node] {
            assert_eq!(verify_on(there, &scene, &value).await, VerifyCode::Valid);
        }
        // Nor is it taken in twice because the other node would look for it under another key.
        let twice = node.domain.import_key(&scene.bob.op(), held("Twice", value.expose())).await;
        assert!(matches!(twice, Err(ImportError::Known)), "{twice:?}");
        // Once every node has the new key, it serves; what was taken in before is still known.
        node.domain.unseal(&seals).await.unwrap();
        node.tells_of_itself("two").await;
        let later = SecretString::new("sk-Legacy-later-8c01b3".to_owned());
        domain.import_key(&scene.bob.op(), held("Later", later.expose())).await.unwrap();
        let new = domain.keyring().newest(Purpose::ApiKeyMac).unwrap();
        assert_eq!(under(house, new).await, 1);
        for value in [&value, &later] {
            assert_eq!(verify_on(&node, &scene, value).await, VerifyCode::Valid);
        }
    })
    .await;
}

async fn verify_on(node: &House, scene: &Scene, value: &SecretString) -> VerifyCode {
    verify_by(node, &scene.gateway, value).await
}

async fn verify_by(node: &House, machine: &Machine, value: &SecretString) -> VerifyCode {
    let none = Scopes::default();
    let question =
        Question { presented: value.expose(), scopes: &none, ip: None, caller: None, route: Route::Verify };
    node.domain.verify_key(&machine.op(), &question).await.unwrap().code
}

/// The same id with another secret, checksum in order.
fn wrong_secret(value: &str) -> String {
    let mut other = value.as_bytes().to_vec();
    other[30] = if other[30] == b'0' { b'1' } else { b'0' };
    super::verify::with_id_of(std::str::from_utf8(&other).unwrap(), value)
}
