//! For whom a token was made.

use std::fmt;
use std::str::FromStr;

/// One value of a token's `aud`, compared letter by letter (RFC 7519, 4.1.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audience(String);

/// Why a text is no audience.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("use 1 to 250 visible characters without blanks or `*`")]
pub struct AudienceError;

impl Audience {
    /// The most characters.
    pub const MAX: usize = 250;

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Audience {
    type Err = AudienceError;
    fn from_str(text: &str) -> Result<Self, AudienceError> {
        let fits =
            (1..=Self::MAX).contains(&text.len()) && text.chars().all(|c| c.is_ascii_graphic() && c != '*');
        fits.then(|| Self(text.to_owned())).ok_or(AudienceError)
    }
}

impl fmt::Display for Audience {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_audience_is_one_word_and_no_pattern() {
        for good in ["https://keys.example.com", "keywarden", "api://x/y?z"] {
            assert_eq!(good.parse::<Audience>().unwrap().as_str(), good);
        }
        for wrong in ["", " ", "a b", "https://*", "ä", "a\n", &"x".repeat(251)] {
            assert_eq!(wrong.parse::<Audience>(), Err(AudienceError), "{wrong}");
        }
    }
}
