//! Secrets on both engines: what is put comes back, to whom it may, for as long as it may.

mod access;
mod aliases;
mod as_of;
mod beside;
mod compare;
mod crowd;
mod deleted_version;
mod deliveries;
mod export;
mod fields;
mod held;
mod import;
mod lifecycle;
mod list;
mod longest;
mod making;
mod promote;
mod put;
mod readers;
mod reasons;
mod reuse;
mod shares;
mod tamper;
mod templates;
mod templates_around;
mod validity;
mod watch;

use keywarden_model::{Role, SecretId, SecretKind, SecretLabel, SecretPath};
use keywarden_vault::SecretBytes;

use super::{
    About, Address, As, Expected, NewValue, Put, PutError, PutSecret, ReadSecretError, Revealed, Validity,
    Which,
};
use crate::Op;
use crate::cast::{House, Player, Stage};
use crate::keys::Place;

/// A house with a project and its manager.
struct Scene {
    house: House,
    pay: Stage,
    alice: Player,
}

impl Scene {
    async fn set(house: House) -> Self {
        let pay = house.project("pay").await;
        let alice = house.person("Alice", &[(Role::Manager, Some(pay.id))]).await;
        Self { house, pay, alice }
    }

    fn live(&self) -> Place {
        Place::Environment(self.pay.live)
    }

    fn address(&self, path: &str) -> Address {
        Address::Path { place: self.live(), path: path.parse().unwrap() }
    }

    async fn put_as(&self, op: &Op, path: &str, put: PutSecret) -> Result<Put, PutError> {
        let path: SecretPath = path.parse().unwrap();
        self.house.domain.put_secret(op, &self.live(), &path, put).await
    }

    /// Puts a text as Alice.
    async fn put(&self, path: &str, text: &str) -> Put {
        self.put_as(&self.alice.op(), path, of(text)).await.unwrap()
    }

    /// What a secret reads as, to Alice.
    async fn read(&self, path: &str, which: Which) -> Result<Revealed, ReadSecretError> {
        self.house.domain.read_secret(&self.alice.op(), &self.address(path), &which).await
    }

    /// The current text of a secret.
    async fn text(&self, path: &str) -> String {
        let revealed = self.read(path, Which::default()).await.unwrap();
        String::from_utf8(revealed.value.expose().to_vec()).unwrap()
    }

    /// Labels and versions, as `current=2`.
    async fn labels(&self, id: SecretId) -> Vec<String> {
        let view = self.house.domain.secret(&self.alice.op(), &Address::Id(id)).await.unwrap();
        view.labels.iter().map(|(label, number)| format!("{label}={number}")).collect()
    }

    /// The actions of a thing's events, alphabetical: the clock stands still, so that time says nothing.
    async fn events(&self, id: impl std::fmt::Display) -> Vec<String> {
        let mut conn = self.house.store.read().await.unwrap();
        let filter = keywarden_store::event::Filter { resource: Some(id.to_string()), ..Default::default() };
        let found = keywarden_store::event::list(&mut conn, &filter, 200).await.unwrap();
        let mut actions: Vec<_> = found.into_iter().map(|event| event.action).collect();
        actions.sort_unstable();
        actions
    }
}

fn value(kind: SecretKind, bytes: &[u8]) -> NewValue {
    NewValue::new(kind, None, SecretBytes::copy_of(bytes)).unwrap()
}

/// A text that becomes current.
fn of(text: &str) -> PutSecret {
    PutSecret {
        value: value(SecretKind::Text, text.as_bytes()),
        label: None,
        expected: None,
        validity: Validity::default(),
        about: About::default(),
    }
}

/// A template that becomes current.
fn template(text: &str) -> PutSecret {
    PutSecret { value: value(SecretKind::Text, text.as_bytes()).into_template().unwrap(), ..of("x") }
}

fn expecting(text: &str, expected: Expected) -> PutSecret {
    PutSecret { expected: Some(expected), ..of(text) }
}

fn labelled(text: &str, label: &str) -> PutSecret {
    PutSecret { label: Some(label.parse().unwrap()), ..of(text) }
}

fn label(text: &str) -> SecretLabel {
    text.parse().unwrap()
}
