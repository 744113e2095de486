//! Seals of projects: each wraps the project keys of those projects that name it, beneath the keyring's envelope.
//!
//! ```text
//! HSM key → keyring key ─┐
//!                        ├→ project key          it takes both: the house's keyring and the project's own token
//! key of the own seal ───┘
//! ```
//! A use of a project key asks nobody: it finds the key here, or notes that it is wanted and fails. [`Custodian::fetch`],
//! called outside of transactions, asks the seal for what is wanted, and the use is tried again.
//!
//! **What is held, and for how long:** a project key is held from its first use for as long as the seal answers
//! [`Custodian::observe`], and for the grace after it stopped. A seal that answers that it must not be used (its PIN or its key
//! is not accepted any more) is wiped at once, and so is one that has another key under the same name: it is asked each time to
//! open something that it wrapped. So is everything when the keyring is wiped. Bytes are zeroized as they go.
//!
//! **Concurrency:** [`Custodian::fetch`] and [`Custodian::observe`] block for at most [`crate::seal::ANSWER_LIMIT`] for each key;
//! fetches of one seal go one after the other, and seals know nothing of each other. All else takes a lock for a moment.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use keywarden_model::{ProjectId, ProjectKeyId};
use rand::CryptoRng;
use subtle::ConstantTimeEq;

use crate::envelope::OpenError;
use crate::keyring::WrapError;
use crate::project_key::own_context;
use crate::seal::{KeyNumber, Seal, SealDescription, SealError, SealId, wrapped_by};
use crate::secret::SecretBytes;

/// Longer than any process runs.
const AN_AGE: Duration = Duration::from_secs(1 << 32);

/// The most keys that are noted as wanted at once; who finds no room is told as if the seal were away.
const MOST_WANTED: usize = 1_024;

/// The seals of projects that this process was given, with what they unwrapped.
#[derive(Default)]
pub struct Custody {
    custodians: Vec<Custodian>,
}

/// One of them.
pub struct Custodian {
    seal: Arc<dyn Seal>,
    state: Mutex<State>,
    /// Held by whoever asks the seal.
    asking: Mutex<()>,
    /// Counts fetches.
    fetches: AtomicU64,
    /// Counts uses of keys that were not held.
    misses: AtomicU64,
    grace: Duration,
    clock: Clock,
}

type Clock = Arc<dyn Fn() -> Instant + Send + Sync>;

#[derive(Default)]
struct State {
    away: Option<Away>,
    held: BTreeMap<ProjectKeyId, Held>,
    wanted: BTreeMap<ProjectKeyId, Wanted>,
    /// Counts wipings, so that a fetch which began before one cannot undo it.
    wiped: u64,
    /// Something that the seal opened, to be opened each time that it is asked whether it is there.
    witness: Option<Witness>,
    /// It did not open that when it was asked last.
    doubted: bool,
    /// Counts questions.
    asked: u64,
    /// The question whose answer was noted last.
    answered: u64,
}

/// What a seal made of a project key, as it is stored: no secret. See [`crate::KeyBody::witness`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Witness {
    pub(crate) seal: String,
    pub(crate) key: ProjectKeyId,
    pub(crate) project: ProjectId,
    pub(crate) wrap: Vec<u8>,
}

struct Away {
    since: DateTime<Utc>,
    cause: SealError,
    /// When what is held is wiped.
    until: Instant,
}

/// What the seal made of one wrap.
struct Held {
    wrap: Vec<u8>,
    key: Result<SecretBytes, SealError>,
}

struct Wanted {
    project: ProjectId,
    wrap: Vec<u8>,
}

/// Whether a seal of projects answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It does not.
    Away {
        /// Since when.
        since: DateTime<Utc>,
        /// What it said, or that it said nothing.
        cause: SealError,
    },
    /// It does, as far as anybody knows.
    Present,
}

impl Witness {
    /// The key of the seal that wrapped it.
    pub fn number(&self) -> Option<KeyNumber> {
        wrapped_by(&self.wrap)
    }
}

