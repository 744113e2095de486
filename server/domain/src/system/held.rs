//! Which keys of the keyring the running nodes have: what one of them writes, the others must be able to read.

use keywarden_model::{KeyringKeyId, time::earlier};
use keywarden_store::node;
use keywarden_vault::Purpose;

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
        let since = earlier(self.env().now(), GONE);
        let nodes = node::list(&mut self.store().read().await?, since).await?;
        Ok(Held(nodes.into_iter().map(|node| node.holds).collect()))
    }

    /// The newest key of a purpose that all nodes have who answer: under it new values are hashed. After a rotation that is
    /// the old one for some seconds, or for as long as a node cannot take in the new one.
    pub(crate) async fn shared_key(&self, purpose: Purpose) -> Result<KeyringKeyId, Fault> {
        let keys = self.keyring().ids_of(purpose)?;
        if let [only] = keys.as_slice() {
            return Ok(*only);
        }
        let held = self.held().await?;
        match keys.into_iter().find(|key| held.by_all_who_answer(*key)) {
            Some(key) => Ok(key),
            None => Ok(self.keyring().newest(purpose)?),
        }
    }
}
