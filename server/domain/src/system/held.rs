//! Which keys of the keyring the running nodes have: what one of them writes, the others must be able to read.

use chrono::{DateTime, Utc};
use keywarden_model::{KeyringKeyId, time::earlier};
use keywarden_store::{Conn, node};
use keywarden_vault::{Keyring, Purpose};

use super::node::GONE;
use crate::{Domain, Fault};

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
