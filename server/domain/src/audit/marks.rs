//! Marks in a file of events: lines between the others that say how many events stand before them, and their hash, so that a
//! file out of which some were cut does not pass for whole. Nothing signs them: they hold against loss, not against whoever
//! writes the file anew.

use serde::Deserialize;
use sha2::{Digest as _, Sha256};

/// What a file of events holds so far.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    events: u64,
    hash: Sha256,
}

/// A mark: `{"mark":{"events":12,"sha256":"…"}}`, the hash in hexadecimal digits, over each event's line with its end.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mark {
    events: u64,
    sha256: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    mark: Mark,
}

impl Tally {
    /// Counts an event; `line` is without its end.
    pub fn add(&mut self, line: &[u8]) {
        self.events = self.events.saturating_add(1);
        self.hash.update(line);
        self.hash.update(b"\n");
    }

    /// How many there are.
    pub fn events(&self) -> u64 {
        self.events
    }

    /// The mark of what there is.
    pub fn mark(&self) -> Mark {
        Mark { events: self.events, sha256: hex::encode(self.hash.clone().finalize()) }
    }

    /// What is wrong, in words that follow "the mark says"; `None`: a mark that says what is there.
    pub fn misfit(&self, mark: &Mark) -> Option<String> {
        let there = self.mark();
        if mark.events != there.events {
            return Some(format!("that {} events stand before it, and {} do", mark.events, there.events));
        }
        (*mark != there).then(|| "that other events stand before it, or in another order".to_owned())
    }
}

impl Mark {
    /// The mark that a line is, if it is one.
    pub fn read(line: &[u8]) -> Option<Self> {
        serde_json::from_slice::<Line>(line).ok().map(|line| line.mark)
    }

    /// The line that it is, without its end.
    pub fn to_line(&self) -> String {
        format!("{{\"mark\":{{\"events\":{},\"sha256\":\"{}\"}}}}", self.events, self.sha256)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(lines: &[&str]) -> Tally {
        let mut tally = Tally::default();
        for line in lines {
            tally.add(line.as_bytes());
        }
        tally
    }

    #[test]
    fn a_mark_fits_the_events_before_it_and_no_others() {
        let whole = tally(&["{\"a\":1}", "{\"b\":2}", "{\"c\":3}"]);
        let mark = whole.mark();
        assert_eq!(Mark::read(mark.to_line().as_bytes()).unwrap(), mark);
        assert_eq!(whole.misfit(&mark), None);
        for (others, says) in [
            (&["{\"a\":1}", "{\"c\":3}"][..], "3 events stand before it, and 2 do"),
            (&["{\"a\":1}", "{\"c\":3}", "{\"b\":2}"], "other events"),
            (&["{\"a\":1}", "{\"b\":2}", "{\"c\":4}"], "other events"),
            (&["{\"a\":1}\n{\"b\":2}", "{\"c\":3}", ""], "other events"),
        ] {
            let said = tally(others).misfit(&mark).unwrap();
            assert!(said.contains(says), "{others:?}: {said}");
        }
        // RFC 6234 of nothing at all.
        assert!(Tally::default().mark().to_line().contains("e3b0c44298fc1c149afbf4c8996fb924"));
    }

    #[test]
    fn an_event_is_no_mark() {
        for line in [
            "",
            "{}",
            "{\"v\":1,\"id\":\"evt_1\"}",
            "{\"mark\":{\"events\":1}}",
            "{\"mark\":{\"events\":-1,\"sha256\":\"\"}}",
        ] {
            assert_eq!(Mark::read(line.as_bytes()), None, "{line}");
        }
        let more = "{\"mark\":{\"events\":1,\"sha256\":\"\"},\"id\":\"evt_1\"}";
        assert_eq!(Mark::read(more.as_bytes()), None);
    }
}
