//! The unwrapped keys.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use keywarden_model::KeyringKeyId;

use super::{KeyRecord, Purpose};
use crate::envelope::{EnvelopeKey, LengthError, frame};
use crate::mac::{MacKey, derive};
use crate::secret::SecretBytes;

/// Envelopes that a key of the keyring may seal: with random 96-bit nonces fewer than 2^32 (NIST SP 800-38D, 8.3).
pub const MAX_USES: u64 = (1 << 32) - 1;
/// From so many on a key is due to be renewed: half of [`MAX_USES`], so that there is time where that fails.
pub const RENEW_AT: u64 = 1 << 31;
/// From so many on it is urgent: three quarters.
pub const URGENT_AT: u64 = 3 << 30;

/// One unwrapped key. What it computes with is derived from its bytes for its purpose, so that a tag and an
/// envelope never share a key.
pub(super) struct Key {
    pub(super) id: KeyringKeyId,
    pub(super) purpose: Purpose,
    pub(super) secret: SecretBytes,
    mac: MacKey,
    pub(super) envelope: EnvelopeKey,
    uses: Arc<Uses>,
}

/// How many envelopes a key has sealed. It outlives the key's bytes: whatever wipes them, no use goes uncounted.
#[derive(Debug, Default)]
pub(super) struct Uses {
    all: AtomicU64,
    unreported: AtomicU64,
}

impl Key {
    pub(super) fn new(record: &KeyRecord, secret: SecretBytes, uses: Arc<Uses>) -> Result<Self, LengthError> {
        if secret.expose().len() != crate::envelope::KEY_LEN {
            return Err(LengthError);
        }
        let part = |part: &str| {
            derive(
                &secret,
                &frame(&[b"keywarden/keyring/1", record.purpose.name().as_bytes(), part.as_bytes()]),
            )
        };
        Ok(Self {
            id: record.id,
            purpose: record.purpose,
            mac: MacKey::new(part("mac").expose()),
            envelope: EnvelopeKey::new(&part("envelope"))?,
            secret,
            uses,
        })
    }

    pub(super) fn mac(&self, data: &[u8]) -> [u8; 32] {
        self.mac.tag(data)
    }

    /// An envelope key that also needs `input` to be made again.
    pub(super) fn envelope_for(&self, input: &[u8]) -> Result<EnvelopeKey, LengthError> {
        let info = frame(&[b"keywarden/keyring/1", self.purpose.name().as_bytes(), b"envelope-for", input]);
        EnvelopeKey::new(&derive(&self.secret, &info))
    }

    /// Counts one more envelope; false if the key has sealed as many as it may.
    pub(super) fn count_use(&self) -> bool {
        self.uses.count()
    }
}

impl Uses {
    fn count(&self) -> bool {
        let more = |uses: u64| (uses < MAX_USES).then(|| uses.saturating_add(1));
        let counted = self.all.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).is_ok();
        if counted {
            self.unreported.fetch_add(1, Ordering::Relaxed);
        }
        counted
    }

    /// What the row says by now, other nodes included; what is not reported comes on top of it.
    pub(super) fn learn(&self, recorded: u64) {
        let all = recorded.saturating_add(self.unreported.load(Ordering::Relaxed));
        self.all.fetch_max(all, Ordering::Relaxed);
    }

    pub(super) fn take(&self) -> u64 {
        self.unreported.swap(0, Ordering::Relaxed)
    }

    /// What was taken could not be reported.
    pub(super) fn give_back(&self, uses: u64) {
        self.unreported.fetch_add(uses, Ordering::Relaxed);
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({})", self.id)
    }
}

/// All unwrapped keys; replaced as a whole.
#[derive(Debug)]
pub(super) struct Ring {
    keys: HashMap<KeyringKeyId, Arc<Key>>,
    newest: Vec<Arc<Key>>, // in the order of Purpose::ALL
}

impl Ring {
    /// Fails with the first purpose that has no active key.
    pub(super) fn new(records: &[KeyRecord], keys: Vec<Arc<Key>>) -> Result<Self, Purpose> {
        let keys: HashMap<_, _> = keys.into_iter().map(|key| (key.id, key)).collect();
        let newest = |purpose| newest(records, purpose).and_then(|record| keys.get(&record.id)).cloned();
        let newest =
            Purpose::ALL.into_iter().map(|it| newest(it).ok_or(it)).collect::<Result<Vec<_>, _>>()?;
        Ok(Self { keys, newest })
    }

    pub(super) fn newest(&self, purpose: Purpose) -> Option<&Arc<Key>> {
        self.newest.get(purpose as usize)
    }

    pub(super) fn key(&self, purpose: Purpose, id: KeyringKeyId) -> Option<&Arc<Key>> {
        self.keys.get(&id).filter(|key| key.purpose == purpose)
    }

    /// The keys of a purpose, the newest first.
    pub(super) fn keys_of(&self, purpose: Purpose) -> Vec<&Arc<Key>> {
        let newest = self.newest(purpose).map(|key| key.id);
        let mut keys: Vec<_> = self.keys().filter(|key| key.purpose == purpose).collect();
        keys.sort_unstable_by_key(|key| std::cmp::Reverse((Some(key.id) == newest, key.id)));
        keys
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &Arc<Key>> {
        self.keys.values()
    }
}

/// The key that serves new values: the newest that is not retired.
pub(super) fn newest(records: &[KeyRecord], purpose: Purpose) -> Option<&KeyRecord> {
    records
        .iter()
        .filter(|record| record.purpose == purpose && record.retired_at.is_none())
        .max_by_key(|record| (record.created_at, record.id))
}
