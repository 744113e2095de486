//! Seals of projects on both engines: whoever keeps the token decides, nobody else's work stops, and no key is left behind.

mod naming;
mod offering;
mod reading;
mod rotating;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use keywarden_model::{Role, SecretId, SecretKind};
use keywarden_store::event;
use keywarden_vault::{Seal, SealId, SecretBytes};

use crate::cast::{House, Player, Stage};
use crate::keys::Place;
use crate::project_seals::NameSealError;
use crate::secrets::{About, Address, NewValue, PutError, PutSecret, ReadSecretError, Validity, Which};
use crate::{Domain, Fault, Op, Refused};

/// A house with two projects and two seals that projects may name; `pay` has a manager, all has an owner.
struct Scene {
    house: House,
    seals: Vec<Arc<dyn Seal>>,
    pay: Stage,
    mail: Stage,
    alice: Player,
}

impl Scene {
    async fn set(house: House) -> Self {
        let (house, seals) = house.with_project_seals(&["acme", "zeta"]).await;
        let (pay, mail) = (house.project("pay").await, house.project("mail").await);
        let alice = house.person("Alice", &[(Role::Owner, None)]).await;
        let scene = Self { house, seals, pay, mail, alice };
        for name in ["acme", "zeta"] {
            scene.domain().offer_seal(&scene.op(), &seal(name)).await.unwrap();
        }
        scene
    }

    fn domain(&self) -> &Domain {
        &self.house.domain
    }

    fn op(&self) -> Op {
        self.alice.steps_up().op()
    }

    async fn name(&self, at: &Stage, name: Option<&str>) -> Result<usize, NameSealError> {
        let id = name.map(seal);
        let named = self.domain().name_project_seal(&self.op(), at.id, id.as_ref()).await?;
        assert_eq!(named.seal, id);
        Ok(named.keys)
    }

    async fn try_put(&self, at: &Stage, path: &str, text: &str) -> Result<SecretId, PutError> {
        let put = PutSecret {
            value: NewValue::new(SecretKind::Text, None, SecretBytes::copy_of(text.as_bytes())).unwrap(),
            label: None,
            expected: None,
            validity: Validity::default(),
            about: About::default(),
        };
        let place = Place::Environment(at.live);
        Ok(self.domain().put_secret(&self.op(), &place, &path.parse().unwrap(), put).await?.id)
    }

    async fn put(&self, at: &Stage, path: &str, text: &str) -> SecretId {
        self.try_put(at, path, text).await.unwrap()
    }

    async fn read_by(&self, node: &Domain, at: &Stage, path: &str) -> Result<String, ReadSecretError> {
        let address = Address::Path { place: Place::Environment(at.live), path: path.parse().unwrap() };
        let revealed = node.read_secret(&self.op(), &address, &Which::default()).await?;
        Ok(String::from_utf8(revealed.value.expose().to_vec()).unwrap())
    }

    async fn read(&self, at: &Stage, path: &str) -> Result<String, ReadSecretError> {
        self.read_by(self.domain(), at, path).await
    }

    fn file(&self, name: &str) -> PathBuf {
        self.house.folder().join(name)
    }

    async fn take_away(&self, name: &str) {
        std::fs::rename(self.file(name), self.file("hidden")).unwrap();
        self.domain().observe_project_seals().await;
    }

    async fn bring_back(&self, name: &str) {
        std::fs::rename(self.file("hidden"), self.file(name)).unwrap();
        self.domain().observe_project_seals().await;
    }

    fn grace_passes(&self) {
        self.house.clock.advance(Duration::from_mins(5));
    }

    async fn told(&self, action: &str) -> Vec<serde_json::Value> {
        let mut conn = self.house.store.read().await.unwrap();
        let filter = event::Filter { action: Some(action.into()), ..Default::default() };
        let found = event::list(&mut conn, &filter, 200).await.unwrap();
        found.iter().map(|it| serde_json::from_slice(&it.bytes).unwrap()).collect()
    }

    /// Nothing is wrong with keys, seals and secrets; what could not be opened for want of a seal is given.
    async fn is_sound(&self) -> Vec<String> {
        let found = self.domain().fsck(&self.seals).await.unwrap();
        // The cast's own rows have no events.
        let ours = found.findings.iter().filter(|it| {
            ["rewrap", "project-", "keyring", "secret", "sealed", "wrap", "offered"]
                .iter()
                .any(|noun| it.check.starts_with(noun))
                && it.check != "project-without-event"
        });
        assert_eq!(ours.collect::<Vec<_>>(), Vec::<&crate::fsck::Finding>::new());
        found.apart
    }
}

fn seal(name: &str) -> SealId {
    format!("software:{name}").parse().unwrap()
}

/// The seal that a fault names.
fn sealed_by(refused: &Refused) -> Option<&str> {
    match refused {
        Refused::Fault(Fault::ProjectSealed { seal, .. }) => Some(seal),
        _ => None,
    }
}

fn unread(read: &Result<String, ReadSecretError>) -> Option<&str> {
    match read {
        Err(ReadSecretError::Refused(refused)) => sealed_by(refused),
        _ => None,
    }
}
