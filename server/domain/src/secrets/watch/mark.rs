//! Where a watcher goes on: behind an event, or behind an instant.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use keywarden_model::time::{from_micros, micros};
use keywarden_model::{EventId, TypedId};

/// How far somebody was told. An instant alone would fit any record; with an event that was there it fits this one, and
/// none that was restored from before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// The change that was told of; of an instant, one that was there by then.
    pub event: EventId,
    /// Until when time was told of, where it was time that was told of.
    pub until: Option<DateTime<Utc>>,
}

/// It is no mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not where a watcher goes on")]
pub struct MarkError;

impl Mark {
    /// When it was: what took place by then was told of, but for what had not been committed yet.
    pub(super) fn at(&self) -> DateTime<Utc> {
        self.until.unwrap_or_else(|| self.event.made_at())
    }
}

/// `evt_…`, of an instant `evt_….1800000000000000`.
impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.until {
            Some(until) => write!(f, "{}.{}", self.event, micros(until)),
            None => write!(f, "{}", self.event),
        }
    }
}

impl FromStr for Mark {
    type Err = MarkError;
    fn from_str(text: &str) -> Result<Self, MarkError> {
        let (event, until) = match text.split_once('.') {
            Some((event, until)) => (event, Some(instant(until).ok_or(MarkError)?)),
            None => (text, None),
        };
        Ok(Self { event: event.parse().map_err(|_| MarkError)?, until })
    }
}

/// Digits alone, so that one instant is never written in two ways; and one that a time stays in range around.
fn instant(text: &str) -> Option<DateTime<Utc>> {
    let written = (1..=16).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    written.then(|| text.parse().ok().map(from_micros)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_comes_back_as_it_was_told() {
        let event = "evt_01JDB2W1N9F6Q3R8T5V7X9Z0AB";
        for text in [event.to_owned(), format!("{event}.1800000000000000"), format!("{event}.0")] {
            assert_eq!(text.parse::<Mark>().unwrap().to_string(), text);
        }
        for tail in [".", ".x", ".-1", ".+1", ".1.1", ".18000000000000000", " "] {
            assert_eq!(format!("{event}{tail}").parse::<Mark>(), Err(MarkError), "{tail}");
        }
        assert_eq!("1800000000000000".parse::<Mark>(), Err(MarkError));
    }
}
