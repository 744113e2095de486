//! JSON: one object. `serde_json` says whether it is any; what it says of a number or a list would lose how that was
//! written, so the text is then walked along, and values are cut out of it as they stand.

use serde::de::IgnoredAny;

use super::found::Found;
use super::{Entry, Nested, Wrong, newlines};
use keywarden_model::{SecretKind, SecretPath};
use zeroize::Zeroizing;

/// The one member of an object that is a binary value.
pub(super) const BINARY: &str = "$binary";

pub(super) fn read(text: &str, nested: Nested, found: &mut Found) {
    if let Err(error) = serde_json::from_str::<IgnoredAny>(text) {
        // Its words can hold a piece of the text.
        return found.wrong(u64::try_from(error.line()).unwrap_or(1).max(1), Wrong::NotJson);
    }
    let mut walk = Walk { text, at: 0, counted: 0, line: 1, nested };
    walk.blanks();
    if walk.peek() == Some(b'{') {
        walk.object("", 0, found);
    } else {
        found.wrong(1, Wrong::NotAnObject);
    }
}

/// A place in a text that is known to be JSON.
struct Walk<'a> {
    text: &'a str,
    at: usize,
    /// Up to where lines are counted, and the line there.
    counted: usize,
    line: u64,
    nested: Nested,
}

impl<'a> Walk<'a> {
    /// The members of the object that begins here, below a folder.
    fn object(&mut self, folder: &str, depth: usize, found: &mut Found) {
        self.step();
        while !found.is_full() {
            self.blanks();
            match self.peek() {
                Some(b',') => self.step(),
                Some(b'"') => self.member(folder, depth, found),
                _ => {
                    self.step();
                    return;
                }
            }
        }
    }

    fn member(&mut self, folder: &str, depth: usize, found: &mut Found) {
        let line = self.line();
        let name = decoded(self.string());
        self.blanks();
        self.step(); // `:`
        self.blanks();
        let name = match (name, folder) {
            (Some(name), "") => name,
            (Some(name), folder) => format!("{folder}/{name}"),
            // Half of a surrogate pair.
            (None, _) => {
                self.value();
                return found.wrong(line, Wrong::NotJson);
            }
        };
        match self.peek() {
            Some(b'{') if let Some(text) = self.binary() => {
                self.value();
                match Entry::binary(line, name.as_str(), &text) {
                    Ok(entry) => found.entry(entry),
                    Err(wrong) => found.wrong_with(line, &name, wrong),
                }
            }
            Some(b'{') if self.nested == Nested::Folders => {
                if depth >= SecretPath::MAX_FOLDERS {
                    self.value();
                    return found.wrong_with(line, &name, Wrong::Deep);
                }
                self.object(&name, depth.saturating_add(1), found);
            }
            Some(b'[') if self.nested == Nested::Folders => {
                self.value();
                found.wrong_with(line, &name, Wrong::List);
            }
            Some(b'{' | b'[') => {
                let value = self.value().to_owned();
                found.entry(Entry { kind: Some(SecretKind::Json), ..Entry::new(line, name, value) });
            }
            Some(b'"') => match decoded(self.string()) {
                Some(value) => found.entry(Entry::new(line, name, value)),
                None => found.wrong_with(line, &name, Wrong::NotJson),
            },
            _ => match self.value() {
                "null" => found.wrong_with(line, &name, Wrong::NoValue),
                // A number is what was written, digit for digit.
                value => found.entry(Entry::new(line, name, value.to_owned())),
            },
        }
    }

    /// What the object that begins here has under `$binary`, if that is a text and all that it has.
    fn binary(&self) -> Option<Zeroizing<String>> {
        let at = self.at.saturating_add(1);
        let mut walk = Walk { text: self.text, at, counted: 0, line: 1, nested: self.nested };
        walk.blanks();
        if walk.peek() != Some(b'"') || decoded(walk.string()).as_deref() != Some(BINARY) {
            return None;
        }
        walk.blanks();
        walk.at = walk.at.saturating_add(1); // `:`
        walk.blanks();
        let text = (walk.peek() == Some(b'"')).then(|| decoded(walk.string())).flatten().map(Zeroizing::new);
        walk.blanks();
        text.filter(|_| walk.peek() == Some(b'}'))
    }

    /// Cuts out the value that begins here.
    fn value(&mut self) -> &'a str {
        let from = self.at;
        let mut depth = 0_usize;
        while let Some(byte) = self.peek() {
            match byte {
                b'"' => {
                    self.string();
                    continue;
                }
                b'{' | b'[' => depth = depth.saturating_add(1),
                b'}' | b']' | b',' if depth == 0 => break,
                b'}' | b']' => depth = depth.saturating_sub(1),
                _ => {}
            }
            self.step();
        }
        self.text.get(from..self.at).unwrap_or_default().trim_end()
    }

    /// Cuts out the string that begins here, with its quotes.
    fn string(&mut self) -> &'a str {
        let from = self.at;
        self.step();
        while let Some(byte) = self.peek() {
            self.at = self.at.saturating_add(if byte == b'\\' { 2 } else { 1 });
            if byte == b'"' {
                break;
            }
        }
        self.text.get(from..self.at).unwrap_or_default()
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn step(&mut self) {
        self.at = self.at.saturating_add(1);
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.step();
        }
    }

    fn line(&mut self) -> u64 {
        let since = self.text.as_bytes().get(self.counted..self.at).unwrap_or_default();
        self.line = self.line.saturating_add(newlines(since));
        self.counted = self.at;
        self.line
    }
}

fn decoded(string: &str) -> Option<String> {
    serde_json::from_str(string).ok()
}
