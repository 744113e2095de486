//! Files that hold many values: `.env`, JSON, YAML, CSV, on their way in and out.
//!
//! What is read is only taken apart here: each entry says where it stood, what it is called and what its value is. All that
//! is wrong with a file is told at once, with its line, and never with the text of a value: a file that is not what it
//! seems must not end up in a message. Nothing is guessed: what two programs might read in two ways is refused.
//!
//! A binary value stands in base64 (RFC 4648, section 4) and says so: by the kind `binary` in CSV, as
//! `{ "$binary": "…" }` in JSON, as `!!binary "…"` in YAML. A `.env` has no word for it.
//!
//! **Invariants:** a file is at most [`MAX_FILE`] bytes, has at most [`MOST_ENTRIES`] entries, and nothing here recurses
//! deeper than a path may be.

mod csv;
mod dotenv;
mod flaw;
mod found;
mod json;
mod write;
mod yaml;

use std::fmt;
use std::str::FromStr;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use keywarden_model::SecretKind;
use keywarden_vault::SecretBytes;
use zeroize::Zeroizing;

pub use flaw::{FileError, FileFlaw, Wrong};
pub use write::{Line, WriteError, text_of, variable, write};

use found::Found;

/// The longest file, in bytes.
pub const MAX_FILE: usize = 512 * 1024;
/// The most entries of a file.
pub const MOST_ENTRIES: usize = 1_000;

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FileFormat {
    /// A header with `path` (or `name`) and `value`, perhaps `description`, `tags`, `kind` and `template` (RFC 4180).
    Csv,
    /// `NAME=value`, as shells and dotenv read it.
    Dotenv,
    /// One object.
    Json,
    /// One mapping (YAML 1.2).
    Yaml,
}

/// No such format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("use `dotenv`, `json`, `yaml` or `csv`")]
pub struct FileFormatError;

impl FileFormat {
    /// Every format, alphabetical.
    pub const ALL: [Self; 4] = [Self::Csv, Self::Dotenv, Self::Json, Self::Yaml];

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Dotenv => "dotenv",
            Self::Json => "json",
            Self::Yaml => "yaml",
        }
    }

    /// What the name of a file says of it: `.env`, `.env.production`, `prod.env`, `values.json`, `values.yml`.
    pub fn of_name(name: &str) -> Option<Self> {
        let name = name.rsplit(['/', '\\']).next().unwrap_or(name).to_ascii_lowercase();
        match name.rsplit('.').next() {
            Some("csv") => Some(Self::Csv),
            Some("json") => Some(Self::Json),
            Some("yaml" | "yml") => Some(Self::Yaml),
            Some("env") => Some(Self::Dotenv),
            _ => name.starts_with(".env").then_some(Self::Dotenv),
        }
    }

    /// How files of it end.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Dotenv => "env",
            other => other.as_str(),
        }
    }
}

impl fmt::Display for FileFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for FileFormat {
    type Err = FileFormatError;
    fn from_str(text: &str) -> Result<Self, FileFormatError> {
        Self::ALL.into_iter().find(|format| format.as_str() == text).ok_or(FileFormatError)
    }
}

/// What an object within a JSON file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Nested {
    /// A folder of secrets.
    #[default]
    Folders,
    /// One secret that is JSON, with its text as it is; so are lists.
    Json,
}

/// Neither.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("use `folders` or `json`")]
pub struct NestedError;

impl FromStr for Nested {
    type Err = NestedError;
    fn from_str(text: &str) -> Result<Self, NestedError> {
        match text {
            "folders" => Ok(Self::Folders),
            "json" => Ok(Self::Json),
            _ => Err(NestedError),
        }
    }
}

/// One value of a file.
#[derive(Debug)]
pub struct Entry {
    /// Where it stands, from 1.
    pub line: u64,
    /// What it is called there: a name, or a path below the folder that the file goes into.
    pub name: String,
    /// Its value: UTF-8 without a NUL, unless its kind is binary.
    pub value: SecretBytes,
    /// How it reads, if the file says so.
    pub kind: Option<SecretKind>,
    /// What it is for, if the file says so.
    pub description: Option<String>,
    /// Its tags, if the file says so.
    pub tags: Option<Vec<String>>,
    /// Whether it is a template, if the file says so.
    pub template: Option<bool>,
}

impl Entry {
    fn new(line: u64, name: impl Into<String>, value: String) -> Self {
        Self::of(line, name, SecretBytes::new(value.into_bytes()))
    }

    /// An entry whose value is written in base64, as several lines perhaps.
    fn binary(line: u64, name: impl Into<String>, text: &str) -> Result<Self, Wrong> {
        let packed = Zeroizing::new(text.split_ascii_whitespace().collect::<String>());
        let bytes = STANDARD.decode(packed.as_bytes()).map_err(|_| Wrong::NotBase64)?;
        if bytes.is_empty() {
            return Err(Wrong::NoValue);
        }
        Ok(Self { kind: Some(SecretKind::Binary), ..Self::of(line, name, SecretBytes::new(bytes)) })
    }

    fn of(line: u64, name: impl Into<String>, value: SecretBytes) -> Self {
        Self { line, name: name.into(), value, kind: None, description: None, tags: None, template: None }
    }
}

/// Takes a file apart: every entry of it, or everything that is wrong with it.
pub fn read(format: FileFormat, nested: Nested, file: &SecretBytes) -> Result<Vec<Entry>, FileError> {
    let bytes = file.expose();
    if bytes.len() > MAX_FILE {
        return Err(FileError::whole(Wrong::TooLarge));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
        FileError::at(line_after(before), Wrong::NotUtf8)
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if let Some(at) = text.find('\0') {
        let before = text.as_bytes().get(..at).unwrap_or_default();
        return Err(FileError::at(line_after(before), Wrong::Nul));
    }
    let mut found = Found::default();
    match format {
        FileFormat::Csv => csv::read(text, &mut found),
        FileFormat::Dotenv => dotenv::read(text, &mut found),
        FileFormat::Json => json::read(text, nested, &mut found),
        FileFormat::Yaml => yaml::read(text, &mut found),
    }
    found.end()
}

fn newlines(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |lines: u64, byte| lines.saturating_add((*byte == b'\n').into()))
}

/// The line on which what follows these bytes stands.
fn line_after(before: &[u8]) -> u64 {
    newlines(before).saturating_add(1)
}

#[cfg(test)]
mod tests;
