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
    /// Shorter than it must be, counted in characters.
    #[error("use at least {0} characters")]
    TooShort(usize),
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
        line(text, Self::MAX).map(Self)
    }
}

/// One line of NFC text with something in it, white space folded.
fn line(text: &str, max: usize) -> Result<String, TextError> {
    // Bounded before anything walks the text twice.
    if text.len() > max.saturating_mul(8) {
        return Err(TextError::TooLong(max));
    }
    if text.chars().any(is_invisible) {
        return Err(TextError::Invisible);
    }
    let folded = text.split_whitespace().collect::<Vec<_>>().join(" ").nfc().collect::<String>();
    match folded.chars().count() {
        0 => Err(TextError::Empty),
        n if n > max => Err(TextError::TooLong(max)),
        _ => Ok(folded),
    }
}

/// Why somebody reads a value: one line of 3 to 200 characters, nothing invisible.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Reason(String);

impl Reason {
    /// The shortest reason, in characters.
    pub const MIN: usize = 3;
    /// The longest reason, in characters.
    pub const MAX: usize = 200;

    /// The text as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Reason {
    type Err = TextError;
    fn from_str(text: &str) -> Result<Self, TextError> {
        let text = line(text, Self::MAX)?;
        if text.chars().count() < Self::MIN { Err(TextError::TooShort(Self::MIN)) } else { Ok(Self(text)) }
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
text!(Reason);

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
    fn a_reason_is_one_line_of_some_length() {
        for (text, read) in [
            ("  on call:\tINC-7  ", Ok("on call: INC-7")),
            ("abc", Ok("abc")),
            ("ab", Err(TextError::TooShort(3))),
            (" a ", Err(TextError::TooShort(3))),
            ("", Err(TextError::Empty)),
            ("a\u{202e}bcd", Err(TextError::Invisible)),
        ] {
            let read = read.map(str::to_owned);
            assert_eq!(text.replace('\t', " ").parse::<Reason>().map(|it| it.to_string()), read, "{text}");
        }
        assert_eq!("x".repeat(201).parse::<Reason>(), Err(TextError::TooLong(200)));
        assert!("ä".repeat(200).parse::<Reason>().is_ok());
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
