//! Forms that names have: regular expressions, read by an engine that takes linear time and bounded room for each.

use std::fmt;
use std::str::FromStr;

use regex::{Regex, RegexBuilder};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The longest pattern, in characters.
pub const LONGEST_PATTERN: usize = 200;
/// How large it may become, in bytes.
const SIZE: usize = 1 << 18;
/// How deep groups may lie in it.
const DEEPEST: u32 = 16;

/// A form that whole names have: `[a-z]+-[a-z0-9-]+`. There are no references back and no looking around, so that none
/// takes long.
#[derive(Clone)]
pub struct NamePattern {
    text: String,
    regex: Regex,
}

/// Why a text is no pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// It is no regular expression.
    #[error(
        "write a regular expression, such as `[a-z][a-z0-9-]*`: without references back and looking around"
    )]
    Malformed,
    /// Empty or too long.
    #[error("use 1 to {LONGEST_PATTERN} characters")]
    Length,
    /// What it stands for is too much.
    #[error("this pattern is too large: repeat less, or nest less")]
    TooLarge,
}

impl NamePattern {
    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether a whole name has this form.
    pub fn fits(&self, name: &str) -> bool {
        self.regex.is_match(name)
    }
}

fn built(text: &str) -> Result<Regex, PatternError> {
    let built = RegexBuilder::new(text).size_limit(SIZE).dfa_size_limit(SIZE).nest_limit(DEEPEST).build();
    built.map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => PatternError::TooLarge,
        _ => PatternError::Malformed,
    })
}

impl FromStr for NamePattern {
    type Err = PatternError;
    fn from_str(text: &str) -> Result<Self, PatternError> {
        let text = text.trim();
        if text.is_empty() || text.chars().count() > LONGEST_PATTERN {
            return Err(PatternError::Length);
        }
        // By itself first: `a)|(b` would reach out of the group that it is put into.
        built(text)?;
        let regex = built(&format!(r"\A(?:{text})\z"))?;
        Ok(Self { text: text.to_owned(), regex })
    }
}

impl fmt::Display for NamePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for NamePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("NamePattern").field(&self.text).finish()
    }
}

impl PartialEq for NamePattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}
impl Eq for NamePattern {}

impl Serialize for NamePattern {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for NamePattern {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_about_the_whole_name() {
        let it: NamePattern = " [a-z]+-(live|test) ".parse().unwrap();
        assert_eq!(it.as_str(), "[a-z]+-(live|test)");
        for name in ["pay-live", "a-test"] {
            assert!(it.fits(name), "{name}");
        }
        for name in ["Pay-live", "pay-live2", "x pay-live", "pay-live\n", "pay", ""] {
            assert!(!it.fits(name), "{name:?}");
        }
        // Either side of the bar is the whole name, too.
        let either: NamePattern = "a|b".parse().unwrap();
        assert!(either.fits("a") && either.fits("b") && !either.fits("ab"));
    }

    #[test]
    fn what_is_no_pattern_or_would_take_much_is_refused() {
        let why = |text: &str| text.parse::<NamePattern>().unwrap_err();
        for text in ["", "  ", &"a".repeat(201)] {
            assert_eq!(why(text), PatternError::Length, "{text}");
        }
        for text in ["(", "a)|(b", r"(a)\1", "(?=a)", "[", "*"] {
            assert_eq!(why(text), PatternError::Malformed, "{text}");
        }
        for text in [r"(\w{100}){100}", "((a{1000}){1000}){1000}"] {
            assert_eq!(why(text), PatternError::TooLarge, "{text}");
        }
        let deep = format!("{}a{}", "(".repeat(60), ")".repeat(60));
        assert_eq!(why(&deep), PatternError::Malformed);
    }
}
