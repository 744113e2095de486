//! A key of the keyring under a seal, and back.

use std::sync::Arc;

use keywarden_model::KeyringKeyId;
use rand::CryptoRng;
use subtle::ConstantTimeEq;

use super::ring::{Key, Uses};
use super::{KeyRecord, Purpose, UnsealError, WrapError, WrapRecord};
use crate::envelope::frame;
use crate::seal::{ALGORITHM, Seal, SealError, SealId};
use crate::secret::SecretBytes;

/// What a wrap is bound to.
pub(super) fn wrap_context(id: KeyringKeyId, purpose: Purpose) -> Vec<u8> {
    frame(&[b"keyring-key", purpose.name().as_bytes(), id.to_string().as_bytes()])
}

pub(super) fn wrap(
    key_id: KeyringKeyId,
    purpose: Purpose,
    secret: &SecretBytes,
    seal: &dyn Seal,
    rng: &mut dyn CryptoRng,
) -> Result<WrapRecord, WrapError> {
    let seal_id = seal.describe().id.clone();
    let failed = |source| WrapError::Seal { seal: seal_id.clone(), source };
    let context = wrap_context(key_id, purpose);
    let wrapped = seal.wrap(&context, secret, rng).map_err(failed)?;
    let again = seal.unwrap(&context, &wrapped).map_err(failed)?;
    if !bool::from(again.expose().ct_eq(secret.expose())) {
        return Err(WrapError::NotTheSame(seal_id));
    }
    Ok(WrapRecord { key_id, seal_id, algorithm: ALGORITHM.to_owned(), wrapped })
}

/// Whether a seal unwraps at least one of these wraps, which bear its id: another seal may have its name. Blocks.
pub fn unwraps_one(seal: &dyn Seal, keys: &[KeyRecord], wraps: &[WrapRecord]) -> Result<bool, WrapError> {
    for wrap in wraps {
        let Some(key) = keys.iter().find(|key| key.id == wrap.key_id) else { continue };
        match seal.unwrap(&wrap_context(key.id, key.purpose), &wrap.wrapped) {
            Ok(_) => return Ok(true),
            Err(error) if error.is_about_the_bytes() => {}
            Err(source) => return Err(WrapError::Seal { seal: seal.describe().id.clone(), source }),
        }
    }
    Ok(false)
}

pub(super) fn unwrap(
    record: &KeyRecord,
    wraps: &[WrapRecord],
    seals: &[Arc<dyn Seal>],
    silent: &mut Vec<(SealId, SealError)>,
    uses: &Arc<Uses>,
) -> Result<Key, UnsealError> {
    let mut last = UnsealError::NotWrapped(record.id);
    for seal in seals {
        let seal_id = &seal.describe().id;
        let Some(wrap) = wraps.iter().find(|wrap| wrap.key_id == record.id && wrap.seal_id == *seal_id)
        else {
            continue;
        };
        let answer = match silent.iter().find(|(id, _)| id == seal_id) {
            Some((_, error)) => Err(error.clone()),
            None if wrap.algorithm != ALGORITHM => Err(SealError::UnknownFormat),
            None => seal.unwrap(&wrap_context(record.id, record.purpose), &wrap.wrapped),
        };
        let key = |secret| Key::new(record, secret, Arc::clone(uses)).map_err(|_| SealError::UnknownFormat);
        match answer.and_then(key) {
            Ok(key) => return Ok(key),
            Err(source) => {
                if !source.is_about_the_bytes() && !silent.iter().any(|(id, _)| id == seal_id) {
                    silent.push((seal_id.clone(), source.clone()));
                }
                last = UnsealError::NotUnwrapped { key: record.id, seal: seal_id.clone(), source };
            }
        }
    }
    Err(last)
}
