//! What a secret's value is.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize};

/// How a value reads. It is kept byte for byte in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SecretKind {
    /// Any bytes.
    Binary,
    /// A JSON text.
    Json,
    /// UTF-8.
    Text,
}

/// No such kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("use `text`, `json` or `binary`")]
pub struct SecretKindError;

impl SecretKind {
    /// Every kind, alphabetical.
    pub const ALL: [Self; 3] = [Self::Binary, Self::Json, Self::Text];

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Binary => "binary",
            Self::Json => "json",
            Self::Text => "text",
        }
    }

    /// What a value of this kind is called where nobody says more.
    pub fn content_type(self) -> ContentType {
        ContentType(
            match self {
                Self::Binary => "application/octet-stream",
                Self::Json => "application/json",
                Self::Text => "text/plain",
            }
            .to_owned(),
        )
    }
}

impl fmt::Display for SecretKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for SecretKind {
    type Err = SecretKindError;
    fn from_str(text: &str) -> Result<Self, SecretKindError> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or(SecretKindError)
    }
}

/// What a value is for other programs: a media type such as `application/x-pem-file`, without parameters.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct ContentType(String);

/// Not a media type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "write a media type in lower case, as in `application/x-pem-file`, of at most {} characters",
    ContentType::MAX
)]
pub struct ContentTypeError;

impl ContentType {
    /// The longest, in characters.
    pub const MAX: usize = 100;

    /// The type as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// RFC 6838, 4.2: what a name of a type may hold, without upper case, so that one type has one spelling.
fn is_name(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    text.bytes().next().is_some_and(plain)
        && text
            .bytes()
            .all(|b| plain(b) || matches!(b, b'!' | b'#' | b'$' | b'&' | b'-' | b'^' | b'_' | b'.' | b'+'))
}

impl FromStr for ContentType {
    type Err = ContentTypeError;
    fn from_str(text: &str) -> Result<Self, ContentTypeError> {
        let (kind, subtype) = text.split_once('/').ok_or(ContentTypeError)?;
        let fits = text.len() <= Self::MAX && is_name(kind) && is_name(subtype);
        fits.then(|| Self(text.to_owned())).ok_or(ContentTypeError)
    }
}

impl fmt::Display for ContentType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for ContentType {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_media_type_has_one_spelling() {
        for right in ["text/plain", "application/vnd.kubernetes.secret+json"] {
            assert_eq!(right.parse::<ContentType>().unwrap().as_str(), right);
        }
        for wrong in
            ["", "text", "text/", "/plain", "Text/plain", "text/plain; charset=utf-8", "a/b/c", "a/\n"]
        {
            assert!(wrong.parse::<ContentType>().is_err(), "{wrong:?}");
        }
        for kind in SecretKind::ALL {
            assert_eq!(kind.as_str().parse(), Ok(kind));
            assert_eq!(kind.content_type().as_str().parse(), Ok(kind.content_type()));
        }
    }
}
