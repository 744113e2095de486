//! Which keys of the keyring the running nodes have: what one of them writes, the others must be able to read. What is sealed
//! under a new key all the same (a session) is read by a node that lacks it as soon as it has taken the key in, which it does
//! at once when it meets one.

use std::time::Duration;

use chrono::{DateTime, Utc};
use keywarden_model::{KeyringKeyId, time::earlier};
use keywarden_store::{Conn, node};
use keywarden_vault::{Keyring, Purpose};
use tokio::sync::Notify;
use tokio::time::timeout;

use super::node::GONE;
use crate::{Domain, Fault};

/// How long a request waits for a key that another node has made.
const SOON: Duration = Duration::from_secs(1);

/// Keys that were met here and are not in memory.
#[derive(Debug, Default)]
pub(crate) struct Missing {
    met: Notify,
    taken_in: Notify,
}

/// What each running node told that it has in memory.
#[derive(Debug)]
pub(crate) struct Held(Vec<String>);

impl Held {
    /// Whether every node has this key.
    pub(crate) fn by_every_node(&self, key: KeyringKeyId) -> bool {
        let key = key.to_string();
        self.0.iter().all(|node| has(node, &key))
    }

    /// Whether every node has it that has any. A sealed one answers nothing, and takes in all keys when it unseals.
    pub(crate) fn by_all_who_answer(&self, key: KeyringKeyId) -> bool {
        let key = key.to_string();
        self.0.iter().filter(|node| !node.is_empty()).all(|node| has(node, &key))
    }
}

fn has(node: &str, key: &str) -> bool {
    node.split(' ').any(|held| held == key)
}

impl Domain {
    /// Returns once something was met here whose key another node has made: take the keyring's keys in, and tell.
    pub async fn key_is_missing(&self) {
        self.missing().met.notified().await;
    }

    /// Tells whoever waits for a key that those which are there were taken in.
    pub fn keys_were_taken_in(&self) {
        self.missing().taken_in.notify_waiters();
    }

    /// What `open` finds; where its key is missing, what it finds once more when the keys were taken in, or in a second.
    pub(crate) async fn opened_soon<T>(&self, open: impl Fn() -> Result<T, Fault>) -> Result<T, Fault> {
        let taken_in = self.missing().taken_in.notified();
        match open() {
            Err(Fault::KeyAway(_)) => {
                self.missing().met.notify_one();
                let _late = timeout(SOON, taken_in).await;
                open()
            }
            opened => opened,
        }
    }

    /// Which keys the running nodes have.
    pub(crate) async fn held(&self) -> Result<Held, Fault> {
        let now = self.env().now();
        held(&mut self.store().read().await?, now).await
    }

    /// As [`shared_key`], outside a write.
    pub(crate) async fn shared_key(&self, purpose: Purpose) -> Result<KeyringKeyId, Fault> {
        if let [only] = self.keyring().ids_of(purpose)?.as_slice() {
            return Ok(*only);
        }
        let now = self.env().now();
        shared_key(&mut self.store().read().await?, self.keyring(), purpose, now).await
    }
}

/// The newest key of a purpose that all nodes have who answer: under it new values are hashed. After a rotation that is
/// the old one for some seconds, or for as long as a node cannot take in the new one.
pub(crate) async fn shared_key(
    conn: &mut Conn,
    keyring: &Keyring,
    purpose: Purpose,
    now: DateTime<Utc>,
) -> Result<KeyringKeyId, Fault> {
    let keys = keyring.ids_of(purpose)?;
    if let [only] = keys.as_slice() {
        return Ok(*only);
    }
    let held = held(conn, now).await?;
    match keys.into_iter().find(|key| held.by_all_who_answer(*key)) {
        Some(key) => Ok(key),
        None => Ok(keyring.newest(purpose)?),
    }
}

async fn held(conn: &mut Conn, now: DateTime<Utc>) -> Result<Held, Fault> {
    let nodes = node::list(conn, earlier(now, GONE)).await?;
    Ok(Held(nodes.into_iter().map(|node| node.holds).collect()))
}
