//! What is wrong with a file.

use std::fmt;

use super::{MAX_FILE, MOST_ENTRIES};

/// The most flaws that are told of one file.
pub(super) const MOST_FLAWS: usize = 50;

/// One thing that is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileFlaw {
    /// On which line; `None`: of the whole file.
    pub line: Option<u64>,
    /// With which entry, where it has a name.
    pub name: Option<String>,
    /// What.
    pub wrong: Wrong,
}

/// What can be wrong with the text of a file. Says nothing of what values are.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Wrong {
    /// Something stands between a closing quote and the end of its line.
    #[error("only a comment may stand behind the closing quote")]
    AfterQuote,
    /// An alias, or an anchor for one.
    #[error("write the value out: anchors and aliases are not followed")]
    Alias,
    /// A backslash before something that it does not escape.
    #[error("a backslash in double quotes escapes n, r, t, \", $, ` and itself: write two for one")]
    BadEscape,
    /// What stands before `=` is no name.
    #[error("write a name of letters, digits, `_`, `.` and `-` before the `=`, no digit first")]
    BadName,
    /// A row with more or fewer cells than the header.
    #[error("the row has {found} cells, and the header {expected}")]
    Cells {
        /// Cells of the row.
        found: usize,
        /// Cells of the header.
        expected: usize,
    },
    /// A column that means nothing, or means something twice.
    #[error(
        "columns are `path` (or `name`), `value`, `description`, `tags`, `kind` and `template`, each once"
    )]
    Columns,
    /// More objects in each other than a path can have folders.
    #[error("folders lie in each other more deeply than a path can")]
    Deep,
    /// The same name twice.
    #[error("this name stands on line {first} already")]
    Repeated {
        /// Where it stood first.
        first: u64,
    },
    /// No entry at all.
    #[error("there is nothing in this file")]
    Empty,
    /// The kind is none.
    #[error("the kind is `text`, `json` or `binary`")]
    Kind,
    /// A list where a value should be.
    #[error("a list is no value: write it as text")]
    List,
    /// No `=`.
    #[error("write `NAME=value`")]
    NoEquals,
    /// A name that is no text.
    #[error("a name is a text")]
    NoName,
    /// No value.
    #[error("there is no value: write one, or remove the entry")]
    NoValue,
    /// The file is not one object.
    #[error("the file must be one object of names and values")]
    NotAnObject,
    /// Said to be binary, and not written as that is.
    #[error("write a binary value in base64: A to Z, a to z, 0 to 9, `+`, `/`, and `=` at the end")]
    NotBase64,
    /// Not JSON.
    #[error("this is not JSON")]
    NotJson,
    /// Not UTF-8.
    #[error("this is not UTF-8: save the file in that encoding")]
    NotUtf8,
    /// Not YAML.
    #[error("this is not YAML")]
    NotYaml,
    /// A NUL.
    #[error("a NUL is no text: write this value as a binary one, in base64")]
    Nul,
    /// A quote within a cell that does not begin with one.
    #[error("a cell that holds a quote begins and ends with one, and doubles those within")]
    Quote,
    /// Several documents.
    #[error("the file must be one document")]
    Several,
    /// A tag that says what a value is.
    #[error("write the value as text: no tag is read but `!!binary`")]
    Tagged,
    /// Neither a template nor none.
    #[error("whether it is a template is `true` or `false`")]
    Template,
    /// Too many bytes.
    #[error("the file is too large: use at most {} KiB", MAX_FILE / 1024)]
    TooLarge,
    /// Too many entries.
    #[error("a file may hold at most {MOST_ENTRIES} entries")]
    TooMany,
    /// A quote that is never closed.
    #[error("the quote that opens here is never closed")]
    Unclosed,
}

/// Why a file was not read: everything that is wrong with it, as far as it is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileError {
    /// In the order of the file; never empty.
    pub flaws: Vec<FileFlaw>,
    /// Whether there are more than these.
    pub more: bool,
}

impl FileError {
    pub(super) fn whole(wrong: Wrong) -> Self {
        Self { flaws: vec![FileFlaw { line: None, name: None, wrong }], more: false }
    }

    pub(super) fn at(line: u64, wrong: Wrong) -> Self {
        Self { flaws: vec![FileFlaw { line: Some(line), name: None, wrong }], more: false }
    }
}

impl fmt::Display for FileFlaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.line, &self.name) {
            (Some(line), Some(name)) => write!(f, "line {line}: `{name}`: {}", self.wrong),
            (Some(line), None) => write!(f, "line {line}: {}", self.wrong),
            (None, _) => self.wrong.fmt(f),
        }
    }
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, flaw) in self.flaws.iter().enumerate() {
            write!(f, "{}{flaw}", if n == 0 { "" } else { "; " })?;
        }
        f.write_str(if self.more { "; and more" } else { "" })
    }
}

impl std::error::Error for FileError {}
