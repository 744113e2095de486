//! Labels: names that point at a version of a secret.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize};

/// `[a-z0-9][a-z0-9._-]{0,63}`. Three of them mean something to Keywarden: `current` is the version that is read when
/// nobody says which, `previous` the one before it, `pending` one that is not in force yet.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct SecretLabel(String);

/// Why a text is not a label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "use 1 to 64 lower-case letters, digits, `.`, `_` or `-`, a letter or digit first and not digits alone"
)]
pub struct SecretLabelError;

impl SecretLabel {
    /// The version that is read when nobody says which.
    pub const CURRENT: &'static str = "current";
    /// A version that is not in force yet.
    pub const PENDING: &'static str = "pending";
    /// The version that was `current` before.
    pub const PREVIOUS: &'static str = "previous";

    /// `current`.
    pub fn current() -> Self {
        Self(Self::CURRENT.to_owned())
    }

    /// The label as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is `current` or `previous`: those move by themselves.
    pub fn follows(&self) -> bool {
        matches!(self.as_str(), Self::CURRENT | Self::PREVIOUS)
    }
}

impl FromStr for SecretLabel {
    type Err = SecretLabelError;
    fn from_str(text: &str) -> Result<Self, SecretLabelError> {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        let fits = (1..=64).contains(&text.len())
            && text.bytes().next().is_some_and(plain)
            && text.bytes().all(|b| plain(b) || matches!(b, b'.' | b'_' | b'-'))
            // A version's number must not be taken for a label.
            && !text.bytes().all(|b| b.is_ascii_digit());
        fits.then(|| Self(text.to_owned())).ok_or(SecretLabelError)
    }
}

impl fmt::Display for SecretLabel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for SecretLabel {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_has_one_spelling_and_is_no_number() {
        for right in ["current", "blue-1", "2026.11", "a"] {
            assert_eq!(right.parse::<SecretLabel>().unwrap().as_str(), right);
        }
        let long = "x".repeat(65);
        for wrong in ["", "Current", " current", "-a", ".a", "a/b", "7", "2026", "é", long.as_str()] {
            assert!(wrong.parse::<SecretLabel>().is_err(), "{wrong:?}");
        }
        assert!(SecretLabel::current().follows());
    }
}
