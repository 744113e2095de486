//! One sentence about what the request before did: "Key `pay-prod` revoked." It travels over the redirect in a
//! cookie of a minute, so it needs no session and shows once. Never put a secret into it.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http::HeaderValue;

use super::cookies::{Lifetime, set_cookie};
use crate::console::Console;

pub(super) const COOKIE: &str = "flash";

/// Longer ones are cut: a cookie is not a page.
const LONGEST: usize = 300;

/// What was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flash(String);

impl Flash {
    /// A sentence from the catalogue.
    pub fn new(sentence: impl Into<String>) -> Self {
        let sentence: String = sentence.into();
        Self(sentence.chars().filter(|c| !c.is_control()).take(LONGEST).collect())
    }

    /// The sentence.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn to_cookie(&self, console: Console) -> Option<HeaderValue> {
        set_cookie(console, COOKIE, &URL_SAFE_NO_PAD.encode(&self.0), Lifetime::Minute)
    }

    pub(crate) fn taken(console: Console) -> Option<HeaderValue> {
        set_cookie(console, COOKIE, "", Lifetime::None)
    }

    pub(super) fn from_cookie(value: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(value).ok().filter(|bytes| !bytes.is_empty())?;
        String::from_utf8(bytes).ok().map(Self::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_survives_the_cookie() {
        let console = Console::new(true, |_| None);
        let flash = Flash::new("Key `pay-prod` rotated: „alt“ stops; at 14:00.");
        let line = flash.to_cookie(console).unwrap();
        let value = line.to_str().unwrap().split([';', '=']).nth(1).unwrap();
        assert_eq!(Flash::from_cookie(value), Some(flash));
    }

    #[test]
    fn what_is_not_a_sentence_is_not_shown() {
        assert_eq!(Flash::from_cookie(""), None);
        assert_eq!(Flash::from_cookie("%%%"), None);
        assert_eq!(Flash::from_cookie(&URL_SAFE_NO_PAD.encode([0xff, 0xfe])), None);
    }

    #[test]
    fn control_characters_and_the_tail_of_a_novel_are_dropped() {
        assert_eq!(Flash::new("a\r\nb").as_str(), "ab");
        assert_eq!(Flash::new("x".repeat(900)).as_str().len(), LONGEST);
    }
}
