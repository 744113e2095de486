//! Which words may stand where somebody types, and putting one there.

use super::two_sides::Word;

/// So many are offered at once.
const MOST: usize = 8;
/// Of fewer letters too much begins.
const LEAST: usize = 2;

/// What may be meant by what stands before the caret, best first.
pub(super) fn offers(area: &web_sys::HtmlTextAreaElement, all: &[Word]) -> Vec<Word> {
    let before = before(area);
    let begun = begun(&before);
    matching(begun, all)
}

/// Puts a word in the place of what was begun.
pub(super) fn put(area: &web_sys::HtmlTextAreaElement, word: &str) {
    let before = before(area);
    let caret = length(&before);
    let start = caret.saturating_sub(length(begun(&before)));
    let end = start.saturating_add(length(word));
    let _ = area.set_range_text_with_start_and_end(word, start, caret);
    let _ = area.set_selection_range(end, end);
}

/// The text up to the caret, which browsers count in UTF-16.
fn before(area: &web_sys::HtmlTextAreaElement) -> String {
    let caret = area.selection_start().ok().flatten().unwrap_or(0);
    let units: Vec<u16> = area.value().encode_utf16().take(usize::try_from(caret).unwrap_or(0)).collect();
    String::from_utf16_lossy(&units)
}

fn length(text: &str) -> u32 {
    u32::try_from(text.encode_utf16().count()).unwrap_or(u32::MAX)
}

/// The word that is being typed.
fn begun(before: &str) -> &str {
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | ':' | '"' | '-');
    let start = before.char_indices().rev().take_while(|(_, c)| is_part(*c)).last();
    before.get(start.map_or(before.len(), |(at, _)| at)..).unwrap_or_default()
}

/// The words that begin so, then those that have it somewhere, in their text or their meaning.
fn matching(begun: &str, all: &[Word]) -> Vec<Word> {
    if begun.chars().count() < LEAST {
        return Vec::new();
    }
    let begun = begun.to_lowercase();
    let mut found: Vec<(u8, &Word)> = Vec::new();
    for word in all {
        let text = word.text.to_lowercase();
        let rank = if text == begun {
            continue;
        } else if text.starts_with(&begun) {
            0
        } else if text.contains(&begun) {
            1
        } else if word.means.to_lowercase().contains(&begun) {
            2
        } else {
            continue;
        };
        found.push((rank, word));
    }
    found.sort_by_key(|(rank, _)| *rank);
    found.into_iter().take(MOST).map(|(_, word)| word.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_by_what_is_typed_of_them() {
        let word = |text: &str, means: &str| Word { text: text.into(), means: means.into() };
        let all = [
            word("permit", ""),
            word("Action::\"secret.read\"", "read a secret"),
            word("context.passkeyAge", "seconds"),
            word("Team::\"team_1\"", "team Payments"),
        ];
        let found = |before: &str| -> Vec<String> {
            matching(begun(before), &all).into_iter().map(|it| it.text).collect()
        };
        assert_eq!(found("pe"), ["permit"]);
        assert_eq!(found("permit (principal in Paym"), ["Team::\"team_1\""]);
        assert_eq!(found("action == Action::\"sec"), ["Action::\"secret.read\""]);
        assert_eq!(found("when { context.pa"), ["context.passkeyAge"]);
        assert_eq!(found("permit"), Vec::<String>::new());
        assert_eq!(found("when { a"), Vec::<String>::new());
        assert_eq!(found("pa"), ["context.passkeyAge", "Team::\"team_1\""]);
    }

    #[test]
    fn what_was_begun_ends_at_a_space_or_bracket() {
        assert_eq!(begun("permit (prin"), "prin");
        assert_eq!(begun("über.ü"), "über.ü");
        assert_eq!(begun("x "), "");
    }
}
