//! What differs between two values: by field where both are JSON, by line where both are text.

use std::collections::BTreeSet;

use serde_json::Value;
use similar::{Algorithm, ChangeTag, TextDiff};

use super::reveal::exact;

/// Fields that are told; of more only the number is.
const MOST_FIELDS: usize = 200;

/// Lines that are compared; comparing more takes too long.
const MOST_LINES: usize = 2_000;

/// How two values differ. No `Debug` outside tests: it holds values.
#[cfg_attr(test, derive(Debug, PartialEq, Eq))]
pub(super) enum Difference {
    /// Not at all: byte for byte the same.
    Alike,
    /// Somehow: at least one of them is no text that a page holds as it is, or has too many lines.
    Bytes,
    /// In these fields.
    Fields {
        told: Vec<Field>,
        /// How many more.
        more: usize,
    },
    /// In these lines; lines that both have stand between them.
    Lines(Vec<(Side, String)>),
}

/// A field that differs; `None` where one of the two has none.
#[cfg_attr(test, derive(Debug, PartialEq, Eq))]
pub(super) struct Field {
    /// RFC 6901; empty for the whole.
    pub(super) pointer: String,
    pub(super) before: Option<String>,
    pub(super) after: Option<String>,
}

/// Which of the two has a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    After,
    Before,
    Both,
}

impl Difference {
    pub(super) fn of(before: &[u8], after: &[u8]) -> Self {
        if before == after {
            return Self::Alike;
        }
        let (Some(before), Some(after)) = (exact(before), exact(after)) else { return Self::Bytes };
        if let (Ok(a), Ok(b)) = (serde_json::from_str::<Value>(before), serde_json::from_str::<Value>(after))
            && is_whole(&a)
            && is_whole(&b)
        {
            let mut told = Vec::new();
            fields(String::new(), Some(&a), Some(&b), &mut told);
            // The same fields in other words: then the words are what differs.
            if !told.is_empty() {
                let more = told.len().saturating_sub(MOST_FIELDS);
                told.truncate(MOST_FIELDS);
                return Self::Fields { told, more };
            }
        }
        let many = |text: &str| text.lines().count() > MOST_LINES;
        if many(before) || many(after) {
            return Self::Bytes;
        }
        Self::Lines(lines(before, after))
    }
}

/// Whether it has fields at all.
fn is_whole(value: &Value) -> bool {
    value.is_object() || value.is_array()
}

fn fields(pointer: String, before: Option<&Value>, after: Option<&Value>, told: &mut Vec<Field>) {
    match (before, after) {
        (Some(Value::Object(a)), Some(Value::Object(b))) => {
            let names: BTreeSet<_> = a.keys().chain(b.keys()).collect();
            for name in names {
                let step = name.replace('~', "~0").replace('/', "~1");
                fields(format!("{pointer}/{step}"), a.get(name), b.get(name), told);
            }
        }
        (Some(Value::Array(a)), Some(Value::Array(b))) if a.len() == b.len() => {
            for (n, (a, b)) in a.iter().zip(b).enumerate() {
                fields(format!("{pointer}/{n}"), Some(a), Some(b), told);
            }
        }
        (before, after) if before != after => {
            let text = |value: Option<&Value>| value.map(ToString::to_string);
            told.push(Field { pointer, before: text(before), after: text(after) });
        }
        _ => {}
    }
}

fn lines(before: &str, after: &str) -> Vec<(Side, String)> {
    let diff = TextDiff::configure().algorithm(Algorithm::Patience).diff_lines(before, after);
    diff.iter_all_changes()
        .map(|change| {
            let side = match change.tag() {
                ChangeTag::Delete => Side::Before,
                ChangeTag::Equal => Side::Both,
                ChangeTag::Insert => Side::After,
            };
            (side, change.value().trim_end_matches('\n').to_owned())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(pointer: &str, before: Option<&str>, after: Option<&str>) -> Field {
        Field { pointer: pointer.into(), before: before.map(Into::into), after: after.map(Into::into) }
    }

    #[test]
    fn json_differs_by_field_and_text_by_line() {
        assert_eq!(Difference::of(b"a", b"a"), Difference::Alike);
        assert_eq!(Difference::of(b"a", b"\xff"), Difference::Bytes);
        assert_eq!(Difference::of(b"a\r\n", b"a\n"), Difference::Bytes, "a page would show no difference");
        let before =
            br#"{"user": "app", "password": "one", "ports": [1, 2], "tls": {"ca/key": true}, "old": 1}"#;
        let after =
            br#"{"password": "two", "user": "app", "ports": [1, 3], "tls": {"ca/key": null}, "new": [1]}"#;
        let told = vec![
            field("/new", None, Some("[1]")),
            field("/old", Some("1"), None),
            field("/password", Some("\"one\""), Some("\"two\"")),
            field("/ports/1", Some("2"), Some("3")),
            field("/tls/ca~1key", Some("true"), Some("null")),
        ];
        assert_eq!(Difference::of(before, after), Difference::Fields { told, more: 0 });
        let words = Difference::of(b"{\"a\":1}", b"{ \"a\": 1 }");
        assert!(matches!(words, Difference::Lines(_)), "the fields are the same, the text is not: {words:?}");
        let Difference::Lines(lines) = Difference::of(b"a\nb\nc\n", b"a\nx\nc\n") else { panic!() };
        let line = |side, text: &str| (side, text.to_owned());
        assert_eq!(
            lines,
            [line(Side::Both, "a"), line(Side::Before, "b"), line(Side::After, "x"), line(Side::Both, "c")]
        );
    }

    #[test]
    fn many_fields_are_counted_and_deep_ones_are_lines() {
        let many = |value: u8| {
            let fields: Vec<_> = (0..300).map(|n| format!("\"f{n}\": {value}")).collect();
            format!("{{{}}}", fields.join(","))
        };
        let Difference::Fields { told, more } = Difference::of(many(1).as_bytes(), many(2).as_bytes()) else {
            panic!()
        };
        assert_eq!((told.len(), more), (200, 100));
        let deep = |end: &str| format!("{}{end}{}", "[".repeat(20_000), "]".repeat(20_000));
        assert!(matches!(Difference::of(deep("1").as_bytes(), deep("2").as_bytes()), Difference::Lines(_)));
        let long = |end: &str| format!("{}{end}", "a\n".repeat(3_000));
        assert_eq!(Difference::of(long("1").as_bytes(), long("2").as_bytes()), Difference::Bytes);
    }
}
