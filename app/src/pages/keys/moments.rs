//! Instants in a form's fields, in UTC to the minute.

use chrono::{DateTime, NaiveDateTime, Utc};

/// What a `datetime-local` field posts; browsers add seconds when they are not zero.
pub(crate) fn read(text: &str) -> Option<DateTime<Utc>> {
    let read = |format| NaiveDateTime::parse_from_str(text, format).ok();
    ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"].into_iter().find_map(read).map(|at| at.and_utc())
}

/// For such a field to begin with.
pub(crate) fn field(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%dT%H:%M").to_string()
}

/// Within a sentence.
pub(crate) fn minute(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M UTC").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_read_as_it_was_written() {
        let at = read("2027-02-23T14:00").unwrap();
        assert_eq!(field(at), "2027-02-23T14:00");
        assert_eq!(minute(at), "2027-02-23 14:00 UTC");
        assert_eq!(read("2027-02-23T14:00:00"), Some(at));
        for wrong in ["", "2027-02-23", "2027-02-30T14:00", "tomorrow"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
