//! Old keys of this server's seals: destroyed by the clock, a while after a rotation took their place.
//!
//! Nothing in the records needs such a key. What may need it are copies of the records from before the rotation, a dump or a
//! disk's image, when one is put back beside the same HSM; so it stays for as long as the operator says
//! ([`Settings::old_seal_keys`](crate::Settings)), counted from the last rewrap that left it. Files that `keywarden backup`
//! writes need no key of a seal: they are wrapped to their recipients, and a restore wraps the keyring anew.
//!
//! A node that lost its memory unwraps what the records say now, so that no other node needs what these do not name. What
//! is in use after all, because older records were put back, is found in use, and stays. A key of which no rewrap tells is
//! left to people, and so is every old key of a seal that projects name: backups do need those.
//!
//! It is the operator who says that no other house is on the same token, by saying how long such keys stay; nobody else can
//! know. Rewraps from before a restore tell of the keys of the house that was backed up, which may go on: they count for
//! nothing here.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use keywarden_model::{
    RewrapId,
    time::{from_micros, later},
};
use keywarden_store::rewraps;
use keywarden_vault::{KeyNumber, Seal, SealId};
use tokio::task::spawn_blocking;

use super::seal_keys::{DestroySealKeyError, end_of_key};
use super::unseal::cut_off;
use crate::rewraps::Kind;
use crate::{Domain, Fault, Op, Refused};

/// The end of an old key.
#[derive(Debug, Clone, Copy)]
pub(super) struct End {
    /// When.
    pub(super) at: DateTime<Utc>,
    /// The rewrap that left it.
    rewrap: RewrapId,
}

impl Domain {
    /// When each key of a seal that was left by a rewrap is destroyed by itself; none where the operator keeps them.
    pub(super) async fn ends_of_keys(&self, seal: &SealId) -> Result<BTreeMap<KeyNumber, End>, Fault> {
        let Some(stay) = self.settings().old_seal_keys else { return Ok(BTreeMap::new()) };
        let stay = TimeDelta::from_std(stay).unwrap_or(TimeDelta::MAX);
        let mut conn = self.store().read().await?;
        let ended = rewraps::ended(&mut conn, Kind::KeyringKeys.name(), seal.as_str()).await?;
        // A key that was left twice is as old as the last time.
        let end =
            |row: &rewraps::ReplacedRow| End { at: later(from_micros(row.ended_at), stay), rewrap: row.id };
        Ok(ended.iter().filter_map(|row| Some((row.from_key.parse().ok()?, end(row)))).collect())
    }

    /// Destroys the keys of this server's seals whose time is over; says how many. A seal that is away keeps them until it is
    /// back.
    pub async fn destroy_old_seal_keys(&self, op: &Op) -> Result<u64, Fault> {
        let mut gone = 0_u64;
        for seal in &self.settings().seals {
            let mut ends = self.ends_of_keys(&seal.describe().id).await?;
            ends.retain(|_, end| end.at <= op.now);
            if ends.is_empty() {
                continue;
            }
            let Some(alone) = self.turn_at_seals().await? else { return Ok(gone) };
            let ended = self.destroy_those(op, seal, &ends).await;
            alone.end().await;
            gone = gone.saturating_add(ended?);
        }
        Ok(gone)
    }

    async fn destroy_those(
        &self,
        op: &Op,
        seal: &Arc<dyn Seal>,
        ends: &BTreeMap<KeyNumber, End>,
    ) -> Result<u64, Fault> {
        let (id, asked) = (seal.describe().id.clone(), Arc::clone(seal));
        let numbers = match spawn_blocking(move || asked.keys()).await.map_err(cut_off)? {
            Ok(numbers) => numbers,
            Err(cause) => {
                tracing::debug!(seal = %id, %cause, "domain.system.old_keys: it does not tell its keys now");
                return Ok(0);
            }
        };
        let mut gone = 0_u64;
        let newest = numbers.last().copied();
        for number in numbers.into_iter().filter(|number| Some(*number) != newest) {
            let Some(end) = ends.get(&number) else { continue };
            match self.destroy_old(op, seal, number, end.rewrap).await {
                Ok(()) => gone = gone.saturating_add(1),
                Err(DestroySealKeyError::Refused(Refused::Fault(fault))) => return Err(fault),
                Err(cause) => tracing::warn!(seal = %id, %cause, "an old key of a seal stays"),
            }
        }
        Ok(gone)
    }

    async fn destroy_old(
        &self,
        op: &Op,
        own: &Arc<dyn Seal>,
        number: KeyNumber,
        rewrap: RewrapId,
    ) -> Result<(), DestroySealKeyError> {
        let id = own.describe().id.clone();
        let told = self.change_unasked(op, "a seal's old key whose time is over", &[], move |tx, record| {
            let seal = id.clone();
            Box::pin(async move { end_of_key(tx, &record, &seal, number, Some(rewrap)).await })
        });
        told.await?;
        self.end_in_seal(op, Arc::clone(own), number).await
    }
}
