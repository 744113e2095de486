//! What has been found in a file so far.

use std::collections::HashMap;

use keywarden_model::SecretKind;

use super::flaw::MOST_FLAWS;
use super::{Entry, FileError, FileFlaw, MOST_ENTRIES, Wrong};

/// Names are told only as far as this, in characters.
const SHOWN: usize = 80;

/// Entries and flaws, in the order of the file.
#[derive(Debug, Default)]
pub(super) struct Found {
    entries: Vec<Entry>,
    lines: HashMap<String, u64>,
    flaws: Vec<FileFlaw>,
    more: bool,
    too_many: bool,
}

impl Found {
    /// Whether nothing that comes can change what is told: who reads on works for nobody.
    pub(super) fn is_full(&self) -> bool {
        self.more || self.too_many
    }

    /// No more is read of a file that is refused anyway.
    pub(super) fn give_up(&mut self) {
        self.more = true;
    }

    /// Takes an entry; a name that was there is a flaw.
    pub(super) fn entry(&mut self, entry: Entry) {
        if let Some(first) = self.lines.get(&entry.name).copied() {
            return self.wrong_with(entry.line, &entry.name, Wrong::Repeated { first });
        }
        // JSON can write one.
        if entry.kind != Some(SecretKind::Binary) && entry.value.expose().contains(&0) {
            return self.wrong_with(entry.line, &entry.name, Wrong::Nul);
        }
        if self.entries.len() == MOST_ENTRIES {
            return self.note(FileFlaw { line: Some(entry.line), name: None, wrong: Wrong::TooMany });
        }
        self.lines.insert(entry.name.clone(), entry.line);
        self.entries.push(entry);
    }

    /// Something is wrong on a line.
    pub(super) fn wrong(&mut self, line: u64, wrong: Wrong) {
        self.note(FileFlaw { line: Some(line), name: None, wrong });
    }

    /// Something is wrong with an entry whose name can be told.
    pub(super) fn wrong_with(&mut self, line: u64, name: &str, wrong: Wrong) {
        let name = name.chars().filter(|c| !c.is_control()).take(SHOWN).collect();
        self.note(FileFlaw { line: Some(line), name: Some(name), wrong });
    }

    fn note(&mut self, flaw: FileFlaw) {
        self.too_many |= flaw.wrong == Wrong::TooMany;
        if self.flaws.len() < MOST_FLAWS {
            self.flaws.push(flaw);
        } else {
            self.more = true;
        }
    }

    /// All entries, or all flaws.
    pub(super) fn end(self) -> Result<Vec<Entry>, FileError> {
        if !self.flaws.is_empty() {
            return Err(FileError { flaws: self.flaws, more: self.more });
        }
        if self.entries.is_empty() { Err(FileError::whole(Wrong::Empty)) } else { Ok(self.entries) }
    }
}
