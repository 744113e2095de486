//! The keyring's keys, and those of the HSM that wrap them.

use keywarden_vault::Purpose;

use super::{Scene, node};
use crate::cast::both_engines;
use crate::rewraps::State;
use crate::system::{DestroySealKeyError, KeyStays, Node, RotateError, RotateSealError};

#[tokio::test]
async fn projects_keys_wait_until_every_node_has_the_keyrings_new_key_and_then_leave_the_old_one() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        scene.fill(2).await;
        let other = node(&scene).await;
        let started_at = scene.house.now();
        let tells = |id: &str| Node { id: id.into(), name: id.into(), version: "1", started_at };
        scene.domain().note_node(&tells("one"), "ready").await.unwrap();
        other.note_node(&tells("two"), "ready").await.unwrap();
        let rotated = scene
            .domain()
            .rotate_keyring_key(&scene.owner(), Purpose::ProjectKey, &scene.seals)
            .await
            .unwrap();
        let rewrap = rotated.rewrap.unwrap();
        let again =
            scene.domain().rotate_keyring_key(&scene.owner(), Purpose::ProjectKey, &scene.seals).await;
        assert!(matches!(again, Err(RotateError::UnderWay)), "{again:?}");
        scene.domain().note_node(&tells("one"), "ready").await.unwrap();
        assert_eq!(scene.domain().rewrap().await.unwrap(), 0, "the other node lacks the key");
        assert_eq!(other.rewrap().await.unwrap(), 0, "and does nothing itself");
        assert_eq!(scene.read(&other, "many/0").await.unwrap(), "many/0");

        assert!(!other.keyring_is_current().await.unwrap());
        other.unseal(&scene.seals).await.unwrap();
        other.note_node(&tells("two"), "ready").await.unwrap();
        assert_eq!(other.rewrap().await.unwrap(), 1);
        let end = scene.rewrap(rewrap).await;
        assert_eq!((end.state, end.total, end.done), (State::Done, 1, 1));
        assert_eq!(end.to_key, rotated.key.to_string());
        for node in [scene.domain(), &other] {
            assert_eq!(scene.read(node, "many/1").await.unwrap(), "many/1");
        }

        // The old key is gone from the records, and from memory with the next look.
        let system = scene.domain().system(&scene.owner()).await.unwrap();
        let left: Vec<_> = system.keys.iter().filter(|key| key.purpose == Purpose::ProjectKey).collect();
        assert_eq!(left.iter().map(|key| key.id).collect::<Vec<_>>(), [rotated.key]);
        assert!(!other.keyring_is_current().await.unwrap());
        other.unseal(&scene.seals).await.unwrap();
        assert!(other.keyring_is_current().await.unwrap());
        assert_eq!(scene.told("keyring-key.destroy").await.len(), 1);
        scene.put("many/0", "newer").await;
        assert_eq!(scene.read(&node(&scene).await, "many/0").await.unwrap(), "newer");
        scene.is_sound().await;
    })
    .await;
}

#[tokio::test]
async fn one_node_at_a_time_makes_keys_in_an_hsm() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let (domain, seal) = (scene.domain(), scene.seals[0].describe().id.clone());
        let other = scene.house.neighbour().await;
        let turn = other.domain.turn_at_seals().await.unwrap().unwrap();
        assert!(domain.turn_at_seals().await.unwrap().is_none());
        let meanwhile = domain.rotate_seal_key(&scene.owner(), &seal).await;
        assert!(matches!(meanwhile, Err(RotateSealError::Changed)), "{meanwhile:?}");
        assert_eq!(scene.seals[0].keys().unwrap(), [1], "it made one all the same");
        turn.end().await;
        for number in 2..5 {
            assert_eq!(domain.rotate_seal_key(&scene.owner(), &seal).await.unwrap().number, number);
        }
    })
    .await;
}

#[tokio::test]
async fn the_hsms_new_key_wraps_the_keyring_and_the_old_one_is_destroyed_by_a_step_of_its_own() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        scene.put("a", "x").await;
        let (domain, seal) = (scene.domain(), scene.seals[0].describe().id.clone());
        let in_use = domain.destroy_seal_key(&scene.owner(), &seal, 1).await;
        assert!(
            matches!(in_use, Err(DestroySealKeyError::Stays(KeyStays::Newest { number: 1, .. }))),
            "{in_use:?}"
        );
        // The half of a rotation that did not come to its end: a key that wraps nothing.
        scene.seals[0].add_key(&mut domain.env().fork()).unwrap();
        let in_use = domain.destroy_seal_key(&scene.owner(), &seal, 1).await;
        assert!(
            matches!(in_use, Err(DestroySealKeyError::Stays(KeyStays::InUse { number: 1, .. }))),
            "{in_use:?}"
        );

        let rotated = domain.rotate_seal_key(&scene.owner(), &seal).await.unwrap();
        assert_eq!(rotated.number, 2, "it is taken, and no third one made");
        let end = scene.rewrap(rotated.rewrap).await;
        let keys = i64::try_from(Purpose::ALL.len()).unwrap();
        assert_eq!((end.state, end.total, end.done), (State::Done, keys, keys));
        let told = domain.seal_keys(&scene.owner()).await.unwrap().remove(0).keys.unwrap();
        assert_eq!(told, [(1, 0), (2, Purpose::ALL.len())]);
        node(&scene).await;

        assert!(domain.destroy_seal_key(&scene.alice.op(), &seal, 1).await.is_err());
        domain.destroy_seal_key(&scene.owner(), &seal, 1).await.unwrap();
        let gone = domain.destroy_seal_key(&scene.owner(), &seal, 1).await;
        assert!(
            matches!(gone, Err(DestroySealKeyError::Stays(KeyStays::NoKey { number: 1, .. }))),
            "{gone:?}"
        );
        assert_eq!(scene.seals[0].keys().unwrap(), [2]);
        assert_eq!(scene.read(&node(&scene).await, "a").await.unwrap(), "x");
        assert_eq!(domain.rotate_seal_key(&scene.owner(), &seal).await.unwrap().number, 3);
        assert_eq!(scene.told("seal.rotate-key").await.len(), 2);
        assert_eq!(scene.told("seal.destroy-key").await.len(), 1);
        scene.is_sound().await;
    })
    .await;
}
