//! The keys of a seal: a new one in the HSM, the keyring wrapped to it, the old one destroyed.
//!
//! A new key is made in the HSM first, outside of any transaction. Whoever dies behind that leaves a key that wraps nothing;
//! the next rotation takes that one. An old key is destroyed by a step of its own, never with the rotation: copies of the
//! records from before can only be unsealed by it. Somebody takes that step, or the clock does after a while (`old_keys`).

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use keywarden_model::RewrapId;
use keywarden_store::{Tx, Written, keyring, rewraps};
use keywarden_vault::keyring::WrapError;
use keywarden_vault::{KeyNumber, Seal, SealError, SealId, SecretString, WrapRecord, wrapped_by};
use tokio::task::spawn_blocking;

use super::key_end::{self, KeyStays};
use super::records::{Records, wrap_row};
use super::unseal::cut_off;
use crate::audit::Record;
use crate::authz::{Action, Resource};
use crate::once::words;
use crate::refused::carries_refused;
use crate::rewraps::Kind;
use crate::{Domain, Op, Refused, Repeatable};

/// The keys of a seal of this server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealKeys {
    /// Which seal.
    pub seal: SealId,
    /// Its keys, the newest last, each with the number of keyring keys that it wraps; or why the HSM does not tell.
    pub keys: Result<Vec<(KeyNumber, usize)>, SealError>,
    /// When an old one is destroyed by itself, if it is.
    pub ends: BTreeMap<KeyNumber, DateTime<Utc>>,
}

/// Why a seal got no new key.
#[derive(Debug, thiserror::Error)]
pub enum RotateSealError {
    /// Another key was made meanwhile.
    #[error("the keyring changed meanwhile: try again")]
    Changed,
    /// The gate, or ours.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The HSM did not make a key.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The server was started with another seal, or the keyring is not wrapped under it.
    #[error("`{0}` is no seal of this server that wraps the keyring")]
    Unknown(SealId),
    /// The HSM did not wrap.
    #[error(transparent)]
    Wrap(#[from] WrapError),
}
carries_refused!(RotateSealError);

/// Why no key of a seal was destroyed.
#[derive(Debug, thiserror::Error)]
pub enum DestroySealKeyError {
    /// A newer version made keys that this one does not know.
    #[error("a newer version of Keywarden has made keys that this one cannot judge: use that one")]
    NewerKeys,
    /// The gate, or ours.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The HSM did not destroy it.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// It may not go.
    #[error(transparent)]
    Stays(#[from] KeyStays),
    /// The server was started with another seal.
    #[error("`{0}` is no seal of this server")]
    Unknown(SealId),
}
carries_refused!(DestroySealKeyError);

/// A seal has a new key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RotatedSeal {
    /// Which seal.
    pub seal: SealId,
    /// The key that wraps the keyring now.
    pub number: KeyNumber,
    /// What was wrapped to it.
    pub rewrap: RewrapId,
}

impl Repeatable for RotatedSeal {
    fn thing(&self) -> String {
        format!("{} {} {}", self.number, self.rewrap, self.seal)
    }
    fn again(thing: &str, _: Option<SecretString>) -> Option<Self> {
        let [number, rewrap, seal] = words(thing)?;
        Some(Self { seal: seal.parse().ok()?, number: number.parse().ok()?, rewrap: rewrap.parse().ok()? })
    }
}

impl Domain {
    /// The keys of this server's seals, as the HSM tells them now.
    pub async fn seal_keys(&self, op: &Op) -> Result<Vec<SealKeys>, Refused> {
        let _permit = self.authorize(op, Action::ViewSystem, &Resource::Organization).await?;
        let records = Records::load(&mut self.store().read().await?).await?;
        let mut told = Vec::new();
        for seal in &self.settings().seals {
            let id = seal.describe().id.clone();
            let asked = Arc::clone(seal);
            let numbers = spawn_blocking(move || asked.keys()).await.map_err(cut_off)?;
            let keys: Result<Vec<_>, _> = numbers.map(|numbers| {
                numbers.into_iter().map(|number| (number, wrapped(&records, &id, number))).collect()
            });
            let mut ends = self.ends_of_keys(&id).await?;
            let all = keys.as_deref().unwrap_or_default();
            let newest = all.last().map(|(number, _)| *number);
            ends.retain(|number, _| newest != Some(*number) && all.contains(&(*number, 0)));
            let ends = ends.into_iter().map(|(number, end)| (number, end.at)).collect();
            told.push(SealKeys { seal: id, keys, ends });
        }
        Ok(told)
    }

