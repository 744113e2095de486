//! Named, random keys, each wrapped under every seal; in memory only while a seal answers or grace lasts.
//!
//! What wraps can change (a second HSM, another vendor) without touching a tag or an envelope: those name a
//! keyring key, and the key's bytes stay. A new key for a purpose serves new values from the next
//! [`Keyring::unseal`] on; the old one goes on to verify and open until its row is deleted.
//!
//! **Concurrency:** `mac`, `verify_mac`, `seal` and `open` take no lock. Unsealing runs one at a time and may
//! wait for the HSM; sealing wins over an unsealing that is under way.

mod error;
mod purpose;
mod records;
mod recovered;
mod ring;
mod state;
mod wraps;

use std::collections::HashMap;
use std::fmt;
use std::ops::Deref;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use arc_swap::{ArcSwapOption, Guard};
use chrono::{DateTime, Utc};
use keywarden_model::{KeyringKeyId, TypedId};
use rand::CryptoRng;
use subtle::ConstantTimeEq;

pub use error::{SealingError, UnsealError, WrapError};
pub use purpose::{Purpose, PurposeError};
pub use records::{KeyRecord, RemoveSealError, SealRecord, WrapRecord, may_remove_seal};
pub use recovered::{RecoverError, RecoveryWrap, opens, rewrap};
pub use ring::{MAX_USES, RENEW_AT, URGENT_AT};
pub use state::{KeyringState, Sealed, SealedReason};
pub use wraps::unwraps_one;

use crate::custody::Custody;
use crate::envelope::{self, KEY_LEN, LengthError, OpenError};
use crate::mac::MacKey;
use crate::seal::{Seal, SealError};
use crate::secret::SecretBytes;
use ring::{Key, Ring, Uses};
use state::Condition;
use wraps::{unwrap, wrap};

/// Stands in for the key of an unknown id, so that the answer "no" always costs one MAC.
const NOBODYS_KEY: [u8; KEY_LEN] = [0; KEY_LEN];
static NOBODYS: LazyLock<MacKey> = LazyLock::new(|| MacKey::new(&NOBODYS_KEY));

/// The keys, and whether they may be used. Share it behind an `Arc`.
pub struct Keyring {
    ring: ArcSwapOption<Ring>,
    condition: Condition,
    /// Seals of projects, with the project keys that they unwrapped: they are wiped with the keys here.
    custody: Custody,
    reload: Mutex<()>,
    /// Of every key that was in memory here and is stored.
    uses: Mutex<HashMap<KeyringKeyId, Arc<Uses>>>,
    /// Counts wipings, so that an unsealing which began before one cannot undo it.
    wiped: AtomicU64,
}

impl Keyring {
    /// An empty, sealed keyring. `grace` is how long keys stay in memory while no seal answers, measured by
    /// `clock`, which must be monotonic.
    pub fn new(grace: Duration, clock: impl Fn() -> Instant + Send + Sync + 'static) -> Self {
        Self {
            ring: ArcSwapOption::empty(),
            condition: Condition::new(grace, Box::new(clock)),
            custody: Custody::default(),
            reload: Mutex::new(()),
            uses: Mutex::default(),
            wiped: AtomicU64::new(0),
        }
    }

    /// With seals of projects.
    #[must_use]
    pub fn with_custody(self, custody: Custody) -> Self {
        Self { custody, ..self }
    }

    /// The seals of projects.
    pub fn custody(&self) -> &Custody {
        &self.custody
    }

    /// The purposes for which a key has to be generated before [`Keyring::unseal`] can succeed.
    pub fn missing(records: &[KeyRecord]) -> Vec<Purpose> {
        Purpose::ALL.into_iter().filter(|it| ring::newest(records, *it).is_none()).collect()
    }

    /// Makes a key and wraps it under every seal given. Nothing is kept here: store the rows, then
    /// [`Keyring::unseal`]. Calls the seals: lend it a generator of its own, not one behind a shared lock.
    pub fn generate(
        purpose: Purpose,
        now: DateTime<Utc>,
        rng: &mut dyn CryptoRng,
        seals: &[Arc<dyn Seal>],
    ) -> Result<(KeyRecord, Vec<WrapRecord>), WrapError> {
        if seals.is_empty() {
            return Err(WrapError::NoSeal);
        }
        let mut bits = [0; 16];
        rng.fill_bytes(&mut bits);
        let id = KeyringKeyId::from_parts(now, u128::from_be_bytes(bits));
        let secret = SecretBytes::random(KEY_LEN, rng);
        let wraps =
            seals.iter().map(|seal| wrap(id, purpose, &secret, &**seal, rng)).collect::<Result<_, _>>()?;
        Ok((KeyRecord { id, purpose, created_at: now, retired_at: None, uses: 0 }, wraps))
    }

