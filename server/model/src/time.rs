//! Moments are UTC at microseconds, the precision both engines keep. What is reckoned from one stays within the years that
//! RFC 3339 can write, 0001 to 9999, and stops at their ends: no span that somebody chose makes a sum fail.

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};

/// Cuts a moment to whole microseconds.
pub fn to_micros_precision(at: DateTime<Utc>) -> DateTime<Utc> {
    at.trunc_subsecs(6)
}

/// Microseconds since the Unix epoch, as the store keeps them.
pub fn micros(at: DateTime<Utc>) -> i64 {
    at.timestamp_micros()
}

/// A moment from stored microseconds; values no calendar can show become the epoch's nearest end.
pub const fn from_micros(micros: i64) -> DateTime<Utc> {
    match DateTime::from_timestamp_micros(micros) {
        Some(at) => at,
        None if micros < 0 => DateTime::<Utc>::MIN_UTC,
        None => DateTime::<Utc>::MAX_UTC,
    }
}

/// The moment that an RFC 3339 text names, to whole microseconds. None of a text that names none, nor of one that lies in a
/// year that no such text can name once it is in UTC.
pub fn instant(text: &str) -> Option<DateTime<Utc>> {
    let at = to_micros_precision(DateTime::parse_from_rfc3339(text).ok()?.to_utc());
    (FIRST..=LAST).contains(&at).then_some(at)
}

/// A span of so many seconds; more than any span can be is the longest.
pub fn seconds(count: i64) -> TimeDelta {
    TimeDelta::try_seconds(count).unwrap_or(if count < 0 { TimeDelta::MIN } else { TimeDelta::MAX })
}

/// The first moment that a sum of time comes to: the year 1 begins.
pub const FIRST: DateTime<Utc> = from_micros(-62_135_596_800_000_000);
/// The last moment that a sum of time comes to: the year 9999 ends.
pub const LAST: DateTime<Utc> = from_micros(253_402_300_799_999_999);

/// The moment that lies `span` after `at`, or before it if `span` is less than nothing.
pub fn later(at: DateTime<Utc>, span: TimeDelta) -> DateTime<Utc> {
    let end = if span < TimeDelta::zero() { FIRST } else { LAST };
    at.checked_add_signed(span).unwrap_or(end).clamp(FIRST, LAST)
}

/// The moment that lies `span` before `at`, or after it if `span` is less than nothing.
pub fn earlier(at: DateTime<Utc>, span: TimeDelta) -> DateTime<Utc> {
    let end = if span < TimeDelta::zero() { LAST } else { FIRST };
    at.checked_sub_signed(span).unwrap_or(end).clamp(FIRST, LAST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_of_time_stop_where_rfc_3339_does() {
        assert_eq!(FIRST.to_rfc3339(), "0001-01-01T00:00:00+00:00");
        assert_eq!(LAST.to_rfc3339(), "9999-12-31T23:59:59.999999+00:00");
        let at = from_micros(1_795_615_200_000_000);
        for span in [TimeDelta::MAX, TimeDelta::days(3_000_000)] {
            assert_eq!((later(at, span), earlier(at, span)), (LAST, FIRST));
            assert_eq!((later(at, -span), earlier(at, -span)), (FIRST, LAST));
        }
        assert_eq!((later(LAST, TimeDelta::MIN), earlier(FIRST, TimeDelta::MIN)), (FIRST, LAST));
        assert_eq!(later(DateTime::<Utc>::MAX_UTC, TimeDelta::zero()), LAST);
        assert_eq!((later(at, seconds(i64::MAX)), later(at, seconds(i64::MIN))), (LAST, FIRST));
    }

    #[test]
    fn an_instant_is_one_that_can_be_written_again() {
        for (text, at) in [
            ("9999-12-31T23:59:59.9999999+00:00", Some(LAST)),
            ("0001-01-01T00:00:00Z", Some(FIRST)),
            ("2026-11-25T12:00:00+02:00", Some(from_micros(1_795_600_800_000_000))),
            ("9999-12-31T23:59:59-01:00", None),
            ("0001-01-01T00:00:00+00:01", None),
            ("0000-01-01T00:00:00Z", None),
            ("tomorrow", None),
            ("", None),
        ] {
            assert_eq!(instant(text), at, "{text}");
        }
    }

    #[test]
    fn later_and_earlier_undo_each_other() {
        let at = from_micros(1_795_615_200_000_000);
        assert_eq!(later(at, TimeDelta::days(1)) - at, TimeDelta::days(1));
        assert_eq!(earlier(later(at, TimeDelta::microseconds(-7)), TimeDelta::microseconds(-7)), at);
    }
}
