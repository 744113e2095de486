//! What memory may answer while the store is away: nothing by default, and for `verify.max_staleness` what is asked of it
//! when services verify keys, the token they show included.

use std::sync::PoisonError;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use keywarden_model::time::earlier;
use keywarden_store::{Counter, StoreError};

use crate::{Domain, Fault};

/// How long a store that failed is not asked again while memory may answer in its stead.
const STORE_PAUSE: Duration = Duration::from_secs(1);

/// What an answer rests on.
pub(crate) struct Ground {
    /// The change counter as of then.
    pub(crate) counter: Counter,
    /// Set while the store is away: when memory was last known to be right.
    pub(crate) as_of: Option<DateTime<Utc>>,
}

impl Domain {
    /// Whether memory may answer at all while the store is away.
    pub(crate) fn is_patient(&self) -> bool {
        self.settings().verify_max_staleness > Duration::ZERO
    }

    /// The change counter as the one staleness rule wants it; while the store is away, as old as it may be.
    pub(crate) async fn ground(&self, now: DateTime<Utc>) -> Result<Ground, Fault> {
        let patience = self.settings().verify_max_staleness;
        let failed_at = &self.key_memory().store_failed_at;
        let failed = *failed_at.lock().unwrap_or_else(PoisonError::into_inner);
        let paused = |at| self.env().monotonic().saturating_duration_since(at) < STORE_PAUSE;
        let away = if self.is_patient() && failed.is_some_and(paused) {
            Fault::Store(StoreError::Unavailable("it did not answer a moment ago".into()))
        } else {
            match self.counter().await {
                Ok(counter) => return Ok(Ground { counter, as_of: None }),
                Err(fault) if fault.is_passing() => fault,
                Err(fault) => return Err(fault),
            }
        };
        let monotonic = self.env().monotonic();
        if !failed.is_some_and(paused) {
            *failed_at.lock().unwrap_or_else(PoisonError::into_inner) = Some(monotonic);
        }
        let last =
            self.last_counter().map(|(counter, at)| (counter, monotonic.saturating_duration_since(at)));
        match last.filter(|(_, age)| *age <= patience) {
            Some((counter, age)) => {
                let age = TimeDelta::from_std(age).unwrap_or_default();
                Ok(Ground { counter, as_of: Some(earlier(now, age)) })
            }
            None => Err(away),
        }
    }
}
