//! Where values come from, in rising order: the table's defaults, `keywarden.toml`, variables, flags.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
};

use zeroize::Zeroizing;

use crate::client::VARIABLES;

use super::{
    error::ConfigError,
    setting::{self, FILE_VARIABLE, PREFIX, SETTINGS, Setting},
};

/// What the process was given. Nothing else is read, so that tests can give it too.
#[derive(Debug, Default)]
pub struct Given {
    /// `--config`; without it `KEYWARDEN_CONFIG`, else `keywarden.toml` in the working folder if there is one.
    pub file: Option<PathBuf>,
    pub environment: Vec<(OsString, OsString)>,
    /// Key of the setting and the flag's text; for a secret, the path of its file.
    pub flags: Vec<(&'static str, String)>,
}

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    Default,
    File(PathBuf),
    Flag(String),
    Variable(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Flag(name) => write!(f, "--{name}"),
            Self::Variable(name) => f.write_str(name),
        }
    }
}

#[derive(Debug, Clone)]
pub(super) struct Found {
    text: Zeroizing<String>,
    pub origin: Origin,
}

/// The text in force for every setting that has one.
#[derive(Debug)]
pub struct Values(BTreeMap<&'static str, Found>);

impl Values {
    pub fn gather(given: &Given) -> Result<Self, ConfigError> {
        let mut values = Self(BTreeMap::new());
        for setting in SETTINGS.iter().filter(|setting| !setting.default.is_empty()) {
            values.put(setting, setting.default.into(), Origin::Default);
        }
        if let Some(path) = file(given)? {
            values.take_file(&path)?;
        }
        values.take_environment(given)?;
        for (key, text) in &given.flags {
            if let Some(setting) = Setting::named(key) {
                let origin = Origin::Flag(setting.flag());
                let text =
                    if setting.is_secret() { read_secret(setting, text, &origin)? } else { text.clone() };
                values.put(setting, text, origin);
            }
        }
        Ok(values)
    }

    /// The value of a setting that has a default.
    pub fn parse<T: FromStr>(&self, key: &'static str) -> Result<T, ConfigError>
    where
        T::Err: fmt::Display,
    {
        self.optional(key)?.ok_or(ConfigError::Value {
            key,
            origin: Origin::Default,
            why: "it is missing".into(),
        })
    }

    /// The value of a setting; `None` when unset or empty.
    pub fn optional<T: FromStr>(&self, key: &'static str) -> Result<Option<T>, ConfigError>
    where
        T::Err: fmt::Display,
    {
        let Some(found) = self.0.get(key).filter(|found| !found.text.is_empty()) else { return Ok(None) };
        found.text.parse().map(Some).map_err(|cause: T::Err| self.refuse(key, cause.to_string()))
    }

    /// The refusal of a value, with its origin.
    pub fn refuse(&self, key: &'static str, why: impl Into<String>) -> ConfigError {
        ConfigError::Value { key, origin: self.origin(key), why: why.into() }
    }

    /// Whether a setting was given as an empty text.
    pub fn is_blank(&self, key: &str) -> bool {
        self.0.get(key).is_some_and(|found| found.text.is_empty())
    }

    pub fn origin(&self, key: &str) -> Origin {
        self.0.get(key).map_or(Origin::Default, |found| found.origin.clone())
    }

    fn put(&mut self, setting: &'static Setting, text: String, origin: Origin) {
        self.0.insert(setting.key, Found { text: Zeroizing::new(text), origin });
    }

    fn take_file(&mut self, path: &Path) -> Result<(), ConfigError> {
        let origin = Origin::File(path.into());
        let text = read(path, &origin)?;
        let syntax = |cause: String| ConfigError::Syntax { path: path.into(), cause };
        let table: toml::Table = text.parse().map_err(|cause| syntax(told(&text, &cause)))?;
        let mut flat = BTreeMap::new();
        flatten("", &table, &mut flat).map_err(syntax)?;
        for (key, text) in &flat {
            let (setting, from_file) =
                find(key, "_file", |setting| setting.key).ok_or_else(|| ConfigError::UnknownKey {
                    key: key.clone(),
                    path: path.into(),
                    near: nearest(key, keys_and_tables().filter(|known| known != key)),
                })?;
            if from_file && flat.contains_key(setting.key) {
                return Err(ConfigError::Both { first: setting.key.into(), second: key.clone() });
            }
            let text = if from_file { read_secret(setting, text, &origin)? } else { text.clone() };
            self.put(setting, text, origin.clone());
        }
        Ok(())
    }

    fn take_environment(&mut self, given: &Given) -> Result<(), ConfigError> {
        for (name, value) in &given.environment {
            let Some(name) = name.to_str().filter(|name| name.starts_with(PREFIX)) else { continue };
            if name == FILE_VARIABLE || setting::is_service_link(name) || VARIABLES.contains(&name) {
                continue;
            }
            let (setting, from_file) = find(name, "_FILE", |setting| setting.variable).ok_or_else(|| {
                ConfigError::UnknownVariable {
                    name: name.into(),
                    near: nearest(name, SETTINGS.iter().map(|setting| setting.variable)),
                }
            })?;
            if from_file && given.environment.iter().any(|(other, _)| *other == *setting.variable) {
                return Err(ConfigError::Both { first: setting.variable.into(), second: name.into() });
            }
            let origin = Origin::Variable(name.into());
            let text = value.to_str().ok_or_else(|| ConfigError::Value {
                key: setting.key,
                origin: origin.clone(),
                why: "it is not UTF-8".into(),
            })?;
            let text = if from_file { read_secret(setting, text, &origin)? } else { text.into() };
            self.put(setting, text, origin);
        }
        Ok(())
    }
}

/// Where a file is no TOML, and why. The library's own text shows the line, which may hold a PIN.
fn told(text: &str, cause: &toml::de::Error) -> String {
    let before = cause.span().and_then(|span| text.get(..span.start));
    let line = before.map_or(1, |before| before.matches('\n').count().saturating_add(1));
    let why: Vec<_> = cause.message().lines().map(str::trim).collect();
    format!("line {line}: {}", why.join(", "))
}

/// The setting of a name, and whether the name is its `…_file` form.
fn find(
    name: &str,
    suffix: &str,
    pick: impl Fn(&Setting) -> &'static str,
) -> Option<(&'static Setting, bool)> {
    let exact = SETTINGS.iter().find(|setting| pick(setting) == name).map(|setting| (setting, false));
    exact.or_else(|| {
        let stem = name.strip_suffix(suffix)?;
        SETTINGS
            .iter()
            .find(|setting| setting.is_secret() && pick(setting) == stem)
            .map(|setting| (setting, true))
    })
}

fn file(given: &Given) -> Result<Option<PathBuf>, ConfigError> {
    if let Some(path) = &given.file {
        return Ok(Some(path.clone()));
    }
    if let Some((_, path)) = given.environment.iter().find(|(name, _)| name == FILE_VARIABLE) {
        return Ok(Some(path.into()));
    }
    let path = PathBuf::from("keywarden.toml");
    match path.try_exists() {
        Ok(true) => Ok(Some(path)),
        Ok(false) => Ok(None),
        Err(cause) => Err(ConfigError::FileUnreadable { path, origin: Origin::Default, cause }),
    }
}

/// A secret's text. A file that is there and empty is one that was not filled yet, and never means a default.
fn read_secret(setting: &'static Setting, path: &str, origin: &Origin) -> Result<String, ConfigError> {
    let text = read(Path::new(path), origin)?;
    if text.trim().is_empty() {
        let why = format!("the file `{path}` is empty");
        return Err(ConfigError::Value { key: setting.key, origin: origin.clone(), why });
    }
    Ok(text)
}

/// A file's text without the line end that editors and `echo` add.
fn read(path: &Path, origin: &Origin) -> Result<String, ConfigError> {
    let text = std::fs::read_to_string(path).map_err(|cause| ConfigError::FileUnreadable {
        path: path.into(),
        origin: origin.clone(),
        cause,
    })?;
    let line = text.strip_suffix('\n').unwrap_or(&text);
    Ok(line.strip_suffix('\r').unwrap_or(line).to_owned())
}

fn flatten(prefix: &str, table: &toml::Table, flat: &mut BTreeMap<String, String>) -> Result<(), String> {
    for (name, value) in table {
        let key = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
        match value {
            // A name with nothing under it is known or not as well.
            toml::Value::Table(inner) if inner.is_empty() => {
                if !tables().any(|table| table == key) {
                    flat.insert(key, String::new());
                }
            }
            toml::Value::Table(inner) => flatten(&key, inner, flat)?,
            toml::Value::Array(entries) => {
                let texts: Option<Vec<_>> = entries.iter().map(plain).collect();
                let texts = texts.ok_or_else(|| format!("`{key}` may only list texts and numbers"))?;
                flat.insert(key, texts.join(","));
            }
            other => {
                let text = plain(other).ok_or_else(|| format!("`{key}` must be a text or a number"))?;
                flat.insert(key, text);
            }
        }
    }
    Ok(())
}

fn keys_and_tables() -> impl Iterator<Item = &'static str> {
    SETTINGS.iter().map(|setting| setting.key).chain(tables())
}

/// What settings stand under in the file.
fn tables() -> impl Iterator<Item = &'static str> {
    SETTINGS.iter().filter_map(|setting| setting.key.rsplit_once('.')).map(|(table, _)| table)
}

fn plain(value: &toml::Value) -> Option<String> {
    match value {
        toml::Value::Boolean(value) => Some(value.to_string()),
        toml::Value::Integer(value) => Some(value.to_string()),
        toml::Value::String(value) => Some(value.clone()),
        _ => None,
    }
}

/// The known name that differs least, when it differs by a slip of the finger.
fn nearest(name: &str, known: impl Iterator<Item = &'static str>) -> Option<String> {
    known
        .map(|other| (distance(name, other), other))
        .min()
        .filter(|(far, _)| *far <= 3)
        .map(|(_, other)| other.into())
}

/// Levenshtein distance in bytes.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let next = i.saturating_add(1);
        let (mut diagonal, mut left) = (i, next);
        for (slot, y) in row.iter_mut().skip(1).zip(b.bytes()) {
            let beside = left.min(*slot).saturating_add(1);
            let here = diagonal.saturating_add(usize::from(x != y)).min(beside);
            diagonal = std::mem::replace(slot, here);
            left = here;
        }
        if let Some(first) = row.first_mut() {
            *first = next;
        }
    }
    row.last().copied().unwrap_or(a.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distance_counts_single_slips() {
        assert_eq!(distance("KEYWARDEN_LISTN", "KEYWARDEN_LISTEN"), 1);
        assert_eq!(distance("abc", "abc"), 0);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("kitten", "sitting"), 3);
    }
}
