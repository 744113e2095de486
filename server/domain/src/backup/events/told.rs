//! An event as a file tells it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use keywarden_model::EventId;
use serde::Deserialize;
use serde_json::Value;

use crate::audit::VERSION;

/// What is read of an event. What is not told of here is not needed.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Told {
    pub(super) id: EventId,
    pub(super) at: DateTime<Utc>,
    pub(super) actor: Thing,
    pub(super) action: String,
    pub(super) outcome: String,
    pub(super) resource: Thing,
    #[serde(default)]
    decision: Option<Decision>,
    #[serde(default)]
    facts: BTreeMap<String, Value>,
    #[serde(default)]
    changes: BTreeMap<String, Change>,
}

/// An actor, or a thing.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Thing {
    pub(super) id: String,
}

#[derive(Debug, Clone, Deserialize)]
struct Decision {
    counter: i64,
}

#[derive(Debug, Clone, Deserialize)]
struct Change {
    to: Value,
}

#[derive(Deserialize)]
struct Version {
    v: u32,
}

/// Why a line is no event.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum NoEvent {
    #[error(
        "it is an event of version {0}, and this program knows those up to {VERSION}: use the newer program"
    )]
    Newer(u32),
    #[error("it is no event: {0}")]
    Other(String),
}

impl Told {
    pub(super) fn read(line: &[u8]) -> Result<Self, NoEvent> {
        let other = |cause: serde_json::Error| NoEvent::Other(cause.to_string());
        let Version { v } = serde_json::from_slice(line).map_err(other)?;
        if v > VERSION {
            return Err(NoEvent::Newer(v));
        }
        serde_json::from_slice(line).map_err(other)
    }

    /// The change counter that it was decided under.
    pub(super) fn counter(&self) -> Option<i64> {
        self.decision.as_ref().map(|it| it.counter)
    }

    /// The thing's id; `None` if it is of another kind.
    pub(super) fn thing<T: std::str::FromStr>(&self) -> Option<T> {
        self.resource.id.parse().ok()
    }

    /// A fact that is a text.
    pub(super) fn fact<T: std::str::FromStr>(&self, name: &str) -> Option<T> {
        text(self.facts.get(name)?)
    }

    /// A fact that is a whole number.
    pub(super) fn number(&self, name: &str) -> Option<i64> {
        self.facts.get(name)?.as_i64()
    }

    /// What a field became.
    pub(super) fn became<T: std::str::FromStr>(&self, field: &str) -> Option<T> {
        text(&self.changes.get(field)?.to)
    }

    /// Which fields changed.
    pub(super) fn changed(&self) -> impl Iterator<Item = &str> {
        self.changes.keys().map(String::as_str)
    }
}

fn text<T: std::str::FromStr>(value: &Value) -> Option<T> {
    value.as_str()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_an_event_of_a_version_that_is_known_or_says_why_not() {
        let event = r#"{"action":"key.revoke","actor":{"id":"usr_1","kind":"person"},"at":"2026-01-02T03:04:05.000006Z",
            "facts":{"reason":"superseded","n":3},"id":"evt_01JDB2W1N9F6Q3R8T5V7X9Z0AB","outcome":"allowed",
            "resource":{"id":"key_1","kind":"key"},"decision":{"counter":7},"v":1}"#;
        let told = Told::read(event.as_bytes()).unwrap();
        assert_eq!((told.counter(), told.number("n")), (Some(7), Some(3)));
        assert_eq!(told.fact::<String>("reason").as_deref(), Some("superseded"));
        assert_eq!(told.fact::<EventId>("reason"), None);
        let newer = Told::read(event.replace("\"v\":1", "\"v\":2").as_bytes()).unwrap_err();
        assert_eq!(newer, NoEvent::Newer(2));
        for line in ["", "{", "[]", "{\"v\":1}", "{\"id\":\"evt_1\"}"] {
            assert!(matches!(Told::read(line.as_bytes()), Err(NoEvent::Other(_))), "{line}");
        }
    }
}