    /// Brings exactly the given keys into memory. Keys that are there already are not unwrapped again, so that
    /// it is cheap to call whenever the rows changed. Seals are tried in the order given; one that does not
    /// answer is not asked twice. On an error everything stays as it was, a sealed keyring noting the reason.
    pub fn unseal(
        &self,
        records: &[KeyRecord],
        wraps: &[WrapRecord],
        seals: &[Arc<dyn Seal>],
    ) -> Result<(), UnsealError> {
        let _one_at_a_time = self.reload.lock().unwrap_or_else(PoisonError::into_inner);
        let wiped = self.wiped.load(Ordering::Acquire);
        let gathered = self.gather(records, wraps, seals);
        self.condition.update(|state| match gathered {
            Ok(_) if self.wiped.load(Ordering::Acquire) != wiped => (None, Err(UnsealError::Interrupted)),
            Ok((ring, asked)) => {
                self.ring.store(Some(Arc::new(ring)));
                (matches!(asked, Asked::ASeal).then_some(KeyringState::Unsealed), Ok(()))
            }
            Err(error) => {
                let sealed = matches!(state, KeyringState::Sealed { .. });
                let reason = SealedReason::Failed(error.to_string());
                (sealed.then_some(KeyringState::Sealed { reason }), Err(error))
            }
        })
    }

    fn gather(
        &self,
        records: &[KeyRecord],
        wraps: &[WrapRecord],
        seals: &[Arc<dyn Seal>],
    ) -> Result<(Ring, Asked), UnsealError> {
        let held = self.ring().ok();
        let mut silent = Vec::new();
        let mut asked = Asked::Nobody;
        let mut keys = Vec::with_capacity(records.len());
        for record in records {
            let known = held.as_ref().and_then(|ring| ring.key(record.purpose, record.id));
            let uses = Arc::clone(self.uses().entry(record.id).or_default());
            uses.learn(record.uses);
            keys.push(if let Some(key) = known {
                Arc::clone(key)
            } else {
                asked = Asked::ASeal;
                Arc::new(unwrap(record, wraps, seals, &mut silent, &uses)?)
            });
        }
        // Nobody counts for a key that was destroyed.
        self.uses().retain(|id, _| records.iter().any(|record| record.id == *id));
        Ok((Ring::new(records, keys).map_err(UnsealError::NoActiveKey)?, asked))
    }

    /// Wraps every key under one more seal, and proves of each wrap that it unwraps. Store all rows or none.
    pub fn wrap_under(&self, seal: &dyn Seal, rng: &mut dyn CryptoRng) -> Result<Vec<WrapRecord>, WrapError> {
        let held = self.ring()?;
        held.keys().map(|key| wrap(key.id, key.purpose, &key.secret, seal, rng)).collect()
    }

    /// HMAC-SHA-256 of `data` under the purpose's newest key: store both.
    pub fn mac(&self, purpose: Purpose, data: &[u8]) -> Result<(KeyringKeyId, [u8; 32]), Sealed> {
        let ring = self.ring()?;
        let key = ring.newest(purpose).ok_or_else(|| self.condition.sealed())?;
        Ok((key.id, key.mac(data)))
    }

    /// As [`Keyring::mac`], under this key of the purpose; `None` if it is not in memory.
    pub fn mac_under(
        &self,
        purpose: Purpose,
        id: KeyringKeyId,
        data: &[u8],
    ) -> Result<Option<[u8; 32]>, Sealed> {
        Ok(self.ring()?.key(purpose, id).map(|key| key.mac(data)))
    }

    /// HMAC-SHA-256 of `data` under each key of the purpose, retired ones too, the newest first: for finding what
    /// was stored under any of them.
    pub fn macs(&self, purpose: Purpose, data: &[u8]) -> Result<Vec<(KeyringKeyId, [u8; 32])>, Sealed> {
        let ring = self.ring()?;
        Ok(ring.keys_of(purpose).into_iter().map(|key| (key.id, key.mac(data))).collect())
    }

    /// Whether `tag` is the MAC of `data` under that key, in constant time. An unknown key, or one of another
    /// purpose, costs the same and answers no.
    pub fn verify_mac(
        &self,
        purpose: Purpose,
        id: KeyringKeyId,
        data: &[u8],
        tag: &[u8; 32],
    ) -> Result<bool, Sealed> {
        let ring = self.ring()?;
        let (computed, known) = match ring.key(purpose, id) {
            Some(key) => (key.mac(data), true),
            None => (NOBODYS.tag(data), false),
        };
        Ok(bool::from(computed.ct_eq(tag)) & known)
    }

