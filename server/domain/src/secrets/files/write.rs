//! Files on their way out. [`super::read`] reads each of them back, value for value.

use std::fmt::Write as _;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use keywarden_model::SecretKind;
use keywarden_vault::SecretString;
use zeroize::Zeroizing;

use super::{FileFormat, json::BINARY};

/// One value of a file that is written.
#[derive(Debug, Clone, Copy)]
pub struct Line<'a> {
    /// What it is called there; for a `.env` the name of a variable.
    pub name: &'a str,
    /// Its value: of any other kind than binary, UTF-8 without a NUL.
    pub value: &'a [u8],
    /// How it reads. CSV tells it; JSON and YAML tell what is binary, and a `.env` cannot.
    pub kind: SecretKind,
    /// What it is for. CSV tells it.
    pub description: &'a str,
    /// Its tags. CSV tells them.
    pub tags: &'a [String],
    /// Whether it is a template. CSV tells it.
    pub template: bool,
}

/// No such file could be read back.
#[derive(Debug, thiserror::Error)]
#[error("the file could not be written: {0}")]
pub struct WriteError(String);

/// A value as it stands in a file, before it is quoted.
#[derive(Clone, Copy)]
enum Written<'a> {
    /// In base64.
    Binary(&'a str),
    Text(&'a str),
}

/// Writes a file of these values.
pub fn write(format: FileFormat, lines: &[Line<'_>]) -> Result<SecretString, WriteError> {
    let text = match format {
        FileFormat::Csv => return csv(lines),
        FileFormat::Json | FileFormat::Yaml if lines.is_empty() => "{}\n".to_owned(),
        FileFormat::Dotenv => each(lines, |it, value| match value {
            Written::Binary(_) => {
                Err(WriteError(format!("`{}` is binary, which no `.env` can hold", it.name)))
            }
            Written::Text(text) => Ok(format!("{}={}\n", it.name, shell(text))),
        })?,
        FileFormat::Json => {
            let all = Zeroizing::new(each(lines, |it, value| {
                Ok(match value {
                    Written::Binary(text) => {
                        format!("  {}: {{ \"{BINARY}\": \"{text}\" }},\n", json(it.name))
                    }
                    Written::Text(text) => format!("  {}: {},\n", json(it.name), json(text)),
                })
            })?);
            format!("{{\n{}\n}}\n", all.strip_suffix(",\n").unwrap_or(&all))
        }
        FileFormat::Yaml => each(lines, |it, value| {
            Ok(match value {
                Written::Binary(text) => format!("{}: !!binary \"{text}\"\n", key(it.name)),
                Written::Text(text) => format!("{}: {}\n", key(it.name), yaml(text)),
            })
        })?,
    };
    Ok(SecretString::new(text))
}

impl Line<'_> {
    /// Hands the value on as it is written.
    fn written<T>(&self, to: impl FnOnce(Written<'_>) -> Result<T, WriteError>) -> Result<T, WriteError> {
        if self.kind == SecretKind::Binary {
            return to(Written::Binary(&Zeroizing::new(STANDARD.encode(self.value))));
        }
        let text = text_of(self.value).ok_or_else(|| WriteError(format!("`{}` is no text", self.name)))?;
        to(Written::Text(text))
    }
}

/// The text of a value that a file can hold: UTF-8 without a NUL.
pub fn text_of(value: &[u8]) -> Option<&str> {
    std::str::from_utf8(value).ok().filter(|text| !text.contains('\0'))
}

/// The environment variable of a path: upper-case letters, digits and underscores, no digit first (POSIX.1-2024, 8.1).
/// `database/pass-word` is `DATABASE_PASS_WORD`.
pub fn variable(path: &str) -> String {
    let fits = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
    let mut name: String = path.chars().map(fits).collect();
    if name.starts_with(|c: char| c.is_ascii_digit()) {
        name.insert(0, '_');
    }
    name
}

fn each(
    lines: &[Line<'_>],
    line: impl Fn(&Line<'_>, Written<'_>) -> Result<String, WriteError>,
) -> Result<String, WriteError> {
    // Room for all of it, so that no shorter copy is left behind.
    let room =
        |it: &Line<'_>| it.value.len().saturating_mul(2).saturating_add(it.name.len()).saturating_add(32);
    let room = lines.iter().map(room).fold(0, usize::saturating_add);
    lines.iter().try_fold(String::with_capacity(room), |mut all, it| {
        all.push_str(&Zeroizing::new(it.written(|value| line(it, value))?));
        Ok(all)
    })
}

/// A word of a shell: nothing in it is expanded. Between double quotes only where it has a single one.
fn shell(text: &str) -> String {
    if !text.contains('\'') {
        return format!("'{text}'");
    }
    let mut quoted = String::from("\"");
    for c in text.chars() {
        if matches!(c, '"' | '\\' | '$' | '`') {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    quoted.push('"');
    quoted
}

/// A string of JSON.
fn json(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// A string of YAML 1.2: that of JSON, without the characters that YAML has no place for.
fn yaml(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len().saturating_add(2));
    for c in json(text).chars() {
        match c {
            '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' => {
                let _never_fails = write!(quoted, "\\u{:04x}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted
}

/// A name as YAML reads it, whichever its version: one that is a word of its own there stands in quotes.
fn key(name: &str) -> String {
    const WORDS: [&str; 10] = ["false", "n", "nan", "no", "null", "off", "on", "true", "y", "yes"];
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let is_plain = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') && name.chars().all(plain);
    if is_plain && !WORDS.contains(&name.to_ascii_lowercase().as_str()) {
        name.to_owned()
    } else {
        yaml(name)
    }
}

fn csv(lines: &[Line<'_>]) -> Result<SecretString, WriteError> {
    let wrong = |cause: &dyn std::fmt::Display| WriteError(cause.to_string());
    let mut writer = csv::WriterBuilder::new().quote_style(csv::QuoteStyle::Always).from_writer(Vec::new());
    writer
        .write_record(["path", "value", "description", "tags", "kind", "template"])
        .map_err(|cause| wrong(&cause))?;
    for it in lines {
        let tags = it.tags.join(",");
        let template = if it.template { "true" } else { "false" };
        it.written(|value| {
            let (Written::Binary(value) | Written::Text(value)) = value;
            let cells = [it.name, value, it.description, &tags, it.kind.as_str(), template];
            writer.write_record(cells).map_err(|cause| wrong(&cause))
        })?;
    }
    let bytes = writer.into_inner().map_err(|cause| wrong(&cause))?;
    String::from_utf8(bytes).map(SecretString::new).map_err(|cause| wrong(&cause.utf8_error()))
}
