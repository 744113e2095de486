//! Rotations on both engines: everything reads at any moment, whoever dies, and nothing stays behind.

mod old_keys;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use keywarden_model::{ProjectKeyId, Role, SecretId, SecretKind};
use keywarden_store::secrets::project_keys;
use keywarden_store::{event, sql};
use keywarden_vault::{Keyring, Purpose, Seal, SecretBytes};

use super::run::BATCH;
use super::{Rewrap, State, SwitchRewrapError};
use crate::cast::{House, Player, Stage, both_engines};
use crate::keys::Place;
use crate::project_keys::RotateProjectKeyError;
use crate::secrets::{
    About, Address, NewValue, PutSecret, ReadSecretError, RotateDataKeyError, Validity, Which,
};
use crate::system::{DestroySealKeyError, KeyStays, Node, RotateError, RotateSealError};
use crate::{Domain, Fault, Op, Refused};

/// A house whose keyring is in its records, a project and its manager.
struct Scene {
    house: House,
    seals: Vec<Arc<dyn Seal>>,
    pay: Stage,
    alice: Player,
}

impl Scene {
    async fn set(house: House) -> Self {
        let (house, seals) = house.with_stored_keyring().await;
        let pay = house.project("pay").await;
        let alice = house.person("Alice", &[(Role::Manager, Some(pay.id))]).await;
        Self { house, seals, pay, alice }
    }

    fn domain(&self) -> &Domain {
        &self.house.domain
    }

    fn owner(&self) -> Op {
        self.house.operator(Role::Owner)
    }

    async fn put(&self, path: &str, text: &str) -> SecretId {
        let value = NewValue::new(SecretKind::Text, None, SecretBytes::copy_of(text.as_bytes())).unwrap();
        let put = PutSecret {
            value,
            label: None,
            expected: None,
            validity: Validity::default(),
            about: About::default(),
        };
        let place = Place::Environment(self.pay.live);
        self.domain().put_secret(&self.alice.op(), &place, &path.parse().unwrap(), put).await.unwrap().id
    }

    /// Puts `many` secrets, each with its path for a value.
    async fn fill(&self, many: u32) {
        for n in 0..many {
            let path = format!("many/{n}");
            self.put(&path, &path).await;
        }
    }

    async fn read(&self, node: &Domain, path: &str) -> Result<String, ReadSecretError> {
        let address = Address::Path { place: Place::Environment(self.pay.live), path: path.parse().unwrap() };
        let revealed = node.read_secret(&self.alice.op(), &address, &Which::default()).await?;
        Ok(String::from_utf8(revealed.value.expose().to_vec()).unwrap())
    }

    /// Every one of `many` secrets reads as it was put.
    async fn all_read(&self, many: u32) {
        for n in 0..many {
            let path = format!("many/{n}");
            assert_eq!(self.read(self.domain(), &path).await.unwrap(), path);
        }
    }

    async fn rotate(&self) -> Rewrap {
        let rotated = self.domain().rotate_project_key(&self.alice.op(), self.pay.id).await.unwrap();
        self.rewrap(rotated.rewrap).await
    }

    async fn rewrap(&self, id: keywarden_model::RewrapId) -> Rewrap {
        self.domain().find_rewrap(&self.owner(), id).await.unwrap()
    }

    /// How many data keys lie under each key.
    async fn under(&self) -> BTreeMap<ProjectKeyId, i64> {
        let mut conn = self.house.store.read().await.unwrap();
        let mut counts = BTreeMap::new();
        for key in project_keys::of_project(&mut conn, self.pay.id).await.unwrap() {
            counts.insert(key.id, project_keys::data_keys(&mut conn, key.id).await.unwrap());
        }
        counts
    }

    async fn told(&self, action: &str) -> Vec<serde_json::Value> {
        let mut conn = self.house.store.read().await.unwrap();
        let filter = event::Filter { action: Some(action.into()), ..Default::default() };
        let found = event::list(&mut conn, &filter, 200).await.unwrap();
        found.iter().map(|it| serde_json::from_slice(&it.bytes).unwrap()).collect()
    }

    async fn is_sound(&self) {
        let found = self.domain().fsck(&self.seals).await.unwrap();
        // The cast's own rows have no events.
        let ours = found.findings.iter().filter(|it| {
            ["rewrap", "project-key", "keyring", "secret", "sealed", "wrap"]
                .iter()
                .any(|noun| it.check.starts_with(noun))
        });
        assert_eq!(ours.collect::<Vec<_>>(), Vec::<&crate::fsck::Finding>::new());
    }
}

