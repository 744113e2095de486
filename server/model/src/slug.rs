//! Slugs: the short names in addresses. One spelling only, so that two things never look like one.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize};

/// `[a-z0-9]+(-[a-z0-9]+)*`, 1 to 40 characters, none of the reserved words. Never changes once given.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Slug(String);

/// Why a text is not a slug.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SlugError {
    /// Characters or dashes out of place.
    #[error("use lower-case letters, digits and single dashes between them")]
    Form,
    /// Empty or over 40 characters.
    #[error("use 1 to 40 characters")]
    Length,
    /// A word that Keywarden keeps for itself.
    #[error("`{0}` is a reserved word: choose another")]
    Reserved(String),
}

/// Words that name parts of Keywarden itself (S-02). Kinds of things (`key`, `secret`, `project`) are not among them: what is
/// asked of a policy goes by typed ids, and no address has a kind where a slug may stand.
pub const RESERVED: [&str; 27] = [
    "admin",
    "all",
    "api",
    "assets",
    "auditor",
    "audit",
    "default",
    "global",
    "issuer",
    "keywarden",
    "livez",
    "manager",
    "me",
    "new",
    "none",
    "null",
    "operator",
    "operators",
    "owner",
    "public",
    "reader",
    "readyz",
    "root",
    "system",
    "ui",
    "verifier",
    "viewer",
];

impl Slug {
    /// The longest slug, in characters.
    pub const MAX: usize = 40;

    /// The slug as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Slug {
    type Err = SlugError;
    fn from_str(text: &str) -> Result<Self, SlugError> {
        if text.is_empty() || text.len() > Self::MAX {
            return Err(SlugError::Length);
        }
        let well_formed = text.split('-').all(|part| {
            !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        });
        if !well_formed {
            return Err(SlugError::Form);
        }
        if RESERVED.contains(&text) {
            return Err(SlugError::Reserved(text.to_owned()));
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for Slug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Slug {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn slugs_have_one_spelling_and_spare_reserved_words() {
        for right in ["pay", "pay-prod", "a", "0-1", &"x".repeat(40)] {
            assert!(right.parse::<Slug>().is_ok(), "{right}");
        }
        for wrong in [
            "",
            "Pay",
            "pay ",
            "-pay",
            "pay-",
            "pay--x",
            "päy",
            "pay/x",
            "root",
            "system",
            "pay_x",
            &"x".repeat(41),
        ] {
            assert!(wrong.parse::<Slug>().is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn whatever_parses_prints_the_same(text in "\\PC{0,50}") {
            if let Ok(slug) = text.parse::<Slug>() {
                prop_assert_eq!(slug.to_string(), text);
            }
        }
    }
}
