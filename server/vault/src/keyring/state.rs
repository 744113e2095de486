//! Whether the keyring can work, and for how long.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use keywarden_model::time::later;

/// Whether the keyring can work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyringState {
    /// No seal answers; the keys in memory serve until `until`, then they are wiped.
    Degraded {
        /// When the last seal was first missed.
        since: DateTime<Utc>,
        /// When grace ends, as the wall clock will probably read; the monotonic clock decides.
        until: DateTime<Utc>,
    },
    /// No key is in memory.
    Sealed {
        /// Why.
        reason: SealedReason,
    },
    /// All keys are in memory and a seal answers.
    Unsealed,
}

/// Why the keyring is sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SealedReason {
    /// Somebody sealed it.
    ByCommand,
    /// The last attempt to unseal failed; the text says what to do and holds no secret.
    Failed(String),
    /// The seals were away for longer than the grace.
    GraceOver,
    /// It was not unsealed yet.
    Starting,
}

impl SealedReason {
    /// What anybody may be told: it names nothing.
    pub fn in_brief(&self) -> &'static str {
        match self {
            Self::ByCommand => "it was sealed by command",
            Self::Failed(_) => "its seal does not open the keyring",
            Self::GraceOver => "its HSM was away for longer than the grace",
            Self::Starting => "it has just begun",
        }
    }
}

impl fmt::Display for SealedReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ByCommand => f.write_str("sealed by command"),
            Self::Failed(cause) => f.write_str(cause),
            Self::GraceOver => f.write_str("the HSM was away for longer than the grace"),
            Self::Starting => f.write_str("starting"),
        }
    }
}

/// The keyring has no keys in memory: nothing can be verified, sealed or opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the keyring is sealed: {reason}")]
pub struct Sealed {
    /// Why.
    pub reason: SealedReason,
}

const NO_DEADLINE: u64 = u64::MAX;

/// Keeps the state. The deadline stands apart so that the hot path reads one atomic and, unless degraded, no
/// clock.
pub(super) struct Condition {
    state: Mutex<KeyringState>,
    deadline: AtomicU64, // nanoseconds after `epoch`
    epoch: Instant,
    clock: Box<dyn Fn() -> Instant + Send + Sync>,
    grace: Duration,
}

impl Condition {
    pub(super) fn new(grace: Duration, clock: Box<dyn Fn() -> Instant + Send + Sync>) -> Self {
        Self {
            state: Mutex::new(KeyringState::Sealed { reason: SealedReason::Starting }),
            deadline: AtomicU64::new(NO_DEADLINE),
            epoch: clock(),
            clock,
            grace,
        }
    }

    /// True once grace has ended and until the next [`Condition::update`].
    pub(super) fn grace_is_over(&self) -> bool {
        let deadline = self.deadline.load(Ordering::Acquire);
        deadline != NO_DEADLINE && self.nanos() >= deadline
    }

    pub(super) fn get(&self) -> KeyringState {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn sealed(&self) -> Sealed {
        match self.get() {
            KeyringState::Sealed { reason } => Sealed { reason },
            // Between the wiping and the note of it.
            KeyringState::Degraded { .. } | KeyringState::Unsealed => {
                Sealed { reason: SealedReason::GraceOver }
            }
        }
    }

    /// Replaces the state by what `decide` answers. Nobody else changes state or keys meanwhile.
    pub(super) fn update<T>(&self, decide: impl FnOnce(&KeyringState) -> (Option<KeyringState>, T)) -> T {
        let mut held = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (next, outcome) = decide(&held);
        if let Some(next) = next {
            self.deadline.store(NO_DEADLINE, Ordering::Release);
            *held = next;
        }
        outcome
    }

    /// Unsealed → Degraded and back; a sealed keyring stays sealed.
    pub(super) fn note(&self, reachable: bool, now: DateTime<Utc>) {
        let mut held = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match (&*held, reachable) {
            (KeyringState::Unsealed, false) => {
                let grace = u64::try_from(self.grace.as_nanos()).unwrap_or(NO_DEADLINE);
                // `- 1`: a grace without end still has a deadline, 584 years away.
                let deadline = self.nanos().saturating_add(grace).min(NO_DEADLINE - 1);
                self.deadline.store(deadline, Ordering::Release);
                let until = later(now, TimeDelta::from_std(self.grace).unwrap_or(TimeDelta::MAX));
                *held = KeyringState::Degraded { since: now, until };
            }
            (KeyringState::Degraded { .. }, true) => {
                self.deadline.store(NO_DEADLINE, Ordering::Release);
                *held = KeyringState::Unsealed;
            }
            _ => {}
        }
    }

    fn nanos(&self) -> u64 {
        let elapsed = (self.clock)().saturating_duration_since(self.epoch);
        u64::try_from(elapsed.as_nanos()).unwrap_or(NO_DEADLINE - 1)
    }
}

impl fmt::Debug for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Condition").field(&self.get()).finish()
    }
}
