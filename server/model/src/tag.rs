//! Tags: `name` or `name=value`, for finding. Nothing is decided by one.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// One tag: a name of `[a-z0-9._-]{1,40}` and a value of at most 80 printable characters, possibly empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag {
    name: String,
    value: String,
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&Word(&self.name, &self.value), f)
    }
}

/// Why a text is not a tag.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TagError {
    /// Name or value has characters or a length it may not have.
    #[error("`{0}`: write tags as `team` or `team=payments`, lower-case names")]
    Malformed(String),
    /// More than 32 tags.
    #[error("use at most 32 tags")]
    TooMany,
}

impl FromStr for Tag {
    type Err = TagError;
    fn from_str(text: &str) -> Result<Self, TagError> {
        let (name, value) = text.split_once('=').unwrap_or((text, ""));
        let name_fits = (1..=40).contains(&name.len())
            && name
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'_' | b'-'));
        let value_fits = value
            .parse::<crate::Name>()
            .map_or(value.is_empty(), |v| v.as_str() == value && value.len() <= 80);
        if name_fits && value_fits {
            Ok(Self { name: name.to_owned(), value: value.to_owned() })
        } else {
            Err(TagError::Malformed(text.chars().take(64).collect()))
        }
    }
}

/// At most 32 tags, one value for each name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tags(BTreeMap<String, String>);

impl Tags {
    /// Parses `name` or `name=value` words; a later one of the same name wins.
    pub fn parse<S: AsRef<str>>(words: impl IntoIterator<Item = S>) -> Result<Self, TagError> {
        let mut map = BTreeMap::new();
        for word in words {
            let tag: Tag = word.as_ref().trim().parse()?;
            map.insert(tag.name, tag.value);
            if map.len() > 32 {
                return Err(TagError::TooMany);
            }
        }
        Ok(Self(map))
    }

    /// Name and value in order of name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(n, v)| (n.as_str(), v.as_str()))
    }

    /// The words as written: `name` or `name=value`.
    pub fn words(&self) -> Vec<String> {
        self.iter().map(|(name, value)| Word(name, value).to_string()).collect()
    }

    /// The words as written, each with what a search compares.
    pub fn folded(&self) -> Vec<(String, String)> {
        self.words().into_iter().map(|word| (word.clone(), crate::name::folded(&word))).collect()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Tags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words().join(", "))
    }
}

/// A tag as written, while it is written.
struct Word<'a>(&'a str, &'a str);

impl fmt::Display for Word<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(name, value) = self;
        f.write_str(name)?;
        if value.is_empty() { Ok(()) } else { write!(f, "={value}") }
    }
}

impl Serialize for Word<'_> {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl Serialize for Tags {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_seq(self.iter().map(|(name, value)| Word(name, value)))
    }
}

impl<'de> Deserialize<'de> for Tags {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Self::parse(Vec::<String>::deserialize(d)?).map_err(serde::de::Error::custom)
    }
}
