//! CSV (RFC 4180): a header, then a row for each value.
//!
//! Readers differ in what they make of a quote that stands where none may: such a file is refused first, so that no value
//! comes out other than it looks.

use super::found::Found;
use super::{Entry, Wrong, newlines};
use keywarden_model::SecretKind;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Column {
    Description,
    Kind,
    Path,
    Tags,
    Template,
    Value,
}

impl Column {
    fn of(heading: &str) -> Option<Self> {
        match heading.trim().to_ascii_lowercase().as_str() {
            "description" => Some(Self::Description),
            "kind" => Some(Self::Kind),
            "name" | "path" => Some(Self::Path),
            "tags" => Some(Self::Tags),
            "template" => Some(Self::Template),
            "value" => Some(Self::Value),
            _ => None,
        }
    }
}

pub(super) fn read(text: &str, found: &mut Found) {
    if let Err((line, wrong)) = quotes(text) {
        return found.wrong(line, wrong);
    }
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
    let mut lines = Lines { text, counted: 0, line: 1 };
    let mut columns = None;
    let mut record = csv::StringRecord::new();
    while !found.is_full() {
        match reader.read_record(&mut record) {
            Ok(true) => {}
            Ok(false) => return,
            // It is UTF-8, and rows may be of any length: nothing is left to go wrong.
            Err(_) => return found.wrong(1, Wrong::Columns),
        }
        let line = lines.at(record.position().map_or(0, csv::Position::byte));
        match &columns {
            None => match header(&record) {
                Some(known) => columns = Some(known),
                None => return found.wrong(line, Wrong::Columns),
            },
            Some(columns) if record.len() != columns.len() => {
                found.wrong(line, Wrong::Cells { found: record.len(), expected: columns.len() });
            }
            Some(columns) => row(line, columns, &record, found),
        }
    }
}

/// Which line a row begins in. The reader tells where it read on, which may be before the ends of lines that precede it.
struct Lines<'a> {
    text: &'a str,
    counted: usize,
    line: u64,
}

impl Lines<'_> {
    fn at(&mut self, byte: u64) -> u64 {
        let rest = usize::try_from(byte).ok().and_then(|at| self.text.get(at..)).unwrap_or_default();
        let begins = self.text.len().saturating_sub(rest.trim_start_matches(['\r', '\n']).len());
        let passed = self.text.get(self.counted..begins).unwrap_or_default();
        self.line = self.line.saturating_add(newlines(passed.as_bytes()));
        self.counted = begins;
        self.line
    }
}

/// What each column holds: each at most once, path and value among them.
fn header(record: &csv::StringRecord) -> Option<Vec<Column>> {
    let columns: Vec<_> = record.iter().map(Column::of).collect::<Option<_>>()?;
    let once =
        columns.iter().enumerate().all(|(n, it)| columns.iter().position(|other| other == it) == Some(n));
    let needed = [Column::Path, Column::Value].iter().all(|it| columns.contains(it));
    (once && needed).then_some(columns)
}

fn row(line: u64, columns: &[Column], record: &csv::StringRecord, found: &mut Found) {
    let cell = |wanted| {
        let cells = columns.iter().zip(record).find(|(column, _)| **column == wanted);
        cells.map(|(_, cell)| cell).filter(|cell| !cell.is_empty())
    };
    let Some(name) = cell(Column::Path) else { return found.wrong(line, Wrong::NoName) };
    let Some(value) = cell(Column::Value) else { return found.wrong_with(line, name, Wrong::NoValue) };
    let kind = match cell(Column::Kind).map(str::trim).map(str::parse) {
        None => None,
        Some(Ok(kind)) => Some(kind),
        Some(Err(_)) => return found.wrong_with(line, name, Wrong::Kind),
    };
    let entry = match kind {
        Some(SecretKind::Binary) => Entry::binary(line, name, value),
        _ => Ok(Entry::new(line, name, value.to_owned())),
    };
    let entry = match entry {
        Ok(entry) => entry,
        Err(wrong) => return found.wrong_with(line, name, wrong),
    };
    let template = match cell(Column::Template).map(str::trim).map(str::parse) {
        None => None,
        Some(Ok(template)) => Some(template),
        Some(Err(_)) => return found.wrong_with(line, name, Wrong::Template),
    };
    let words = |text: &str| {
        text.split([',', '\n']).map(str::trim).filter(|it| !it.is_empty()).map(str::to_owned).collect()
    };
    found.entry(Entry {
        kind,
        // An empty cell says nothing: what is there stays.
        description: cell(Column::Description).map(str::to_owned),
        tags: cell(Column::Tags).map(words),
        template,
        ..entry
    });
}

/// Whether every quote stands where one may.
fn quotes(text: &str) -> Result<(), (u64, Wrong)> {
    enum At {
        /// Where a cell begins.
        Start,
        Bare,
        Quoted(u64),
        /// Behind a quote within quotes: it closes the cell, or a second one follows.
        Closing(u64),
    }
    let (mut at, mut line) = (At::Start, 1);
    for byte in text.bytes() {
        at = match (at, byte) {
            (At::Start, b'"') => At::Quoted(line),
            (At::Quoted(since), b'"') => At::Closing(since),
            (At::Closing(since), b'"') | (At::Quoted(since), _) => At::Quoted(since),
            (_, b',' | b'\n' | b'\r') => At::Start,
            (At::Bare, b'"') | (At::Closing(_), _) => return Err((line, Wrong::Quote)),
            (At::Bare | At::Start, _) => At::Bare,
        };
        line = line.saturating_add((byte == b'\n').into());
    }
    match at {
        At::Quoted(since) => Err((since, Wrong::Unclosed)),
        _ => Ok(()),
    }
}
