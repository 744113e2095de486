//! Keys on their way through a backup: out of one keyring for recovery recipients, and under the seals found elsewhere.

use std::sync::Arc;

use keywarden_model::{KeyringKeyId, RecipientId};
use rand::CryptoRng;

use super::wraps::{wrap, wrap_context};
use super::{Keyring, Purpose, Sealed, WrapError, WrapRecord};
use crate::recovery::{Recipient, RecoveryKey};
use crate::seal::Seal;
use crate::secret::SecretBytes;

const PURPOSE: &str = "keywarden/recovery-wrap/1";

/// One key's bytes, sealed for one recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecoveryWrap {
    /// The key.
    pub key_id: KeyringKeyId,
    /// Whose recovery key opens it.
    pub recipient: RecipientId,
    /// What [`Recipient::seal`] answered.
    pub wrapped: Vec<u8>,
}

/// Why a key did not come out of a backup.
#[derive(Debug, thiserror::Error)]
pub enum RecoverError {
    /// The recovery key does not open it.
    #[error("the recovery key does not open the keyring's key `{0}`")]
    Closed(KeyringKeyId),
    /// It is not there.
    #[error("the backup holds no wrap of the keyring's key `{0}` for this recovery key")]
    Missing(KeyringKeyId),
    /// A seal did not wrap it.
    #[error(transparent)]
    Wrap(#[from] WrapError),
}

impl Keyring {
    /// Every key in memory, sealed for each of these recipients.
    pub fn wrap_for(
        &self,
        recipients: &[Recipient],
        rng: &mut dyn CryptoRng,
    ) -> Result<Vec<RecoveryWrap>, Sealed> {
        let held = self.ring()?;
        let mut wraps = Vec::new();
        for key in held.keys() {
            let context = wrap_context(key.id, key.purpose);
            for recipient in recipients {
                let wrapped = recipient.seal(PURPOSE, &context, &key.secret, rng);
                wraps.extend(wrapped.map(|wrapped| RecoveryWrap {
                    key_id: key.id,
                    recipient: recipient.id(),
                    wrapped,
                }));
            }
        }
        Ok(wraps)
    }
}

/// Takes each key out of `wraps` and wraps it under every one of `seals`.
pub fn rewrap(
    keys: &[(KeyringKeyId, Purpose)],
    wraps: &[RecoveryWrap],
    key: &RecoveryKey,
    seals: &[Arc<dyn Seal>],
    rng: &mut dyn CryptoRng,
) -> Result<Vec<WrapRecord>, RecoverError> {
    if seals.is_empty() {
        return Err(WrapError::NoSeal.into());
    }
    let mut rewrapped = Vec::with_capacity(keys.len().saturating_mul(seals.len()));
    for (id, purpose) in keys {
        let secret = recover(*id, *purpose, wraps, key)?;
        for seal in seals {
            rewrapped.push(wrap(*id, *purpose, &secret, &**seal, rng)?);
        }
    }
    Ok(rewrapped)
}

/// Whether the recovery key opens each key's wrap.
pub fn opens(
    keys: &[(KeyringKeyId, Purpose)],
    wraps: &[RecoveryWrap],
    key: &RecoveryKey,
) -> Result<(), RecoverError> {
    keys.iter().try_for_each(|(id, purpose)| recover(*id, *purpose, wraps, key).map(drop))
}

fn recover(
    id: KeyringKeyId,
    purpose: Purpose,
    wraps: &[RecoveryWrap],
    key: &RecoveryKey,
) -> Result<SecretBytes, RecoverError> {
    let own = key.recipient().id();
    let found = wraps.iter().find(|wrap| wrap.key_id == id && wrap.recipient == own);
    let found = found.ok_or(RecoverError::Missing(id))?;
    let secret = key.open(PURPOSE, &wrap_context(id, purpose), &found.wrapped);
    secret.map_err(|_| RecoverError::Closed(id))
}
