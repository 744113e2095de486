use keywarden_store::{Sql, sql};

use super::{Address, ReadSecretError, Scene, Which};
use crate::cast::both_engines;
use crate::{Fault, Refused};

type Envelopes = (Vec<u8>, Vec<u8>);

/// Both envelopes of the first version of a secret, as they are stored.
async fn stored(scene: &Scene, path: &str) -> Envelopes {
    let mut conn = scene.house.store.read().await.unwrap();
    sql("SELECT v.wrapped_key, v.ciphertext FROM secret_versions v JOIN secrets s ON s.id = v.secret_id
         WHERE s.path = $1 AND v.number = 1")
    .bind(path)
    .one(&mut conn)
    .await
    .unwrap()
}

fn store(path: &str, (wrapped_key, ciphertext): &Envelopes) -> Sql {
    sql("UPDATE secret_versions SET wrapped_key = $1, ciphertext = $2
         WHERE number = 1 AND secret_id IN (SELECT id FROM secrets WHERE path = $3)")
    .bind(wrapped_key)
    .bind(ciphertext)
    .bind(path)
}

/// Stores these envelopes and sees that the value is refused and nothing is told of a reading.
async fn is_refused(scene: &Scene, path: &str, envelopes: &Envelopes, how: &str) {
    scene.house.put(vec![store(path, envelopes)]).await;
    let before = scene.house.rows().await;
    let read = scene.read(path, Which::Number(1)).await;
    assert!(
        matches!(read, Err(ReadSecretError::Refused(Refused::Fault(Fault::Damaged(_))))),
        "{how}: {read:?}"
    );
    assert_eq!(scene.house.rows().await["events"], before["events"], "{how}");
}

#[tokio::test]
async fn a_value_in_anothers_row_does_not_open() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        for path in ["a", "b"] {
            scene.put(path, &format!("of {path}")).await;
        }
        let (a, b) = (stored(&scene, "a").await, stored(&scene, "b").await);
        is_refused(&scene, "a", &b, "both envelopes").await;
        is_refused(&scene, "a", &(a.0.clone(), b.1), "the value alone").await;
        is_refused(&scene, "a", &(b.0, a.1.clone()), "the key alone").await;
        scene.house.put(vec![store("a", &a)]).await;
        assert_eq!(scene.text("a").await, "of a");

        // Nor does a version in the place of another of the same secret, or a secret that was moved.
        scene.put("a", "newer").await;
        let newer = "UPDATE secret_versions SET
             wrapped_key = (SELECT o.wrapped_key FROM secret_versions o
                            WHERE o.secret_id = secret_versions.secret_id AND o.number = 1),
             ciphertext = (SELECT o.ciphertext FROM secret_versions o
                           WHERE o.secret_id = secret_versions.secret_id AND o.number = 1)
             WHERE number = 2";
        scene.house.put(vec![sql(newer)]).await;
        let read = scene.read("a", Which::Number(2)).await;
        assert!(matches!(read, Err(ReadSecretError::Refused(Refused::Fault(Fault::Damaged(_))))), "{read:?}");
    })
    .await;
}

#[tokio::test]
async fn a_projects_key_in_another_project_does_not_open() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let id = scene.put("a", "x").await.id;
        let other = scene.house.project("other").await;
        let moved = "UPDATE secrets SET project_id = $1, environment_id = $2";
        scene.house.put(vec![sql(moved).bind(other.id).bind(other.live)]).await;
        let op = scene.house.operator(keywarden_model::Role::Owner);
        let address = Address::Id(id);
        let read = scene.house.domain.read_secret(&op, &address, &Which::default()).await;
        assert!(matches!(read, Err(ReadSecretError::Refused(Refused::Fault(Fault::Damaged(_))))), "{read:?}");
    })
    .await;
}

#[tokio::test]
async fn a_flipped_bit_in_any_byte_of_what_is_stored_is_refused() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        scene.put("a", "hunter2").await;
        let sound = stored(&scene, "a").await;
        for at in 0..sound.0.len() {
            let mut changed = sound.clone();
            changed.0[at] ^= 1 << (at % 8);
            is_refused(&scene, "a", &changed, &format!("byte {at} of the wrapped key")).await;
        }
        for at in 0..sound.1.len() {
            let mut changed = sound.clone();
            changed.1[at] ^= 1 << (at % 8);
            is_refused(&scene, "a", &changed, &format!("byte {at} of the value")).await;
        }
        scene.house.put(vec![store("a", &sound)]).await;
        assert_eq!(scene.text("a").await, "hunter2");
    })
    .await;
}
