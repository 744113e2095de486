//! `en-XA`: English with accents, brackets and a third more length. What still reads as plain English on a
//! page did not come from the catalogue; a bracket that is missing was clipped.

use std::fmt;

/// First strong isolate and pop directional isolate (Unicode UAX #9): around what was put into a text.
const OPEN: char = '\u{2068}';
const CLOSE: char = '\u{2069}';

/// An argument: shown as it is, and marked so that [`of`] leaves it alone.
pub(crate) struct Given<'a, T>(pub(crate) &'a T);

impl<T: fmt::Display> fmt::Display for Given<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{OPEN}{}{CLOSE}", self.0)
    }
}

/// The pseudo-translation of a text.
pub(crate) fn of(text: &str) -> String {
    let mut out = String::with_capacity(text.len().saturating_mul(2));
    out.push('[');
    let mut depth = 0_usize;
    let mut letters = 0_usize;
    for c in text.chars() {
        match c {
            OPEN => depth = depth.saturating_add(1),
            CLOSE => depth = depth.saturating_sub(1),
            _ => {}
        }
        letters = letters.saturating_add((depth == 0).into());
        out.push(if depth == 0 { accented(c) } else { c });
    }
    out.push(' ');
    out.extend(std::iter::repeat_n('~', letters.saturating_mul(3).div_ceil(10).saturating_sub(1).max(1)));
    out.push(']');
    out
}

fn accented(c: char) -> char {
    const PLAIN: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    const ACCENTED: &str = "ÅƁÇÐÉƑĜĤÎĴĶĻṀÑÖÞǪŔŠŢÛṼŴẊÝŽåƀçðéƒĝĥîĵķļɱñöþǫŕšţûṽŵẋýž";
    PLAIN.chars().position(|plain| plain == c).and_then(|at| ACCENTED.chars().nth(at)).unwrap_or(c)
}

/// The words on a page in `en-XA` that did not come from the catalogue: runs of three plain letters in its
/// text and in the attributes that people hear or see. What is marked `translate="no"` (names, ids, code) and
/// what was put into a text is not looked at.
#[cfg(test)]
pub(crate) fn raw_words(html: &str) -> Vec<String> {
    let mut raw = Vec::new();
    for piece in visible(html) {
        let mut depth = 0_usize;
        let mut word = String::new();
        for c in piece.chars().chain([' ']) {
            match c {
                OPEN => depth += 1,
                CLOSE => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth == 0 && c.is_ascii_alphabetic() {
                word.push(c);
                continue;
            }
            // UTC and unit symbols are the same in every language.
            if word.len() >= 3 && word != "UTC" {
                raw.push(std::mem::take(&mut word));
            }
            word.clear();
        }
    }
    raw
}

/// Texts and spoken attributes, without what is inside elements marked `translate="no"`.
#[cfg(test)]
fn visible(html: &str) -> Vec<String> {
    const SPOKEN: [&str; 4] = ["title", "aria-label", "placeholder", "alt"];
    const VOID: [&str; 7] = ["br", "hr", "img", "input", "link", "meta", "rect"];
    let mut pieces = Vec::new();
    // Open elements, and how deep inside an unlooked-at one we are.
    let mut hidden: Vec<bool> = Vec::new();
    let mut rest = html;
    while let Some(open) = rest.find('<') {
        let text = &rest[..open];
        if !hidden.iter().any(|hidden| *hidden) && !text.trim().is_empty() {
            pieces.push(text.to_owned());
        }
        let end = rest[open..].find('>').map_or(rest.len(), |end| open + end);
        let tag = &rest[open + 1..end];
        rest = rest.get(end + 1..).unwrap_or_default();
        if tag.starts_with('!') {
            continue;
        }
        if tag.starts_with('/') {
            hidden.pop();
            continue;
        }
        let name = tag.split([' ', '/']).next().unwrap_or_default();
        let hides = tag.contains("translate=\"no\"") || matches!(name, "code" | "script" | "time");
        if !hides && !hidden.iter().any(|hidden| *hidden) {
            for spoken in SPOKEN {
                if let Some((_, value)) = tag.split_once(&format!(" {spoken}=\"")) {
                    pieces.push(value.split('"').next().unwrap_or_default().to_owned());
                }
            }
        }
        if !VOID.contains(&name) && !tag.ends_with('/') {
            hidden.push(hides);
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_accented_bracketed_and_about_a_third_longer() {
        let text = "Rotate this key: the old value works until then.";
        let pseudo = of(text);
        assert!(pseudo.starts_with("[Ŕöţåţé ") && pseudo.ends_with(']'), "{pseudo}");
        let growth = pseudo.chars().count() * 100 / text.len();
        assert!((125..=145).contains(&growth), "{growth} %");
    }

    #[test]
    fn every_letter_has_its_own_accented_one() {
        let letters: Vec<char> = ('a'..='z').chain('A'..='Z').map(accented).collect();
        assert!(letters.iter().all(|c| !c.is_ascii()));
        let mut distinct = letters.clone();
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!(distinct.len(), letters.len());
    }

    #[test]
    fn what_was_put_in_stays() {
        assert!(of(&format!("by {}", Given(&"Ada"))).contains("Ada"));
    }

    #[test]
    fn raw_words_are_those_that_no_catalogue_has_seen() {
        let html = format!(
            "<p title=\"raw title\">{}<br>plain<!></p><code>let code</code><b translate=\"no\"><i>Ada</i></b>",
            of(&format!("key {}", Given(&"given")))
        );
        assert_eq!(raw_words(&html), ["raw", "title", "plain"]);
    }
}
