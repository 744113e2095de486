//! `.env`: `NAME=value`, one a line.
//!
//! | Written | Read |
//! | --- | --- |
//! | `export NAME=value` | as without `export` |
//! | `NAME=value # comment` | up to the blank before `#`; a `#` right behind something else belongs to the value |
//! | `NAME='value'` | as it is, over several lines too |
//! | `NAME="value"` | over several lines too; `\n` `\r` `\t` `\"` `\$` `` \` `` `\\` mean what they do elsewhere, and no other escape is known |
//!
//! `$NAME` stands for itself: nothing is expanded, so that a value comes out as it went in. Line ends within quotes
//! stay what they are.

use super::found::Found;
use super::{Entry, Wrong, newlines};

pub(super) fn read(text: &str, found: &mut Found) {
    let mut rest = Rest { text, line: 1 };
    while !found.is_full() && rest.next(found).is_some() {}
}

/// What has not been read yet.
struct Rest<'a> {
    text: &'a str,
    line: u64,
}

impl<'a> Rest<'a> {
    /// Reads one entry, comment or blank line; `None` at the end.
    fn next(&mut self, found: &mut Found) -> Option<()> {
        if self.text.is_empty() {
            return None;
        }
        let line = self.line;
        let (head, _) = self.text.split_once('\n').unwrap_or((self.text, ""));
        if head.trim().is_empty() || head.trim_start().starts_with('#') {
            self.rest_of_line();
            return Some(());
        }
        let Some((before, _)) = head.split_once('=') else {
            found.wrong(line, Wrong::NoEquals);
            self.rest_of_line();
            return Some(());
        };
        let name = before.trim();
        let name =
            name.strip_prefix("export").filter(|it| it.starts_with([' ', '\t'])).unwrap_or(name).trim();
        self.skip(before.len().saturating_add(1));
        self.text = self.text.trim_start_matches([' ', '\t']);
        let value = match self.text.chars().next() {
            Some('\'') => self.single(),
            Some('"') => self.double(),
            _ => Ok(plain(self.rest_of_line()).to_owned()),
        };
        match value {
            // What is no name may be a piece of a value: it is not told.
            _ if !is_name(name) => found.wrong(line, Wrong::BadName),
            Ok(value) => found.entry(Entry::new(line, name, value)),
            Err((at, wrong)) => found.wrong_with(at, name, wrong),
        }
        Some(())
    }

    /// Goes on behind so many bytes; counts the lines among them.
    fn skip(&mut self, bytes: usize) -> &'a str {
        let (gone, rest) = self.text.split_at_checked(bytes).unwrap_or((self.text, ""));
        self.line = self.line.saturating_add(newlines(gone.as_bytes()));
        self.text = rest;
        gone
    }

    /// What is left of the line.
    fn rest_of_line(&mut self) -> &'a str {
        let line = self.text.split_inclusive('\n').next().unwrap_or_default();
        self.skip(line.len()).trim_end_matches('\n')
    }

    fn single(&mut self) -> Result<String, (u64, Wrong)> {
        let opened = self.line;
        self.skip(1);
        match self.text.find('\'') {
            Some(end) => {
                let value = self.skip(end).to_owned();
                self.skip(1);
                self.close(value)
            }
            None => self.unclosed(opened),
        }
    }

    fn double(&mut self) -> Result<String, (u64, Wrong)> {
        let opened = self.line;
        self.skip(1);
        let mut value = String::with_capacity(self.text.find('"').unwrap_or(0));
        let mut bad = None;
        loop {
            let Some(at) = self.text.find(['"', '\\']) else { return self.unclosed(opened) };
            value.push_str(self.skip(at));
            if self.skip(1) == "\"" {
                let closed = self.close(value);
                return bad.map_or(closed, |line| Err((line, Wrong::BadEscape)));
            }
            let Some(escaped) = self.text.chars().next() else { return self.unclosed(opened) };
            match escaped {
                'n' => value.push('\n'),
                'r' => value.push('\r'),
                't' => value.push('\t'),
                '"' | '$' | '`' | '\\' => value.push(escaped),
                _ => bad = bad.or(Some(self.line)),
            }
            self.skip(escaped.len_utf8());
        }
    }

    /// Nothing that follows can be told from the value.
    fn unclosed(&mut self, opened: u64) -> Result<String, (u64, Wrong)> {
        self.text = "";
        Err((opened, Wrong::Unclosed))
    }

    /// Behind a closing quote.
    fn close(&mut self, value: String) -> Result<String, (u64, Wrong)> {
        let line = self.line;
        let behind = self.rest_of_line();
        let comment = behind.trim_start().starts_with('#') && behind.starts_with([' ', '\t']);
        if comment || behind.trim().is_empty() { Ok(value) } else { Err((line, Wrong::AfterQuote)) }
    }
}

/// A value without quotes: up to a comment.
fn plain(text: &str) -> &str {
    let blank = |at: usize| text.get(..at).is_some_and(|before| before.ends_with([' ', '\t']));
    let end = text.match_indices('#').map(|(at, _)| at).find(|at| blank(*at)).unwrap_or(text.len());
    text.get(..end).unwrap_or(text).trim()
}

fn is_name(text: &str) -> bool {
    !text.starts_with(|c: char| c.is_ascii_digit())
        && !text.is_empty()
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'))
}
