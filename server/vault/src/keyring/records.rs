//! The keyring's rows, as the domain carries them to and from the store.

use chrono::{DateTime, Utc};
use keywarden_model::KeyringKeyId;

use super::Purpose;
use crate::seal::{Protection, SealId, SealKind};

/// A key of the keyring, without its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRecord {
    /// Its id; stored beside every tag and inside every envelope it made.
    pub id: KeyringKeyId,
    /// What it is for.
    pub purpose: Purpose,
    /// The newest key that is not retired serves new values.
    pub created_at: DateTime<Utc>,
    /// From then on it only verifies and opens.
    pub retired_at: Option<DateTime<Utc>>,
    /// Envelopes it sealed, as far as recorded; see [`crate::Keyring::take_uses`].
    pub uses: u64,
}

/// One key's bytes under one seal. A key has a row for each seal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrapRecord {
    /// The wrapped key.
    pub key_id: KeyringKeyId,
    /// The seal that unwraps it.
    pub seal_id: SealId,
    /// How it is wrapped: [`crate::seal::ALGORITHM`].
    pub algorithm: String,
    /// What [`crate::Seal::wrap`] answered.
    pub wrapped: Vec<u8>,
}

/// A seal that the keyring is wrapped under.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealRecord {
    /// Its id.
    pub id: SealId,
    /// What it is.
    pub kind: SealKind,
    /// Its name for people.
    pub label: String,
    /// How well it keeps its key.
    pub protection: Protection,
    /// Since when.
    pub added_at: DateTime<Utc>,
}

/// Why a seal may not be removed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RemoveSealError {
    /// Without it nothing could be unwrapped any more.
    #[error("`{0}` is the last seal: add another one first")]
    Last(SealId),
    /// It wraps nothing.
    #[error("`{0}` is not a seal of this keyring")]
    Unknown(SealId),
    /// A key would be lost.
    #[error("key `{key}` is wrapped by `{seal}` only: add another seal first")]
    WouldLose {
        /// The key.
        key: KeyringKeyId,
        /// The seal to be removed.
        seal: SealId,
    },
}

/// Whether every key can still be unwrapped after `seal`'s wraps are deleted. Ask it in the transaction that
/// deletes them.
pub fn may_remove_seal(
    records: &[KeyRecord],
    wraps: &[WrapRecord],
    seal: &SealId,
) -> Result<(), RemoveSealError> {
    if !wraps.iter().any(|wrap| wrap.seal_id == *seal) {
        return Err(RemoveSealError::Unknown(seal.clone()));
    }
    if wraps.iter().all(|wrap| wrap.seal_id == *seal) {
        return Err(RemoveSealError::Last(seal.clone()));
    }
    let kept = |id| wraps.iter().any(|wrap| wrap.key_id == id && wrap.seal_id != *seal);
    match records.iter().find(|record| !kept(record.id)) {
        Some(record) => Err(RemoveSealError::WouldLose { key: record.id, seal: seal.clone() }),
        None => Ok(()),
    }
}
