//! When a value may be read: from an instant on, until another one. Said when it is put, and never changed: what was good
//! for some time only is not made good again, a new version is.

use std::fmt;

use chrono::{DateTime, SecondsFormat, Utc};
use keywarden_model::time::from_micros;

/// From when until when a version's value is read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Validity {
    not_before: Option<DateTime<Utc>>,
    expires_at: Option<DateTime<Utc>>,
}

/// The two instants leave no time between them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a value must expire later than it begins to be good")]
pub struct ValidityError;

/// On which side of its time an instant lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outside {
    /// After its end, which was then.
    Expired(DateTime<Utc>),
    /// Before its beginning, which is then.
    NotYet(DateTime<Utc>),
}

impl Validity {
    /// Good between two instants; `None` is no bound.
    pub fn new(
        not_before: Option<DateTime<Utc>>,
        expires_at: Option<DateTime<Utc>>,
    ) -> Result<Self, ValidityError> {
        match (not_before, expires_at) {
            (Some(from), Some(until)) if until <= from => Err(ValidityError),
            _ => Ok(Self { not_before, expires_at }),
        }
    }

    pub(super) fn of(not_before: Option<i64>, expires_at: Option<i64>) -> Self {
        Self { not_before: not_before.map(from_micros), expires_at: expires_at.map(from_micros) }
    }

    /// From when on.
    pub fn not_before(self) -> Option<DateTime<Utc>> {
        self.not_before
    }

    /// Until when: at that instant it is expired.
    pub fn expires_at(self) -> Option<DateTime<Utc>> {
        self.expires_at
    }

    /// Whether `now` is outside of it, and on which side.
    pub fn outside(self, now: DateTime<Utc>) -> Option<Outside> {
        match (self.not_before, self.expires_at) {
            (_, Some(until)) if now >= until => Some(Outside::Expired(until)),
            (Some(from), _) if now < from => Some(Outside::NotYet(from)),
            _ => None,
        }
    }

    /// Whether it is over at `now`.
    pub fn is_over(self, now: DateTime<Utc>) -> bool {
        matches!(self.outside(now), Some(Outside::Expired(_)))
    }
}

impl fmt::Display for Outside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let written = |at: &DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::AutoSi, true);
        match self {
            Self::Expired(at) => write!(f, "expired at {}: put a new value", written(at)),
            Self::NotYet(at) => write!(f, "is not read before {}", written(at)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_beginning_is_within_and_the_end_is_not() {
        let at = |seconds| DateTime::from_timestamp(seconds, 0).unwrap();
        let both = Validity::new(Some(at(10)), Some(at(20))).unwrap();
        assert_eq!(both.outside(at(9)), Some(Outside::NotYet(at(10))));
        assert_eq!((both.outside(at(10)), both.outside(at(19))), (None, None));
        assert_eq!(both.outside(at(20)), Some(Outside::Expired(at(20))));
        assert_eq!(Validity::default().outside(at(0)), None);
        for until in [9, 10] {
            assert_eq!(Validity::new(Some(at(10)), Some(at(until))), Err(ValidityError));
        }
        assert_eq!(Outside::Expired(at(20)).to_string(), "expired at 1970-01-01T00:00:20Z: put a new value");
    }
}
