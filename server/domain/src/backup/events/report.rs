//! What came of applying events, for the one who has to decide whether the doors open.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// How many, and which.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    /// How many.
    pub count: u64,
    /// Ids of the first twenty.
    pub things: Vec<String>,
}

impl Named {
    /// Things of one kind that are named; more are counted.
    pub const MOST: usize = 20;
}

/// What was read, and what came of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventsReport {
    /// Events in the files, each counted once.
    pub events: u64,
    /// Of those, events that are in the records, the same to the byte.
    pub known: u64,
    /// Of those, events from before the backup that it lacks: of an earlier restore. They are left alone.
    pub older: u64,
    /// Lines that told an event again.
    pub repeated: u64,
    /// Events that came after one that is younger.
    pub disordered: u64,
    /// Whether a file ended within a line: that one is not an event any more.
    pub cut: bool,
    /// SHA-256 of all lines but marks.
    pub digest: String,
    /// What was taken away, by the events' names.
    pub applied: BTreeMap<String, Named>,
    /// What was to be taken away and is so already, or is not here.
    pub done: BTreeMap<String, Named>,
    /// What was to be taken away and was not, and why.
    pub kept: BTreeMap<String, Named>,
    /// What may have taken something away, and cannot be repeated: somebody has to look.
    pub look: BTreeMap<String, Named>,
    /// What was made, given or changed after the backup, and is lost.
    pub lost: BTreeMap<String, Named>,
    /// Events of names that this program does not know, or that do not say what they should.
    pub unknown: BTreeMap<String, Named>,
    /// Where events are missing, in words.
    pub missing: Vec<String>,
    /// Up to when the records are as the events tell. What was done later is lost.
    pub until: DateTime<Utc>,
    /// Whether that is as late as was asked for.
    pub complete: bool,
    /// Whether the doors open.
    pub accepted: bool,
}

impl EventsReport {
    /// Whether everything that was to be taken away is, as far as anybody can see here: what may have been narrowed and is for
    /// people to look at is not known to be.
    pub fn is_whole(&self) -> bool {
        self.complete
            && self.kept.is_empty()
            && self.unknown.is_empty()
            && self.missing.is_empty()
            && self.look.is_empty()
    }
}

/// Counts a thing.
pub(super) fn name(all: &mut BTreeMap<String, Named>, what: &str, thing: &str) {
    let named = all.entry(what.to_owned()).or_default();
    named.count = named.count.saturating_add(1);
    if named.things.len() < Named::MOST && !named.things.iter().any(|it| it == thing) {
        named.things.push(thing.to_owned());
    }
}

/// How many in all.
pub(super) fn count(all: &BTreeMap<String, Named>) -> u64 {
    all.values().map(|named| named.count).sum()
}
