//! YAML 1.2: one mapping, perhaps of mappings, which are folders.
//!
//! The parser's events are read, not values made of them: a scalar is its text, so that `no`, `1.10` and `0o17` stay what
//! was written. What would make a value of something else (aliases, tags but `!!binary`, lists) is refused.

use saphyr_parser::{Event, Parser, ScalarStyle};

use super::found::Found;
use super::{Entry, MOST_ENTRIES, Wrong};
use keywarden_model::SecretPath;

/// Events within things that were refused, after which the file is read no further.
const MOST_REFUSED: usize = MOST_ENTRIES;
/// Events of a file: twice as many as there are where each entry lies in as many folders of its own as a path can have.
const MOST_EVENTS: usize = MOST_ENTRIES * 2 * (2 + 3 * SecretPath::MAX_FOLDERS);

/// What the next event is, within the mappings that are open.
enum Place {
    Name,
    Value {
        line: u64,
        name: String,
    },
    /// A part of something that was refused, so many levels deep.
    Refused(usize),
}

struct Reader<'f> {
    found: &'f mut Found,
    /// The folders of the mappings that are open.
    folders: Vec<String>,
    place: Place,
    documents: usize,
    events: usize,
    refused: usize,
}

pub(super) fn read(text: &str, found: &mut Found) {
    let place = Place::Name;
    let mut reader = Reader { found, folders: Vec::new(), place, documents: 0, events: 0, refused: 0 };
    // It may look for more behind the end.
    let lines = (text.matches(['\n', '\r']).count() as u64).saturating_add(1);
    let within = |line: usize| u64::try_from(line).unwrap_or(1).clamp(1, lines);
    for event in Parser::new_from_str(text) {
        match event {
            Ok((event, span)) => {
                let line = within(span.start.line());
                if reader.take(event, line).is_none() || reader.is_over(line) {
                    return;
                }
            }
            // Its words can hold a piece of the text.
            Err(error) => {
                return reader.found.wrong(within(error.marker().line()), Wrong::NotYaml);
            }
        }
    }
}

impl Reader<'_> {
    /// Whether all is known that is told of this file.
    fn is_over(&mut self, line: u64) -> bool {
        self.events = self.events.saturating_add(1);
        if self.events > MOST_EVENTS {
            self.found.wrong(line, Wrong::TooMany);
        }
        if matches!(self.place, Place::Refused(_)) {
            self.refused = self.refused.saturating_add(1);
            if self.refused > MOST_REFUSED {
                self.found.give_up();
            }
        }
        self.found.is_full()
    }

    /// Takes one event; `None`: nothing after it makes sense.
    fn take(&mut self, event: Event<'_>, line: u64) -> Option<()> {
        match event {
            Event::DocumentStart(_) => {
                self.documents = self.documents.saturating_add(1);
                if self.documents > 1 {
                    self.found.wrong(line, Wrong::Several);
                    return None;
                }
            }
            Event::Alias(_) => self.refuse(line, Wrong::Alias),
            Event::MappingStart(anchor, tag) => self.opens(line, anchor, tag.is_some())?,
            Event::SequenceStart(..) => match &mut self.place {
                Place::Refused(depth) => *depth = depth.saturating_add(1),
                _ if self.folders.is_empty() => {
                    self.found.wrong(line, Wrong::NotAnObject);
                    return None;
                }
                _ => {
                    self.refuse(line, Wrong::List);
                    self.place = Place::Refused(1);
                }
            },
            Event::MappingEnd | Event::SequenceEnd => match &mut self.place {
                Place::Refused(depth) if *depth > 1 => *depth = depth.saturating_sub(1),
                Place::Refused(_) => self.place = Place::Name,
                _ => {
                    self.folders.pop();
                    self.place = Place::Name;
                }
            },
            Event::Scalar(text, style, anchor, tag) => {
                if matches!(self.place, Place::Refused(_)) {
                    return Some(());
                }
                if self.folders.is_empty() {
                    self.scalar_alone(line, &text, style);
                    return None;
                }
                if anchor != 0 {
                    self.refuse(line, Wrong::Alias);
                } else if let Some(tag) = tag {
                    if tag.is_yaml_core_schema() && tag.suffix == "binary" {
                        self.binary(line, &text);
                    } else {
                        self.refuse(line, Wrong::Tagged);
                    }
                } else {
                    self.scalar(line, &text, style);
                }
            }
            _ => {}
        }
        Some(())
    }

    /// A file of nothing, or of one text.
    fn scalar_alone(&mut self, line: u64, text: &str, style: ScalarStyle) {
        if !is_null(text, style) {
            self.found.wrong(line, Wrong::NotAnObject);
        }
    }

    fn scalar(&mut self, line: u64, text: &str, style: ScalarStyle) {
        self.place = match std::mem::replace(&mut self.place, Place::Name) {
            Place::Name => {
                let folder = self.folders.last().map_or("", String::as_str);
                let name = if folder.is_empty() { text.to_owned() } else { format!("{folder}/{text}") };
                Place::Value { line, name }
            }
            Place::Value { line, name } if is_null(text, style) => {
                self.found.wrong_with(line, &name, Wrong::NoValue);
                Place::Name
            }
            Place::Value { line, name } => {
                self.found.entry(Entry::new(line, name, text.to_owned()));
                Place::Name
            }
            refused @ Place::Refused(_) => refused,
        };
    }

    /// A value in base64; a name is none.
    fn binary(&mut self, line: u64, text: &str) {
        match std::mem::replace(&mut self.place, Place::Name) {
            Place::Value { line, name } => match Entry::binary(line, name.as_str(), text) {
                Ok(entry) => self.found.entry(entry),
                Err(wrong) => self.found.wrong_with(line, &name, wrong),
            },
            place => {
                self.place = place;
                self.refuse(line, Wrong::Tagged);
            }
        }
    }

    fn opens(&mut self, line: u64, anchor: usize, tagged: bool) -> Option<()> {
        let wrong = match &mut self.place {
            Place::Refused(depth) => {
                *depth = depth.saturating_add(1);
                return Some(());
            }
            Place::Name if self.folders.is_empty() && anchor == 0 && !tagged => {
                self.folders.push(String::new());
                return Some(());
            }
            Place::Name => Wrong::NoName,
            Place::Value { .. } if anchor != 0 => Wrong::Alias,
            Place::Value { .. } if tagged => Wrong::Tagged,
            Place::Value { .. } if self.folders.len() > SecretPath::MAX_FOLDERS => Wrong::Deep,
            Place::Value { name, .. } => {
                self.folders.push(std::mem::take(name));
                self.place = Place::Name;
                return Some(());
            }
        };
        let is_name = matches!(self.place, Place::Name);
        self.refuse(line, wrong);
        if is_name {
            // Where a name should be, one cannot tell any more which is which.
            return None;
        }
        self.place = Place::Refused(1);
        Some(())
    }

    /// Tells what is wrong with the name or value at hand, and goes on behind it.
    fn refuse(&mut self, line: u64, wrong: Wrong) {
        match std::mem::replace(&mut self.place, Place::Name) {
            Place::Name => {
                self.found.wrong(line, wrong);
                // The value that belongs to it is passed over.
                self.place = Place::Value { line, name: String::new() };
            }
            Place::Value { name, .. } => self.found.wrong_with(line, &name, wrong),
            refused @ Place::Refused(_) => self.place = refused,
        }
    }
}

/// What YAML's core schema takes for nothing.
fn is_null(text: &str, style: ScalarStyle) -> bool {
    style == ScalarStyle::Plain && matches!(text, "" | "~" | "null" | "Null" | "NULL")
}
