//! Moments are UTC at microseconds, the precision both engines keep.

use chrono::{DateTime, SubsecRound, Utc};

/// Cuts a moment to whole microseconds.
pub fn to_micros_precision(at: DateTime<Utc>) -> DateTime<Utc> {
    at.trunc_subsecs(6)
}

/// Microseconds since the Unix epoch, as the store keeps them.
pub fn micros(at: DateTime<Utc>) -> i64 {
    at.timestamp_micros()
}

/// A moment from stored microseconds; values no calendar can show become the epoch's nearest end.
pub fn from_micros(micros: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(micros).unwrap_or(if micros < 0 {
        DateTime::<Utc>::MIN_UTC
    } else {
        DateTime::<Utc>::MAX_UTC
    })
}