impl Custody {
    /// Over these seals. `grace` is how long keys stay in memory while their seal does not answer, measured by `clock`, which
    /// must be monotonic.
    pub fn new(
        seals: Vec<Arc<dyn Seal>>,
        grace: Duration,
        clock: impl Fn() -> Instant + Send + Sync + 'static,
    ) -> Self {
        let clock: Clock = Arc::new(clock);
        let custodian = |seal| Custodian {
            seal,
            state: Mutex::default(),
            asking: Mutex::default(),
            fetches: AtomicU64::new(0),
            misses: AtomicU64::new(0),
            grace,
            clock: Arc::clone(&clock),
        };
        Self { custodians: seals.into_iter().map(custodian).collect() }
    }

    /// Every one.
    pub fn all(&self) -> &[Custodian] {
        &self.custodians
    }

    /// One of them.
    pub fn of(&self, seal: &SealId) -> Option<&Custodian> {
        self.custodians.iter().find(|it| it.describe().id == *seal)
    }

    /// Wipes all that is held.
    pub fn zeroize(&self) {
        for custodian in &self.custodians {
            custodian.state().wipe();
        }
    }

    /// The key that a seal wrapped, if it is held.
    pub(crate) fn key(
        &self,
        seal: &str,
        id: ProjectKeyId,
        project: ProjectId,
        wrap: &[u8],
    ) -> Result<SecretBytes, OpenError> {
        match self.custodians.iter().find(|it| it.describe().id.as_str() == seal) {
            Some(custodian) => custodian.key(id, project, wrap),
            None => Err(OpenError::SealAway {
                seal: seal.to_owned(),
                cause: "this server has no such seal".into(),
            }),
        }
    }
}

impl Custodian {
    /// Which seal it is.
    pub fn describe(&self) -> &SealDescription {
        self.seal.describe()
    }

    /// Whether it answers, as last noted.
    pub fn standing(&self) -> Standing {
        match &self.state().away {
            Some(away) => Standing::Away { since: away.since, cause: away.cause.clone() },
            None => Standing::Present,
        }
    }

    /// How many keys are held.
    pub fn held(&self) -> usize {
        self.state().held.len()
    }

    /// Counts up with each fetch: who finds another number behind a failure tries again.
    pub fn fetches(&self) -> u64 {
        self.fetches.load(Ordering::Acquire)
    }

    /// Counts up with each use of a key that was not held and may be fetched.
    pub fn misses(&self) -> u64 {
        self.misses.load(Ordering::Acquire)
    }

    /// Asks the seal whether it is there, with the key that it had, and notes it. Call it every second. Blocks.
    pub fn observe(&self, now: DateTime<Utc>) -> Standing {
        let (question, witness) = {
            let mut state = self.state();
            (state.ask(), state.witness.clone())
        };
        let Some(witness) = witness else {
            let answer = self.seal.probe();
            // That it answers makes another key no better.
            if answer.is_err() || !self.state().is_replaced() {
                self.note(question, answer, now);
            }
            return self.standing();
        };
        let answer = self.opens(&witness);
        let is_replaced = answer == Err(self.replaced());
        let doubted = std::mem::replace(&mut self.state().doubted, is_replaced);
        // Or destroyed, once a newer one was in its place: what is stored now tells, unless nobody asks that.
        if doubted || !is_replaced {
            self.note(question, answer, now);
        }
        self.standing()
    }

    /// Whether the seal was not seen to open anything that is stored: whether [`Custodian::prove`] would tell more than is known.
    pub fn lacks_witness(&self) -> bool {
        let state = self.state();
        (state.witness.is_none() || state.doubted) && (state.away.is_none() || state.is_replaced())
    }