    /// Makes a new key in a seal of this server and wraps the keyring to it. The old one stays in the HSM.
    pub async fn rotate_seal_key(&self, op: &Op, seal: &SealId) -> Result<RotatedSeal, RotateSealError> {
        let _permit = self.authorize(op, Action::ManageSeals, &Resource::Organization).await?;
        let own = self.own_seal(seal).ok_or_else(|| RotateSealError::Unknown(seal.clone()))?;
        // Until it is written down which key was made.
        let alone = self.turn_at_seals().await?.ok_or(RotateSealError::Changed)?;
        let rotated = self.rotate_in_turn(op, seal, own).await;
        // Also where it was refused: left to itself, the turn ends a while later.
        alone.end().await;
        rotated
    }

    async fn rotate_in_turn(
        &self,
        op: &Op,
        seal: &SealId,
        own: Arc<dyn Seal>,
    ) -> Result<RotatedSeal, RotateSealError> {
        let records = Records::load(&mut self.store().read().await?).await?;
        if !records.seals.iter().any(|it| it.id == *seal) {
            return Err(RotateSealError::Unknown(seal.clone()));
        }
        let before = newest_used(&records, seal);
        let (keyring, env) = (Arc::clone(self.keyring()), self.env().clone());
        let made = spawn_blocking(move || {
            let mut rng = env.fork();
            // One that wraps nothing yet is the half of a rotation that did not come to its end.
            let newest = own.keys()?.last().copied();
            // The next one would bear its number: two of one, once it is brought back.
            if let Some(number) = before.filter(|used| newest.is_some_and(|newest| newest < *used)) {
                return Err(SealError::KeyGone { seal: own.describe().label.clone(), number }.into());
            }
            if newest.is_none_or(|newest| before.is_none_or(|used| newest <= used)) {
                own.add_key(&mut rng)?;
            }
            Ok::<_, RotateSealError>(keyring.wrap_under(&*own, &mut rng)?)
        });
        let wraps: Arc<[WrapRecord]> = made.await.map_err(cut_off)??.into();
        let (seal, rewrap, by): (_, RewrapId, _) = (seal.clone(), self.fresh(op), op.actor.id());
        self.change(op, Action::ManageSeals, &Resource::Organization, &[], move |tx, record| {
            let (wraps, seal, by) = (Arc::clone(&wraps), seal.clone(), by.clone());
            Box::pin(async move {
                keyring::hold(tx).await?;
                let there = Records::load(tx).await?;
                let fits = |key| wraps.iter().any(|wrap| wrap.key_id == key);
                if there.unknown > 0 || !there.keys.iter().all(|key| fits(key.id)) {
                    return Err(RotateSealError::Changed);
                }
                let number = wraps.iter().filter_map(|wrap| wrapped_by(&wrap.wrapped)).max();
                let number = number.ok_or(RotateSealError::Changed)?;
                let mut keys = 0_i64;
                // A key that was destroyed meanwhile is not brought back.
                for wrap in wraps.iter().filter(|wrap| there.keys.iter().any(|key| key.id == wrap.key_id)) {
                    keyring::put_wrap(tx, &wrap_row(wrap)).await?;
                    keys = keys.saturating_add(1);
                }
                let row = rewraps::Insert {
                    id: rewrap,
                    kind: Kind::KeyringKeys.name(),
                    scope: seal.as_str(),
                    project: None,
                    from_key: &before.map_or_else(String::new, |before| before.to_string()),
                    to_key: &number.to_string(),
                    total: keys,
                    done: keys,
                    started_at: record.now(),
                    started_by: &by,
                    ended_at: Some(record.now()),
                };
                rewraps::insert(tx, &row).await?;
                let event = record
                    .event("seal.rotate-key", "seal", &seal)
                    .change("key", before, number)
                    .fact("keys", keys)
                    .fact("rewrap", rewrap);
                Ok(Written::new(RotatedSeal { seal, number, rewrap }, event.finish()?))
            })
        })
        .await
    }