    /// The key that serves new values: a tag under another one is due to be made again.
    pub fn newest(&self, purpose: Purpose) -> Result<KeyringKeyId, Sealed> {
        let ring = self.ring()?;
        ring.newest(purpose).map(|key| key.id).ok_or_else(|| self.condition.sealed())
    }

    /// The ids of a purpose's keys in memory, retired ones too, the newest first.
    pub fn ids_of(&self, purpose: Purpose) -> Result<Vec<KeyringKeyId>, Sealed> {
        Ok(self.ring()?.keys_of(purpose).into_iter().map(|key| key.id).collect())
    }

    /// Whether a key of the purpose is in memory: what lies under another one can be neither verified nor opened.
    pub fn holds(&self, purpose: Purpose, id: KeyringKeyId) -> Result<bool, Sealed> {
        Ok(self.ring()?.key(purpose, id).is_some())
    }

    /// The ids of all keys in memory, sorted; none while sealed.
    pub fn ids(&self) -> Vec<KeyringKeyId> {
        let Ok(ring) = self.ring() else { return Vec::new() };
        let mut ids: Vec<_> = ring.keys().map(|key| key.id).collect();
        ids.sort_unstable();
        ids
    }

    /// Seals `plaintext` under the purpose's newest key. `context` names the place it belongs to (typed id and
    /// column, say); it is not stored and must be given again to open.
    pub fn seal(
        &self,
        purpose: Purpose,
        context: &[u8],
        plaintext: &[u8],
        rng: &mut dyn CryptoRng,
    ) -> Result<Vec<u8>, SealingError> {
        let held = self.ring()?;
        let key = self.countable(&held, purpose)?;
        Ok(key.envelope.seal(&key.id.to_string(), purpose.name(), context, plaintext, rng)?)
    }

    /// Opens what [`Keyring::seal`] sealed for the same purpose and context.
    pub fn open(&self, purpose: Purpose, context: &[u8], sealed: &[u8]) -> Result<SecretBytes, OpenError> {
        let ring = self.ring()?;
        ring_key(&ring, purpose, sealed)?.envelope.open(purpose.name(), context, sealed)
    }

    /// As [`Keyring::seal`], but whoever opens must also know `input`, a secret that is not stored here: the
    /// caller's own `Idempotency-Key`, say.
    pub fn seal_for(
        &self,
        purpose: Purpose,
        input: &[u8],
        context: &[u8],
        plaintext: &[u8],
        rng: &mut dyn CryptoRng,
    ) -> Result<Vec<u8>, SealingError> {
        let held = self.ring()?;
        let key = self.countable(&held, purpose)?;
        let envelope = key.envelope_for(input)?;
        Ok(envelope.seal(&key.id.to_string(), purpose.name(), context, plaintext, rng)?)
    }

    /// As [`Keyring::seal_for`], for what strangers can make us seal as often as they like: `period` changes by itself, at
    /// least once an hour, so that each derived key seals few envelopes, and none of the key's own are used up.
    pub fn seal_within(
        &self,
        purpose: Purpose,
        period: u64,
        context: &[u8],
        plaintext: &[u8],
        rng: &mut dyn CryptoRng,
    ) -> Result<Vec<u8>, SealingError> {
        let held = self.ring()?;
        let key = held.newest(purpose).ok_or_else(|| self.condition.sealed())?;
        let envelope = key.envelope_for(&period.to_be_bytes())?;
        Ok(envelope.seal(&key.id.to_string(), purpose.name(), context, plaintext, rng)?)
    }

    /// Opens what [`Keyring::seal_for`] sealed with the same `input`, or [`Keyring::seal_within`] in the period of which these
    /// are the eight bytes, most significant first.
    pub fn open_for(
        &self,
        purpose: Purpose,
        input: &[u8],
        context: &[u8],
        sealed: &[u8],
    ) -> Result<SecretBytes, OpenError> {
        let ring = self.ring()?;
        let key = ring_key(&ring, purpose, sealed)?;
        let envelope = key.envelope_for(input).map_err(|LengthError| OpenError::Malformed)?;
        envelope.open(purpose.name(), context, sealed)
    }

