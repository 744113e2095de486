//! The one staleness rule: memory may answer only if the change counter was read less than a second ago.

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use keywarden_store::Counter;

/// How old the last reading may be, by the monotonic clock.
pub(crate) const MAX_AGE: Duration = Duration::from_secs(1);

/// Where the counter stood when it was last read, and when that was asked.
#[derive(Default)]
pub(crate) struct Freshness(Mutex<Option<(Counter, Instant)>>);

impl Freshness {
    /// The counter, if it was read lately enough.
    pub(crate) fn counter(&self, now: Instant, max_age: Duration) -> Option<Counter> {
        let read = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        read.filter(|(_, at)| now.saturating_duration_since(*at) < max_age).map(|(counter, _)| counter)
    }

    /// The counter as last read, however long ago.
    pub(crate) fn last(&self) -> Option<(Counter, Instant)> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a reading that was asked for at `asked`. Never goes back.
    pub(crate) fn note(&self, counter: Counter, asked: Instant) {
        let mut read = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if read.is_none_or(|(known, at)| counter.value >= known.value && asked >= at) {
            *read = Some((counter, asked));
        }
    }
}

impl fmt::Debug for Freshness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Freshness")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reading_counts_for_less_than_a_second_and_never_goes_back() {
        let freshness = Freshness::default();
        let start = Instant::now();
        let at = |value| Counter { value, authority: 0 };
        assert_eq!(freshness.counter(start, MAX_AGE), None);
        freshness.note(at(5), start);
        freshness.note(at(4), start + Duration::from_millis(10));
        assert_eq!(freshness.counter(start + Duration::from_millis(999), MAX_AGE), Some(at(5)));
        assert_eq!(freshness.counter(start + MAX_AGE, MAX_AGE), None);
    }
}
