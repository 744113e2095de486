//! A new key for hashing values: it serves new values at once, and old ones as they are shown.

use keywarden_model::{Scopes, VerifyCode};
use keywarden_store::count::number;
use keywarden_store::sql;
use keywarden_vault::{Purpose, SecretString};

use super::Scene;
use crate::cast::{House, both_engines};
use crate::keys::{Question, Route};

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
        let shell = house.operator(keywarden_model::Role::Owner);
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

async fn verify_on(node: &House, scene: &Scene, value: &SecretString) -> VerifyCode {
    let none = Scopes::default();
    let question =
        Question { presented: value.expose(), scopes: &none, ip: None, caller: None, route: Route::Verify };
    node.domain.verify_key(&scene.gateway.op(), &question).await.unwrap().code
}

/// The same id with another secret, checksum in order.
fn wrong_secret(value: &str) -> String {
    let mut other = value.as_bytes().to_vec();
    other[30] = if other[30] == b'0' { b'1' } else { b'0' };
    super::verify::with_id_of(std::str::from_utf8(&other).unwrap(), value)
}