    /// Destroys an old key of a seal of this server, in the HSM and for good, unless it still wraps a key of the keyring.
    /// Asked again about one that is gone, it says so.
    pub async fn destroy_seal_key(
        &self,
        op: &Op,
        seal: &SealId,
        number: KeyNumber,
    ) -> Result<(), DestroySealKeyError> {
        let _permit = self.authorize(op, Action::ManageSeals, &Resource::Organization).await?;
        let own = self.own_seal(seal).ok_or_else(|| DestroySealKeyError::Unknown(seal.clone()))?;
        let asked = Arc::clone(&own);
        let numbers = spawn_blocking(move || asked.keys()).await.map_err(cut_off)??;
        key_end::is_older(seal, &numbers, number)?;
        let id = seal.clone();
        let told = self.change(op, Action::ManageSeals, &Resource::Organization, &[], move |tx, record| {
            let seal = id.clone();
            Box::pin(async move { end_of_key(tx, &record, &seal, number, None).await })
        });
        told.await?;
        self.end_in_seal(op, own, number).await
    }

    /// What is told is done: whoever dies here, or an HSM that is away, leaves a key that may be destroyed again.
    pub(super) async fn end_in_seal(
        &self,
        op: &Op,
        own: Arc<dyn Seal>,
        number: KeyNumber,
    ) -> Result<(), DestroySealKeyError> {
        let seal = own.describe().id.clone();
        let destroyed = spawn_blocking(move || own.destroy_key(number)).await.map_err(cut_off)?;
        if let Err(cause) = destroyed {
            self.note_not_destroyed(op, &seal, number).await?;
            return Err(cause.into());
        }
        Ok(())
    }

    /// Tells the record that a key whose destruction was told is still there.
    pub(crate) async fn note_not_destroyed(
        &self,
        op: &Op,
        seal: &SealId,
        number: KeyNumber,
    ) -> Result<(), Refused> {
        let id = seal.clone();
        let told = self.change_unasked(op, "a key that the HSM did not destroy", &[], move |_, record| {
            let seal = id.clone();
            Box::pin(async move {
                let event = record.event("seal.destroy-key", "seal", &seal).fact("key", number);
                Ok::<_, Refused>(Written::new((), event.failed("hsm").finish()?))
            })
        });
        told.await
    }

    fn own_seal(&self, id: &SealId) -> Option<Arc<dyn Seal>> {
        self.settings().seals.iter().find(|seal| seal.describe().id == *id).map(Arc::clone)
    }
}

/// Tells that a key is destroyed, unless the keyring needs it.
pub(super) async fn end_of_key(
    tx: &mut Tx,
    record: &Record,
    seal: &SealId,
    number: KeyNumber,
    rewrap: Option<RewrapId>,
) -> Result<Written<()>, DestroySealKeyError> {
    keyring::hold(tx).await?;
    let there = Records::load(tx).await?;
    if there.unknown > 0 {
        return Err(DestroySealKeyError::NewerKeys);
    }
    let event = key_end::told(record, seal, number, wrapped(&there, seal, number))?;
    let event = match rewrap {
        Some(rewrap) => event.fact("rewrap", rewrap),
        None => event,
    };
    Ok(Written::new((), event.finish()?))
}

/// How many keys of the keyring a key of a seal wraps.
fn wrapped(records: &Records, seal: &SealId, number: KeyNumber) -> usize {
    let by = |wrap: &&WrapRecord| wrap.seal_id == *seal && wrapped_by(&wrap.wrapped) == Some(number);
    records.wraps.iter().filter(by).count()
}

/// The newest key of a seal that wraps something.
fn newest_used(records: &Records, seal: &SealId) -> Option<KeyNumber> {
    let wraps = records.wraps.iter().filter(|wrap| wrap.seal_id == *seal);
    wraps.filter_map(|wrap| wrapped_by(&wrap.wrapped)).max()
}