    /// Asks the seal to open one of these, which are what is stored under it now. If it opens none, its key is another one.
    /// Blocks.
    pub fn prove(&self, stored: Vec<Witness>, now: DateTime<Utc>) -> Standing {
        let question = self.state().ask();
        let (mut answer, mut opened) = (Ok(()), None);
        for witness in stored.into_iter().filter(|it| it.seal == self.describe().id.as_str()) {
            answer = self.opens(&witness);
            if answer.is_ok() {
                opened = Some(witness);
            }
            if answer != Err(self.replaced()) {
                break;
            }
        }
        if answer.is_ok() {
            let mut state = self.state();
            (state.witness, state.doubted) = (opened, false);
        }
        self.note(question, answer, now);
        self.standing()
    }

    fn opens(&self, it: &Witness) -> Result<(), SealError> {
        let opened = self.seal.unwrap(&own_context(it.key, it.project, &it.seal), &it.wrap);
        opened.map(drop).map_err(|cause| if cause.is_about_the_bytes() { self.replaced() } else { cause })
    }

    fn replaced(&self) -> SealError {
        SealError::KeyReplaced(self.describe().label.clone())
    }

    /// As [`Seal::keys`]. Blocks.
    pub fn keys(&self) -> Result<Vec<KeyNumber>, SealError> {
        self.seal.keys()
    }

    /// As [`Seal::add_key`]. Blocks.
    pub fn add_key(&self, rng: &mut dyn CryptoRng) -> Result<KeyNumber, SealError> {
        self.seal.add_key(rng)
    }

    /// As [`Seal::destroy_key`]. Blocks.
    pub fn destroy_key(&self, number: KeyNumber) -> Result<(), SealError> {
        self.seal.destroy_key(number)
    }

    /// Asks the seal for the keys that are wanted. True if there may be more now than when [`Custodian::fetches`] said `seen`.
    /// Blocks.
    pub fn fetch(&self, seen: u64, now: DateTime<Utc>) -> bool {
        let _one_at_a_time = self.asking.lock().unwrap_or_else(PoisonError::into_inner);
        if self.fetches() != seen {
            return true;
        }
        let (wanted, wiped) = {
            let state = self.state();
            let wanted = state.wanted.iter().map(|(id, it)| (*id, it.project, it.wrap.clone()));
            (wanted.collect::<Vec<_>>(), state.wiped)
        };
        if wanted.is_empty() {
            return false;
        }
        for (id, project, wrap) in wanted {
            let question = self.state().ask();
            let key = self.seal.unwrap(&own_context(id, project, self.describe().id.as_str()), &wrap);
            match key {
                Err(cause) if !is_about_this_wrap(&cause) => {
                    self.note(question, Err(cause), now);
                    self.state().wanted.clear();
                    break;
                }
                key => {
                    let mut state = self.state();
                    state.wanted.remove(&id);
                    if key.is_ok() {
                        state.learns(self.describe(), id, project, &wrap);
                    }
                    if state.wiped == wiped {
                        state.held.insert(id, Held { wrap, key });
                    }
                }
            }
        }
        self.fetches.fetch_add(1, Ordering::AcqRel);
        true
    }

    /// Wraps a project key, and proves that it unwraps. Blocks.
    pub(crate) fn wrap(
        &self,
        id: ProjectKeyId,
        project: ProjectId,
        key: &SecretBytes,
        rng: &mut dyn CryptoRng,
    ) -> Result<Vec<u8>, WrapError> {
        let seal_id = self.describe().id.clone();
        let failed = |source| WrapError::Seal { seal: seal_id.clone(), source };
        if self.state().is_replaced() {
            return Err(failed(self.replaced()));
        }
        let context = own_context(id, project, seal_id.as_str());
        let wrap = self.seal.wrap(&context, key, rng).map_err(failed)?;
        let again = self.seal.unwrap(&context, &wrap).map_err(failed)?;
        if bool::from(again.expose().ct_eq(key.expose())) {
            self.state().learns(self.describe(), id, project, &wrap);
            Ok(wrap)
        } else {
            Err(WrapError::NotTheSame(seal_id))
        }
    }

