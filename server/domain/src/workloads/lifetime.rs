//! How long a service token is good.

use chrono::{DateTime, Utc};
use keywarden_model::time::{later, seconds};

const DAY: i64 = 24 * 60 * 60;
const SECONDS: std::ops::RangeInclusive<i64> = 60..=365 * DAY;

/// One minute to 365 days; 90 days unless one says otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenLifetime(i64);

/// Why a number is not how long a service token can be good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("use 60 seconds to 365 days (31,536,000 seconds)")]
pub struct LifetimeError;

impl TokenLifetime {
    /// Checks the bounds.
    pub fn from_seconds(seconds: i64) -> Result<Self, LifetimeError> {
        SECONDS.contains(&seconds).then_some(Self(seconds)).ok_or(LifetimeError)
    }

    /// The length, in seconds.
    pub fn seconds(self) -> i64 {
        self.0
    }

    pub(super) fn from(self, now: DateTime<Utc>) -> DateTime<Utc> {
        later(now, seconds(self.0))
    }
}

impl Default for TokenLifetime {
    fn default() -> Self {
        Self(90 * DAY)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edge_numbers_are_no_lifetimes() {
        for wrong in [0, -1, 59, 365 * DAY + 1, i64::MIN, i64::MAX] {
            assert_eq!(TokenLifetime::from_seconds(wrong), Err(LifetimeError), "{wrong}");
        }
        for right in [60, 365 * DAY] {
            assert_eq!(TokenLifetime::from_seconds(right).map(TokenLifetime::seconds), Ok(right));
        }
    }
}
