//! How a text may look where it has no business, for tests that look for it (S-20).

#![allow(clippy::arithmetic_side_effects, reason = "what overflows here fails a test, and serves nobody")]

use std::collections::{BTreeSet, HashMap};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

/// The forms of a text: as it is, in digits, in addresses, in JSON, and within base64, where it is written in three ways, by
/// how many bytes stand before it.
pub fn forms(text: &str) -> BTreeSet<String> {
    let escaped = |digits: fn(u8) -> String| {
        let piece = |b: u8| if b.is_ascii_alphanumeric() { char::from(b).to_string() } else { digits(b) };
        text.bytes().map(piece).collect::<String>()
    };
    let mut forms = BTreeSet::from([
        text.to_owned(),
        hex::encode(text),
        hex::encode_upper(text),
        escaped(|b| format!("%{b:02X}")),
        escaped(|b| format!("%{b:02x}")),
        serde_json::json!(text).to_string().trim_matches('"').to_owned(),
    ]);
    for before in 0..3_usize {
        let mut bytes = vec![0; before];
        bytes.extend_from_slice(text.as_bytes());
        // Characters that hold bits of neighbours are left out.
        let own = before.saturating_mul(8).div_ceil(6)..bytes.len().saturating_mul(8) / 6;
        for alphabet in [STANDARD, URL_SAFE_NO_PAD] {
            forms.extend(alphabet.encode(&bytes).get(own.clone()).map(ToOwned::to_owned));
        }
    }
    forms
}

/// A search for many texts at once, in each of their forms.
#[derive(Debug)]
pub struct Search {
    /// Which pairs of bytes begin a form.
    begins: Vec<bool>,
    forms: HashMap<[u8; SHORTEST], Vec<(usize, Vec<u8>)>>,
}

/// A shorter text would be found by chance.
const SHORTEST: usize = 8;

impl Search {
    /// For these texts, which have at least eleven bytes: so eight stand in whatever form.
    pub fn of<'a>(texts: impl IntoIterator<Item = &'a str>) -> Self {
        let mut search = Self { begins: vec![false; 1 << 16], forms: HashMap::new() };
        for (number, text) in texts.into_iter().enumerate() {
            for form in forms(text) {
                let form = form.into_bytes();
                let Some(start) = form.first_chunk::<SHORTEST>() else { continue };
                if let Some(begins) = search.begins.get_mut(pair(*start)) {
                    *begins = true;
                }
                search.forms.entry(*start).or_default().push((number, form));
            }
        }
        search
    }

    /// Which of the texts stand in `bytes`, by their place.
    pub fn found(&self, bytes: &[u8]) -> BTreeSet<usize> {
        let mut found = BTreeSet::new();
        for at in 0..bytes.len() {
            let Some(rest) = bytes.get(at..) else { break };
            let Some(start) = rest.first_chunk::<SHORTEST>() else { break };
            if !self.begins.get(pair(*start)).is_some_and(|it| *it) {
                continue;
            }
            let here = self.forms.get(start).into_iter().flatten();
            found.extend(here.filter(|(_, form)| rest.starts_with(form)).map(|(number, _)| *number));
        }
        found
    }
}

fn pair(start: [u8; SHORTEST]) -> usize {
    let [first, second, ..] = start;
    usize::from(first) << 8 | usize::from(second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_found_however_it_is_written_and_another_is_not() {
        let secret = r#"{"canary":"0123456789/abc+~"}"#;
        let search = Search::of(["of another text, as long", secret]);
        let found = |text: String| search.found(text.as_bytes());
        let it = BTreeSet::from([1]);
        for before in ["", "a", "ab", "abc", "abcd"] {
            for after in ["", "z", "zy"] {
                let whole = format!("{before}{secret}{after}");
                for text in [STANDARD.encode(&whole), URL_SAFE_NO_PAD.encode(&whole), hex::encode(&whole)] {
                    assert_eq!(found(text), it, "{whole}");
                }
                assert_eq!(found(hex::encode_upper(&whole)), it, "{whole}");
                assert_eq!(found(whole.clone()), it, "{whole}");
                assert_eq!(found(serde_json::json!({ "value": whole }).to_string()), it, "{whole}");
            }
        }
        assert_eq!(found("?q=%7B%22canary%22%3A%220123456789%2Fabc%2B%7E%22%7D".into()), it);
        assert_eq!(found("?q=%7b%22canary%22%3a%220123456789%2fabc%2b%7e%22%7d".into()), it);
        assert_eq!(found(STANDARD.encode("something else")), BTreeSet::new());
        assert_eq!(found(secret.get(1..).unwrap().to_owned()), BTreeSet::new());
    }
}
