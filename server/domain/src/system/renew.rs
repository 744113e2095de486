//! Keys of the keyring that have sealed half of what they may: the clock gives their purpose a new one, as an operator would.
//!
//! A key that is used up seals nothing more, so that nothing could be written under its purpose until somebody rotates. A new key
//! lies under the seals that this server was started with. Others, a recovery key in a safe, lack it until they are added again,
//! and are then no way back to what lies under it: while such a seal is there, an operator is asked first, by the log and by
//! `keywarden doctor`, and the clock waits until three quarters. A node that was started with none of these seals could not
//! open the new key at all: while one runs, it is left to people.

use std::sync::Arc;

use keywarden_model::time::earlier;
use keywarden_store::node::{self, NodeRow};
use keywarden_vault::keyring::{RENEW_AT, URGENT_AT};
use keywarden_vault::{KeyRecord, Purpose, Seal};

use super::node::GONE;
use super::records::Records;
use super::seals::{RotateError, Rotated};
use crate::{Domain, Fault, Op, Refused};

impl Domain {
    /// Gives each purpose whose key is half used up a new one; says how many. Fails where one cannot be made, after all that can
    /// be.
    pub async fn renew_keyring_keys(&self, op: &Op) -> Result<u64, Fault> {
        let mut conn = self.store().read().await?;
        let records = Records::load(&mut conn).await?;
        let nodes = node::list(&mut conn, earlier(op.now, GONE)).await?;
        drop(conn);
        let (mut renewed, mut stuck) = (0_u64, Vec::new());
        for key in due(&records.keys) {
            let why = match hindrance(&records, &nodes, &self.settings().seals, key) {
                Some(why) => why,
                None => match self.renew(op, key).await {
                    Ok(new) => {
                        tracing::warn!(
                            purpose = %key.purpose,
                            old = %key.id,
                            new = %new.key,
                            "a key of the keyring was half used up and has a new one; `keywarden seal list` names seals that lack it"
                        );
                        renewed = renewed.saturating_add(1);
                        continue;
                    }
                    // Another node was faster, or what lay under the key before is not brought over yet.
                    Err(RotateError::Changed | RotateError::UnderWay) => continue,
                    Err(RotateError::Refused(Refused::Fault(fault))) => return Err(fault),
                    Err(cause) => cause.to_string(),
                },
            };
            let (purpose, uses) = (key.purpose, key.uses);
            stuck.push(format!(
                "the key for `{purpose}` has sealed {uses} envelopes and is not renewed: {why}"
            ));
        }
        if stuck.is_empty() { Ok(renewed) } else { Err(Fault::Unexpected(stuck.join("; "))) }
    }

    async fn renew(&self, op: &Op, key: &KeyRecord) -> Result<Rotated, RotateError> {
        let seals = &self.settings().seals;
        let mut rotation = self.new_key(op, key.purpose, seals).await?;
        rotation.renews = Some((key.id, key.uses));
        let rotated = self
            .change_unasked(op, "a key of the keyring that is half used up", &[], move |tx, record| {
                let rotation = rotation.clone();
                Box::pin(async move { rotation.write(tx, &record).await })
            })
            .await?;
        self.take_in_new_key(seals).await;
        Ok(rotated)
    }
}

/// The keys that serve new values and have sealed half of what they may.
fn due(keys: &[KeyRecord]) -> impl Iterator<Item = &KeyRecord> {
    let newest = move |purpose: Purpose| {
        let active = keys.iter().filter(move |key| key.purpose == purpose && key.retired_at.is_none());
        active.max_by_key(|key| (key.created_at, key.id))
    };
    Purpose::ALL.into_iter().filter_map(newest).filter(|key| key.uses >= RENEW_AT)
}

/// Why an operator has to do it, or to be waited for.
fn hindrance(records: &Records, nodes: &[NodeRow], own: &[Arc<dyn Seal>], key: &KeyRecord) -> Option<String> {
    let is_own = |id: &str| own.iter().any(|seal| seal.describe().id.as_str() == id);
    if let Some(node) = nodes.iter().find(|node| !node.unseals_by.lines().any(is_own)) {
        return Some(format!(
            "the node `{}` was started with another seal, which would lack the new key: `keywarden keyring rotate {}`, then \
             `keywarden seal add` for that seal",
            node.name, key.purpose
        ));
    }
    let elsewhere = records.seals.iter().find(|seal| !is_own(seal.id.as_str()))?;
    (key.uses < URGENT_AT).then(|| {
        format!(
            "the seal `{}` is not at hand here and would lack the new key: `keywarden keyring rotate {}`, then `keywarden seal \
             add` for that seal. At {URGENT_AT} envelopes it is renewed all the same",
            elsewhere.id, key.purpose
        )
    })
}