#[tokio::test]
async fn a_rotated_project_key_takes_every_data_key_along_and_goes() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let many = BATCH + 5;
        scene.fill(many).await;
        let before: Vec<_> = scene.under().await.into_keys().collect();
        let rewrap = scene.rotate().await;
        assert_eq!((rewrap.state, rewrap.total, rewrap.done), (State::Running, i64::from(many), 0));
        assert_eq!(rewrap.from_key, before[0].to_string());
        let again = scene.domain().rotate_project_key(&scene.alice.op(), scene.pay.id).await;
        assert!(matches!(again, Err(RotateProjectKeyError::UnderWay)), "{again:?}");

        // What is put now lies under the new key; what was there reads from under the old one.
        scene.put("fresh", "fresh").await;
        scene.all_read(3).await;
        assert_eq!(scene.under().await[&before[0]], i64::from(many));

        assert_eq!(scene.domain().rewrap_batch(&rewrap).await.unwrap(), Some(true));
        let half = scene.rewrap(rewrap.id).await;
        assert_eq!((half.state, half.done), (State::Running, i64::from(BATCH)));
        scene.all_read(many).await;
        scene.is_sound().await;

        assert_eq!(scene.domain().rewrap().await.unwrap(), 1);
        let end = scene.rewrap(rewrap.id).await;
        assert_eq!((end.state, end.done, end.skipped), (State::Done, i64::from(many), 0));
        let new: ProjectKeyId = end.to_key.parse().unwrap();
        assert_eq!(scene.under().await, BTreeMap::from([(new, i64::from(many) + 1)]), "the old key is gone");
        scene.all_read(many).await;
        assert_eq!(scene.read(scene.domain(), "fresh").await.unwrap(), "fresh");
        assert_eq!(scene.told("project-key.destroy").await.len(), 1);
        assert_eq!(scene.told("rewrap.proceed").await.len(), 2);
        assert_eq!(scene.told("rewrap.finish").await.len(), 1);
        scene.is_sound().await;
        assert_eq!(scene.domain().rewrap().await.unwrap(), 0, "there is nothing left to do");
        let view = scene.domain().project_key(&scene.alice.op(), scene.pay.id).await.unwrap();
        assert_eq!(view.in_service().map(|key| (key.id, key.uses)), Some((new, i64::from(many) + 1)));
    })
    .await;
}

#[tokio::test]
async fn two_nodes_and_many_readers_share_a_rewrap_and_nothing_is_done_twice() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let many = 3 * BATCH / 2;
        scene.fill(many).await;
        let rewrap = scene.rotate().await;
        let other = scene.house.neighbour().await;
        let readers = async {
            for n in 0..40 {
                for node in [scene.domain(), &other.domain] {
                    let path = format!("many/{}", n * 7 % many);
                    assert_eq!(scene.read(node, &path).await.unwrap(), path);
                }
            }
        };
        let writers = async {
            for n in 0..10 {
                scene.put(&format!("more/{n}"), "more").await;
            }
        };
        let (one, two, (), ()) = tokio::join!(
            Box::pin(scene.domain().rewrap()),
            Box::pin(other.domain.rewrap()),
            Box::pin(readers),
            Box::pin(writers)
        );
        let (one, two) = (one.unwrap(), two.unwrap());
        // Each may have looked while the other one was at it, and found its end.
        assert!(one + two >= 2, "{one} {two}");
        while scene.rewrap(rewrap.id).await.state == State::Running {
            scene.domain().rewrap().await.unwrap();
        }
        let end = scene.rewrap(rewrap.id).await;
        assert_eq!((end.done, end.skipped), (i64::from(many), 0));
        let moved: i64 = scene
            .told("rewrap.proceed")
            .await
            .iter()
            .map(|event| event["facts"]["rewrapped"].as_i64().unwrap())
            .sum();
        assert_eq!(moved, i64::from(many));
        scene.all_read(many).await;
        scene.is_sound().await;
    })
    .await;
}

#[tokio::test]
async fn puts_and_a_rotation_at_once_leave_every_value_under_a_key_that_is_there() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        scene.fill(3).await;
        for round in 0..3 {
            let puts = futures_util::future::join_all((0..12).map(|n| {
                let (scene, path) = (&scene, format!("round/{round}/{n}"));
                async move { scene.put(&path, &path).await }
            }));
            let (_, rewrap) = tokio::join!(puts, scene.rotate());
            scene.domain().rewrap().await.unwrap();
            let end = scene.rewrap(rewrap.id).await;
            assert_eq!((end.state, end.done, end.skipped), (State::Done, end.total, 0));
            assert_eq!(scene.under().await.len(), 1, "one key is left");
            for n in 0..12 {
                let path = format!("round/{round}/{n}");
                assert_eq!(scene.read(scene.domain(), &path).await.unwrap(), path);
            }
        }
        scene.is_sound().await;
    })
    .await;
}

