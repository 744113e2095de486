//! Names and descriptions that people write.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize};
use unicode_normalization::UnicodeNormalization;

/// Why a text is not a name or description.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// Control, zero-width or direction characters, which let two names look alike.
    #[error("remove invisible or control characters")]
    Invisible,
    /// Nothing but white space where something is needed.
    #[error("write at least one character")]
    Empty,
    /// Longer than the limit, counted in characters.
    #[error("use at most {0} characters")]
    TooLong(usize),
}

/// What a person calls a thing: 1 to 120 characters of NFC text, white space folded, nothing invisible.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Name(String);

impl Name {
    /// The longest name, in characters.
    pub const MAX: usize = 120;

    /// The name as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What uniqueness compares: NFKC, lower case. Two spellings of one name fold to the same text (S-01).
    pub fn folded(&self) -> String {
        folded(&self.0)
    }
}

/// NFKC, lower case, white space folded.
pub(crate) fn folded(text: &str) -> String {
    let folded: String = text.nfkc().flat_map(char::to_lowercase).nfkc().collect();
    folded.split_whitespace().collect::<Vec<_>>().join(" ")
}

impl FromStr for Name {
    type Err = TextError;
    fn from_str(text: &str) -> Result<Self, TextError> {
        // Bounded before anything walks the text twice.
        if text.len() > Self::MAX * 8 {
            return Err(TextError::TooLong(Self::MAX));
        }
        if text.chars().any(is_invisible) {
            return Err(TextError::Invisible);
        }
        let folded = text.split_whitespace().collect::<Vec<_>>().join(" ").nfc().collect::<String>();
        match folded.chars().count() {
            0 => Err(TextError::Empty),
            n if n > Self::MAX => Err(TextError::TooLong(Self::MAX)),
            _ => Ok(Self(folded)),
        }
    }
}

/// A longer text, possibly empty: up to 1 000 characters, line breaks allowed, nothing else invisible.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(transparent)]
pub struct Description(String);

impl Description {
    /// The longest description, in characters.
    pub const MAX: usize = 1000;

    /// The text as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether nothing was written.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromStr for Description {
    type Err = TextError;
    fn from_str(text: &str) -> Result<Self, TextError> {
        if text.len() > Self::MAX * 8 {
            return Err(TextError::TooLong(Self::MAX));
        }
        let text = text.replace("\r\n", "\n");
        if text.chars().any(|c| c != '\n' && c != '\t' && is_invisible(c)) {
            return Err(TextError::Invisible);
        }
        let text: String = text.trim().nfc().collect();
        if text.chars().count() > Self::MAX {
            return Err(TextError::TooLong(Self::MAX));
        }
        Ok(Self(text))
    }
}

pub(crate) fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' | '\u{180B}'..='\u{180F}'
            | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}'
            | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFB}' | '\u{E0000}'..='\u{E0FFF}')
}

macro_rules! text {
    ($name:ident) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}
text!(Name);
text!(Description);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_spellings_of_one_name_fold_together() {
        let base = "Café Pay".parse::<Name>().unwrap().folded();
        for same in ["café pay", "CAFÉ PAY", " Café  Pay ", "Cafe\u{301} Pay", "Ｃafé\u{a0}Ｐay"] {
            assert_eq!(same.parse::<Name>().unwrap().folded(), base, "{same}");
        }
    }

    #[test]
    fn invisible_characters_are_refused() {
        for wrong in ["a\u{200d}b", "a\0b", "a\u{202e}b", "\u{feff}a", "a\u{ad}b"] {
            assert_eq!(wrong.parse::<Name>(), Err(TextError::Invisible));
        }
        assert_eq!("  ".parse::<Name>(), Err(TextError::Empty));
        assert_eq!("x".repeat(121).parse::<Name>(), Err(TextError::TooLong(120)));
    }
}