    fn key(&self, id: ProjectKeyId, project: ProjectId, wrap: &[u8]) -> Result<SecretBytes, OpenError> {
        let mut state = self.state();
        let away = |cause: &SealError| OpenError::SealAway {
            seal: self.describe().id.to_string(),
            cause: cause.to_string(),
        };
        match state.held.get(&id).filter(|held| held.wrap == wrap).map(|held| &held.key) {
            Some(Ok(key)) => return Ok(SecretBytes::copy_of(key.expose())),
            Some(Err(_)) => return Err(OpenError::AuthenticationFailed),
            None => {}
        }
        if let Some(it) = &state.away {
            return Err(away(&it.cause));
        }
        if state.wanted.len() < MOST_WANTED {
            state.wanted.insert(id, Wanted { project, wrap: wrap.to_vec() });
            self.misses.fetch_add(1, Ordering::AcqRel);
        }
        let cause = "the project's key is not in memory yet".into();
        Err(OpenError::SealAway { seal: self.describe().id.to_string(), cause })
    }

    /// Of two answers the one counts that was asked for later, whenever it came. A ban wipes in any case.
    fn note(&self, question: u64, answer: Result<(), SealError>, now: DateTime<Utc>) {
        let mut state = self.state();
        if answer.as_ref().is_err_and(forbids) {
            state.wipe();
        }
        if question < state.answered {
            return;
        }
        state.answered = question;
        match answer {
            Ok(()) => state.away = None,
            Err(cause) => {
                let tick = (self.clock)();
                // A grace without end is one that nobody lives to see.
                let deadline =
                    tick.checked_add(self.grace).or_else(|| tick.checked_add(AN_AGE)).unwrap_or(tick);
                let (since, until) = match state.away.take() {
                    Some(away) => (away.since, away.until),
                    None => (now, deadline),
                };
                state.away = Some(Away { since, cause, until });
            }
        }
    }

    /// The state, without what its grace is over for.
    fn state(&self) -> MutexGuard<'_, State> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.away.as_ref().is_some_and(|away| away.until <= (self.clock)()) {
            state.wipe();
        }
        state
    }
}

impl State {
    /// The number of a question that is put to the seal now.
    fn ask(&mut self) -> u64 {
        self.asked = self.asked.wrapping_add(1);
        self.asked
    }

    /// The first thing that the seal opened is what it is asked for, so that a key that came later is noticed.
    fn learns(&mut self, seal: &SealDescription, key: ProjectKeyId, project: ProjectId, wrap: &[u8]) {
        let witness = || Witness { seal: seal.id.to_string(), key, project, wrap: wrap.to_vec() };
        self.witness.get_or_insert_with(witness);
    }

    fn is_replaced(&self) -> bool {
        self.away.as_ref().is_some_and(|away| matches!(away.cause, SealError::KeyReplaced(_)))
    }

    fn wipe(&mut self) {
        self.held.clear();
        self.wanted.clear();
        self.wiped = self.wiped.wrapping_add(1);
    }
}

/// True if the seal answered, and this wrap is not what it should be: asking again changes nothing. A key of the seal that
/// is gone is another matter: it may come back.
fn is_about_this_wrap(cause: &SealError) -> bool {
    matches!(cause, SealError::AuthenticationFailed | SealError::UnknownFormat)
}

/// True if whoever owns the seal has taken the right to use it: it is there, and says no.
fn forbids(cause: &SealError) -> bool {
    matches!(
        cause,
        SealError::KeyGone { .. }
            | SealError::KeyMissing { .. }
            | SealError::KeyReplaced(_)
            | SealError::PinLocked(_)
            | SealError::PinRefused(_)
            | SealError::PinWithheld { .. }
    )
}

impl fmt::Debug for Custody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.custodians).finish()
    }
}

impl fmt::Debug for Custodian {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Custodian({})", self.describe().id)
    }
}

#[cfg(test)]
mod tests;