#[tokio::test]
async fn a_paused_rewrap_rests_and_a_resumed_one_ends() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        scene.fill(3).await;
        let rewrap = scene.rotate().await;
        let (domain, alice) = (scene.domain(), &scene.alice);
        let resumed = domain.resume_rewrap(&alice.op(), rewrap.id).await;
        assert!(matches!(resumed, Err(SwitchRewrapError::Is(State::Running))), "{resumed:?}");
        domain.pause_rewrap(&alice.op(), rewrap.id).await.unwrap();
        assert_eq!(domain.rewrap().await.unwrap(), 0);
        assert_eq!(domain.rewrap_batch(&rewrap).await.unwrap(), None, "a node that read it before stops too");
        assert_eq!(scene.rewrap(rewrap.id).await.done, 0);
        scene.all_read(3).await;
        domain.resume_rewrap(&alice.op(), rewrap.id).await.unwrap();
        domain.rewrap().await.unwrap();
        assert_eq!(scene.rewrap(rewrap.id).await.state, State::Done);
        let over = domain.pause_rewrap(&alice.op(), rewrap.id).await;
        assert!(matches!(over, Err(SwitchRewrapError::Is(State::Done))), "{over:?}");
        assert_eq!(scene.told("rewrap.pause").await.len() + scene.told("rewrap.resume").await.len(), 2);
        scene.is_sound().await;
    })
    .await;
}

#[tokio::test]
async fn data_keys_that_were_swapped_stay_where_they_are_and_keep_their_key() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        scene.fill(4).await;
        let rows = "SELECT v.id, v.wrapped_key FROM secret_versions v JOIN secrets s ON s.id = v.secret_id
                    WHERE s.path IN ('many/0', 'many/1') ORDER BY s.path";
        let mut conn = scene.house.store.read().await.unwrap();
        let pair: Vec<(String, Vec<u8>)> = sql(rows).all(&mut conn).await.unwrap();
        drop(conn);
        let set = |id: &str, key: &[u8]| {
            sql("UPDATE secret_versions SET wrapped_key = $1 WHERE id = $2").bind(key).bind(id)
        };
        scene.house.put(vec![set(&pair[0].0, &pair[1].1), set(&pair[1].0, &pair[0].1)]).await;
        let rewrap = scene.rotate().await;
        scene.domain().rewrap().await.unwrap();
        let end = scene.rewrap(rewrap.id).await;
        assert_eq!((end.state, end.done, end.skipped), (State::Done, 2, 2));
        let (old, new): (ProjectKeyId, ProjectKeyId) =
            (end.from_key.parse().unwrap(), end.to_key.parse().unwrap());
        assert_eq!(scene.under().await, BTreeMap::from([(old, 2), (new, 2)]), "the old key is kept");
        assert_eq!(scene.told("project-key.destroy").await.len(), 0);
        for path in ["many/0", "many/1"] {
            let read = scene.read(scene.domain(), path).await;
            assert!(
                matches!(read, Err(ReadSecretError::Refused(Refused::Fault(Fault::Damaged(_))))),
                "{read:?}"
            );
        }
        assert_eq!(scene.read(scene.domain(), "many/2").await.unwrap(), "many/2");

        // Put right by whoever has a copy, they read again, and the next rotation takes the rest along.
        scene.house.put(vec![set(&pair[0].0, &pair[0].1), set(&pair[1].0, &pair[1].1)]).await;
        scene.all_read(4).await;
    })
    .await;
}

#[tokio::test]
async fn a_destroyed_version_is_not_brought_back_by_a_rewrap() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let id = scene.put("many/0", "one").await;
        scene.put("many/0", "two").await;
        let rewrap = scene.rotate().await;
        scene.domain().destroy_secret_version(&scene.alice.op(), id, 1).await.unwrap();
        scene.domain().rewrap().await.unwrap();
        let end = scene.rewrap(rewrap.id).await;
        assert_eq!((end.state, end.total, end.done), (State::Done, 2, 1));
        assert_eq!(scene.under().await.len(), 1);
        scene.is_sound().await;
    })
    .await;
}

