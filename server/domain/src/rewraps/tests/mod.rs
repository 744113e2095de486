//! Rotations on both engines: everything reads at any moment, whoever dies, and nothing stays behind.

mod keyring;
mod old_keys;
mod project_key;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use keywarden_model::{ProjectKeyId, Role, SecretId, SecretKind};
use keywarden_store::event;
use keywarden_store::secrets::project_keys;
use keywarden_vault::{Keyring, Seal, SecretBytes};

use crate::cast::{House, Player, Stage};
use crate::keys::Place;
use crate::rewraps::Rewrap;
use crate::secrets::{About, Address, NewValue, PutSecret, ReadSecretError, Validity, Which};
use crate::{Domain, Op};

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