    /// Envelopes that each key sealed here since the last call: add them to [`KeyRecord::uses`] in the store,
    /// where all nodes meet. A key that was wiped meanwhile is among them.
    pub fn take_uses(&self) -> Vec<(KeyringKeyId, u64)> {
        let mut taken: Vec<_> =
            self.uses().iter().map(|(id, uses)| (*id, uses.take())).filter(|(_, uses)| *uses > 0).collect();
        // Two nodes lock rows in one order.
        taken.sort_unstable();
        taken
    }

    /// What [`Keyring::take_uses`] gave and could not be stored.
    pub fn give_back_uses(&self, taken: &[(KeyringKeyId, u64)]) {
        let counted = self.uses();
        for (id, uses) in taken {
            if let Some(key) = counted.get(id) {
                key.give_back(*uses);
            }
        }
    }

    /// Takes in how often the keys were used on all nodes together, as their rows say: that is what is bounded.
    pub fn learn_uses(&self, records: &[KeyRecord]) {
        let counted = self.uses();
        for record in records {
            if let Some(key) = counted.get(&record.id) {
                key.learn(record.uses);
            }
        }
    }

    fn uses(&self) -> MutexGuard<'_, HashMap<KeyringKeyId, Arc<Uses>>> {
        self.uses.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether keys are in memory, and why not.
    pub fn state(&self) -> KeyringState {
        self.wipe_after_grace();
        self.condition.get()
    }

    /// Asks the seals whether they are there, and notes it; why the last one was not, if none was. Blocks while they answer;
    /// call it every second with the seals that wrap this keyring. One answer is enough.
    pub fn observe(&self, seals: &[Arc<dyn Seal>], now: DateTime<Utc>) -> (KeyringState, Option<SealError>) {
        let mut missed = None;
        let answers =
            |seal: &Arc<dyn Seal>| seal.probe().inspect_err(|cause| missed = Some(cause.clone())).is_ok();
        let reachable = seals.iter().any(answers);
        (self.note(reachable, now), missed.filter(|_| !reachable))
    }

    /// As [`Keyring::observe`], for who has asked already.
    pub fn note(&self, reachable: bool, now: DateTime<Utc>) -> KeyringState {
        self.wipe_after_grace();
        self.condition.note(reachable, now);
        self.condition.get()
    }

    /// Wipes all keys at once. Calls that are computing at this moment finish; no later one begins.
    pub fn zeroize(&self) {
        self.wipe(SealedReason::ByCommand);
    }

    fn wipe(&self, reason: SealedReason) {
        self.condition.update(|_| {
            self.wiped.fetch_add(1, Ordering::AcqRel);
            self.ring.store(None);
            self.custody.zeroize();
            (Some(KeyringState::Sealed { reason }), ())
        });
    }

    fn wipe_after_grace(&self) {
        if !self.condition.grace_is_over() {
            return;
        }
        self.condition.update(|_| {
            // Another thread may have wiped, and a third one unsealed, since the question.
            if !self.condition.grace_is_over() {
                return (None, ());
            }
            self.wiped.fetch_add(1, Ordering::AcqRel);
            self.ring.store(None);
            self.custody.zeroize();
            (Some(KeyringState::Sealed { reason: SealedReason::GraceOver }), ())
        });
    }

    /// The hot path: one atomic for grace, one for the ring.
    fn ring(&self) -> Result<Held, Sealed> {
        self.wipe_after_grace();
        let held = self.ring.load();
        if held.is_some() { Ok(Held(held)) } else { Err(self.condition.sealed()) }
    }

    fn countable<'a>(&self, ring: &'a Held, purpose: Purpose) -> Result<&'a Key, SealingError> {
        let key = ring.newest(purpose).ok_or_else(|| self.condition.sealed())?;
        if key.count_use() { Ok(key) } else { Err(SealingError::Exhausted(key.id)) }
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyring").field("state", &self.condition).finish_non_exhaustive()
    }
}

enum Asked {
    ASeal,
    Nobody,
}

/// A ring that cannot be wiped under the hands of who computes with it.
struct Held(Guard<Option<Arc<Ring>>>);

impl Deref for Held {
    type Target = Ring;
    #[expect(clippy::expect_used, reason = "only Keyring::ring makes one, and it looks first")]
    fn deref(&self) -> &Ring {
        self.0.as_deref().expect("looked before")
    }
}

fn ring_key<'a>(ring: &'a Held, purpose: Purpose, sealed: &[u8]) -> Result<&'a Key, OpenError> {
    let id = envelope::key_id(sealed)?;
    let key = id.parse().ok().and_then(|id| ring.key(purpose, id));
    key.map(|key| &**key).ok_or_else(|| OpenError::UnknownKey(id.chars().take(64).collect()))
}

#[cfg(test)]
mod tests;