#[tokio::test]
async fn who_may_not_rotate_is_refused_and_strangers_find_nothing() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let id = scene.put("a", "x").await;
        let victor = scene.house.person("Victor", &[(Role::Viewer, Some(scene.pay.id))]).await;
        let other = scene.house.project("other").await;
        let mallory = scene.house.person("Mallory", &[(Role::Manager, Some(other.id))]).await;
        let domain = scene.domain();
        let before = scene.house.rows().await;
        let refused = domain.rotate_project_key(&victor.op(), scene.pay.id).await.unwrap_err();
        assert!(matches!(refused, RotateProjectKeyError::Refused(Refused::Forbidden(_))), "{refused}");
        let refused = domain.rotate_project_key(&mallory.op(), scene.pay.id).await.unwrap_err();
        assert!(matches!(refused, RotateProjectKeyError::Refused(Refused::NotFound)), "{refused}");
        let refused = domain.rotate_project_key(&mallory.op(), other.id).await.unwrap_err();
        assert!(matches!(refused, RotateProjectKeyError::NoKey), "{refused}");
        let refused = domain.rotate_data_key(&victor.op(), id).await.unwrap_err();
        assert!(matches!(refused, RotateDataKeyError::Refused(Refused::Forbidden(_))), "{refused}");
        let refused = domain.rotate_data_key(&mallory.op(), id).await.unwrap_err();
        assert!(matches!(refused, RotateDataKeyError::Refused(Refused::NotFound)), "{refused}");
        let tired = scene.alice.without_step_up();
        let refused = domain.rotate_project_key(&tired.op(), scene.pay.id).await.unwrap_err();
        assert!(matches!(refused, RotateProjectKeyError::Refused(Refused::StepUp)), "{refused}");
        assert_eq!(scene.house.rows().await, before);

        let rewrap = scene.rotate().await;
        assert!(matches!(domain.find_rewrap(&mallory.op(), rewrap.id).await, Err(Refused::NotFound)));
        let paused = domain.pause_rewrap(&mallory.op(), rewrap.id).await;
        assert!(matches!(paused, Err(SwitchRewrapError::Refused(Refused::NotFound))), "{paused:?}");
        let paused = domain.pause_rewrap(&victor.op(), rewrap.id).await;
        assert!(matches!(paused, Err(SwitchRewrapError::Refused(Refused::Forbidden(_)))), "{paused:?}");
        assert!(matches!(domain.rewraps(&scene.alice.op()).await, Err(Refused::Forbidden(_))));
    })
    .await;
}

#[tokio::test]
async fn a_new_data_key_is_a_new_version_of_the_same_value() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let id = scene.put("a", "hunter2").await;
        let domain = scene.domain();
        let seen = Op { seen: Some(99), ..scene.alice.op() };
        let stale = domain.rotate_data_key(&seen, id).await;
        assert!(matches!(stale, Err(RotateDataKeyError::Refused(Refused::Stale))), "{stale:?}");
        let op = scene.alice.op_once("data-key-once", &[b"rotate"]);
        let made = domain.rotate_data_key(&op, id).await.unwrap();
        assert_eq!(made.number, 2);
        let again = scene.alice.op_once("data-key-once", &[b"rotate"]);
        assert_eq!(domain.rotate_data_key(&again, id).await.unwrap(), made, "it is done once");
        assert_eq!(scene.read(domain, "a").await.unwrap(), "hunter2");
        let told = scene.told("secret.rotate-data-key").await;
        assert_eq!(told.len(), 1);
        assert!(!told[0].to_string().contains("hunter2"));
        let mut conn = scene.house.store.read().await.unwrap();
        let rows: Vec<(Vec<u8>, Vec<u8>)> =
            sql("SELECT wrapped_key, fingerprint FROM secret_versions ORDER BY number")
                .all(&mut conn)
                .await
                .unwrap();
        drop(conn);
        assert!(rows[0].0 != rows[1].0 && rows[0].1 == rows[1].1);
        domain.disable_secret_version(&scene.alice.op(), id, 2).await.unwrap();
        let shut = domain.rotate_data_key(&scene.alice.op(), id).await;
        assert!(matches!(shut, Err(RotateDataKeyError::NoCurrent)), "{shut:?}");
        domain.delete_secret(&scene.alice.op(), &Address::Id(id), None).await.unwrap();
        let deleted = domain.rotate_data_key(&scene.alice.op(), id).await;
        assert!(matches!(deleted, Err(RotateDataKeyError::Deleted)), "{deleted:?}");
        scene.is_sound().await;
    })
    .await;
}

/// A node of its own, with its own keys in memory.
async fn node(scene: &Scene) -> Domain {
    let clock = Arc::clone(&scene.house.clock);
    let keyring =
        Arc::new(Keyring::new(Duration::from_mins(5), move || crate::env::Clock::monotonic(&*clock)));
    let (env, settings) = (scene.domain().env().clone(), scene.domain().settings().clone());
    let domain = Domain::new(scene.house.store.clone(), keyring, env, settings).unwrap();
    domain.unseal(&scene.seals).await.unwrap();
    domain
}

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
