//! Hiding values in texts that leave for a log, a title or a URL.

use std::borrow::Cow;

use crate::token::{ID_LEN, Kind, PublicId, is_label};

/// Fewer secret characters than this are taken for a word that merely looks alike.
const SUSPICIOUS: usize = 8;

/// Replaces what looks like a value by `kwk_live_<id>_…`: also a truncated, padded or mistyped one, since half
/// a secret is a secret too. Allocates only if there is something to hide.
pub fn mask(text: &str) -> Cow<'_, str> {
    let mut masked = String::new();
    let mut rest = text;
    while let Some((at, found)) = next(rest) {
        let (before, from) = rest.split_at_checked(at).unwrap_or((rest, ""));
        masked.push_str(before);
        masked.push_str(found.shown);
        masked.push('…');
        rest = from.get(found.len..).unwrap_or_default();
    }
    if masked.is_empty() {
        return Cow::Borrowed(text);
    }
    masked.push_str(rest);
    Cow::Owned(masked)
}

struct Found<'a> {
    shown: &'a str,
    len: usize,
}

fn next(text: &str) -> Option<(usize, Found<'_>)> {
    text.match_indices("kw").find_map(|(at, _)| Some((at, look(text.get(at..)?)?)))
}

/// Whether a value begins here, and how much of it may be shown.
fn look(text: &str) -> Option<Found<'_>> {
    let len = text.bytes().take_while(|b| b.is_ascii_alphanumeric() || *b == b'_').count();
    let word = text.get(..len)?;
    let (prefix, rest) = word.split_once('_')?;
    Kind::ALL.into_iter().find(|kind| kind.prefix() == prefix)?;
    let (label, rest) = rest.split_once('_')?;
    if !is_label(label.as_bytes()) {
        return None;
    }
    let label_end = len.saturating_sub(rest.len());
    let shown = match rest.split_once('_') {
        Some((id, secret)) if id.parse::<PublicId>().is_ok() => {
            if secret.is_empty() {
                return None; // already masked, or only the public part
            }
            len.saturating_sub(secret.len())
        }
        _ if rest.len() > ID_LEN + SUSPICIOUS => label_end,
        _ => return None,
    };
    Some(Found { shown: word.get(..shown)?, len })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha20Rng;

    use super::*;
    use crate::token::generate;

    const VALUE: &str = "kwk_live_000000000000_000000000000000000000000000000000000000000037HFaf";

    #[test]
    fn values_are_masked_wherever_they_stand() {
        for (text, masked) in [
            (VALUE.to_owned(), "kwk_live_000000000000_…"),
            (format!("GET /keys?q={VALUE}&page=2"), "GET /keys?q=kwk_live_000000000000_…&page=2"),
            (format!("{VALUE} and {VALUE}."), "kwk_live_000000000000_… and kwk_live_000000000000_…."),
            (format!("é{VALUE}é"), "ékwk_live_000000000000_…é"),
            (format!("kwkw{}", &VALUE[2..]), "kwkwk_live_000000000000_…"),
            (VALUE[..40].to_owned(), "kwk_live_000000000000_…"),
            (format!("{VALUE}x"), "kwk_live_000000000000_…"),
            (VALUE.replacen("_000000000000", "", 1), "kwk_live_…"),
        ] {
            assert_eq!(mask(&text), masked, "{text}");
        }
    }

    #[test]
    fn other_texts_are_left_alone() {
        for text in [
            "",
            "kw",
            "kwk_",
            "kwk_live_000000000000_",
            "kwk_live_000000000000_…",
            "the kwk_live_ prefix",
            "kwp_live_000000000000_abc",
        ] {
            assert!(matches!(mask(text), Cow::Borrowed(same) if same == text), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_secret_never_comes_through(seed: u64, before in "\\PC*", after in "\\PC*") {
            let made = generate(Kind::ApiKey, &"live".parse().unwrap(), &mut ChaCha20Rng::seed_from_u64(seed));
            let value = made.value.expose();
            let masked = mask(&format!("{before}{value}{after}")).into_owned();
            prop_assert!(!masked.contains(&value[22..]));
            prop_assert_eq!(mask(&masked), masked.as_str());
        }
    }
}
