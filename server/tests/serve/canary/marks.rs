//! What is put in, each text unlike any other, and where each may be found afterwards.

use std::{cell::RefCell, collections::BTreeMap};

use keywarden_domain::written::Search;
use sha2::{Digest as _, Sha256};

/// Where a text may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whose {
    /// Nowhere: values, tokens, codes, whatever stands where one of them belongs.
    Secret,
    /// In the records and in answers, as names and notes are, and in no line, figure, command line or backup.
    Told,
}

#[derive(Debug)]
struct Mark {
    what: String,
    text: String,
    whose: Whose,
}

/// Everything that was put in.
#[derive(Debug, Default)]
pub(crate) struct Marks(RefCell<Vec<Mark>>);

impl Marks {
    /// A new text of 32 letters and digits, good as a name, a slug or a value.
    pub(crate) fn draw(&self, whose: Whose, what: impl Into<String>) -> String {
        let what = what.into();
        let drawn = hex::encode(Sha256::digest(format!("{} {what}", self.0.borrow().len())));
        let text = format!("c{}", &drawn[..31]);
        self.note(whose, what, text.clone());
        text
    }

    pub(crate) fn secret(&self, what: impl Into<String>) -> String {
        self.draw(Whose::Secret, what)
    }

    pub(crate) fn told(&self, what: impl Into<String>) -> String {
        self.draw(Whose::Told, what)
    }

    /// A text that the server made.
    pub(crate) fn note(&self, whose: Whose, what: impl Into<String>, text: impl Into<String>) {
        let (what, text) = (what.into(), text.into());
        assert!(text.len() >= 11, "{what} would be found by chance");
        self.0.borrow_mut().push(Mark { what, text, whose });
    }

    /// Of a key or a token: its end, which is secret, and not its id, by which it is named.
    pub(crate) fn note_token(&self, what: &str, token: &str) {
        let token = token.trim();
        self.note(Whose::Secret, what, &token[token.len() - 40..]);
    }

    pub(crate) fn count(&self, whose: Whose) -> usize {
        self.0.borrow().iter().filter(|mark| mark.whose == whose).count()
    }

    /// A search for all of those that were put in so far.
    pub(crate) fn search(&self) -> Hunt<'_> {
        let search = Search::of(self.0.borrow().iter().map(|mark| mark.text.as_str()));
        Hunt { marks: self, search, found: RefCell::default() }
    }
}

/// What was found where it must not be.
pub(crate) struct Hunt<'a> {
    marks: &'a Marks,
    search: Search,
    found: RefCell<BTreeMap<String, usize>>,
}

impl Hunt<'_> {
    /// Neither secrets nor names are here.
    pub(crate) fn nothing_in(&self, place: &str, bytes: &[u8]) {
        self.look(place, bytes, |_| true);
    }

    /// No secrets are here.
    pub(crate) fn no_secret_in(&self, place: &str, bytes: &[u8]) {
        self.look(place, bytes, |whose| whose == Whose::Secret);
    }

    /// How many of those that may be here are: a search that finds nothing at all has not looked.
    pub(crate) fn told_in(&self, bytes: &[u8]) -> usize {
        let marks = self.marks.0.borrow();
        self.search.found(bytes).into_iter().filter(|at| marks[*at].whose == Whose::Told).count()
    }

    fn look(&self, place: &str, bytes: &[u8], minds: impl Fn(Whose) -> bool) {
        let marks = self.marks.0.borrow();
        for at in self.search.found(bytes) {
            let Mark { what, text, whose } = &marks[at];
            if minds(*whose) {
                let near = String::from_utf8_lossy(bytes);
                let near = near.find(text).map(|at| near[..at].chars().rev().take(160).collect::<String>());
                let near: String = near.unwrap_or_default().chars().rev().collect();
                let line = format!("{place}: {whose:?} {what}, after {near:?}");
                *self.found.borrow_mut().entry(line).or_default() += 1;
            }
        }
    }

    /// Fails with everything that was found.
    pub(crate) fn end(self) {
        let found = self.found.into_inner();
        let lines: Vec<_> = found.keys().map(String::as_str).collect();
        assert!(lines.is_empty(), "{} places:\n{}", lines.len(), lines.join("\n"));
    }
}
