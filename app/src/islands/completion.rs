//! Which words may stand where somebody types, and putting one there.

use web_sys::HtmlTextAreaElement;

/// So many are offered at once.
const MOST: usize = 8;
/// Of fewer letters too much begins.
const LEAST: usize = 2;
/// What ends a word, besides white space.
const ENDS: &str = "(){}[],;=!<>&|+*/?@";

/// The lines of what may be meant by what stands before the caret, best first.
pub(super) fn offers<'a>(area: &HtmlTextAreaElement, all: &'a str) -> Vec<&'a str> {
    let before = before(area);
    matching(begun(&before), all, |text| String::from(js_sys::JsString::from(text).to_lower_case()))
}

/// Puts a word in the place of what was begun.
pub(super) fn put(area: &HtmlTextAreaElement, word: &str) {
    let before = before(area);
    let caret = length(&before);
    let start = caret.saturating_sub(length(begun(&before)));
    let end = start.saturating_add(length(word));
    let _ = area.set_range_text_with_start_and_end(word, start, caret);
    let _ = area.set_selection_range(end, end);
}

/// The text up to the caret, which browsers count in UTF-16.
fn before(area: &HtmlTextAreaElement) -> String {
    let caret = area.selection_start().ok().flatten().unwrap_or_default();
    js_sys::JsString::from(area.value()).substring(0, caret).into()
}

fn length(text: &str) -> u32 {
    js_sys::JsString::from(text).length()
}

/// The word that is being typed.
fn begun(before: &str) -> &str {
    let ends = |c: char| c.is_ascii_whitespace() || ENDS.contains(c);
    before.rsplit(ends).next().unwrap_or_default()
}

/// The words that begin so, then those that have it somewhere, in their text or their meaning.
fn matching<'a>(begun: &str, all: &'a str, small: impl Fn(&str) -> String) -> Vec<&'a str> {
    let mut found = Vec::new();
    if begun.chars().count() < LEAST {
        return found;
    }
    let begun = small(begun);
    let ranks: [fn(&str, &str, &str) -> bool; 3] = [
        |text, _, begun| text.starts_with(begun),
        |text, _, begun| text.contains(begun) && !text.starts_with(begun),
        |text, means, begun| means.contains(begun) && !text.contains(begun),
    ];
    for fits in ranks {
        for line in all.lines() {
            let (text, means) = line.split_once('\t').unwrap_or((line, ""));
            let text = small(text);
            if text != begun && fits(&text, &small(means), &begun) && found.len() < MOST {
                found.push(line);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_by_what_is_typed_of_them() {
        let all = "permit\t\nAction::\"secret.read\"\tread a secret\ncontext.passkeyAge\tseconds\n\
                   Team::\"team_1\"\tteam Payments\nPerson::\"usr_1\"\tÄrger";
        let found = |before: &str| -> Vec<&str> {
            let lines = matching(begun(before), all, str::to_lowercase).into_iter();
            lines.map(|it| it.split('\t').next().unwrap_or_default()).collect()
        };
        assert_eq!(found("pe"), ["permit", "Person::\"usr_1\""]);
        assert_eq!(found("permit (principal in Paym"), ["Team::\"team_1\""]);
        assert_eq!(found("action == Action::\"sec"), ["Action::\"secret.read\""]);
        assert_eq!(found("when { context.pa"), ["context.passkeyAge"]);
        assert_eq!(found("permit"), Vec::<&str>::new());
        assert_eq!(found("when { a"), Vec::<&str>::new());
        assert_eq!(found("pa"), ["context.passkeyAge", "Team::\"team_1\""]);
        assert_eq!(found("är"), ["Person::\"usr_1\""]);
    }

    #[test]
    fn what_was_begun_ends_at_a_space_or_bracket() {
        assert_eq!(begun("permit (prin"), "prin");
        assert_eq!(begun("über.ü"), "über.ü");
        assert_eq!(begun("x "), "");
    }
}
