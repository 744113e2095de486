//! A JSON object, taken apart at its top. Its parts point into the text: what nobody asked for is not copied.

use std::collections::{HashMap, HashSet};
use std::fmt;

use keywarden_vault::{SecretBytes, SecretString};
use serde::de::{Deserializer as _, MapAccess, Visitor};
use serde_json::value::RawValue;
use zeroize::Zeroizing;

/// What stands in a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldSort {
    /// Several values in their order.
    List,
    /// `null`.
    Nothing,
    /// A number.
    Number,
    /// Fields of its own.
    Object,
    /// A string.
    Text,
    /// `true` or `false`.
    Truth,
}

impl FieldSort {
    /// By the first character; the text is JSON.
    fn of(value: &str) -> Self {
        match value.as_bytes().first() {
            Some(b'"') => Self::Text,
            Some(b'{') => Self::Object,
            Some(b'[') => Self::List,
            Some(b't' | b'f') => Self::Truth,
            Some(b'n') => Self::Nothing,
            _ => Self::Number,
        }
    }
}

/// A field of a value. Its name is part of the value: `Debug` shows none.
#[derive(Debug)]
pub struct Field {
    /// What it is called.
    pub name: SecretString,
    /// What stands there.
    pub sort: FieldSort,
}

/// The fields in the order of the text.
pub(super) struct Object<'a>(Vec<Member<'a>>);

struct Member<'a> {
    name: Zeroizing<String>,
    /// The name and the value as they are written.
    written: (&'a str, &'a str),
}

impl<'a> Object<'a> {
    /// `None`: the text is something else.
    pub(super) fn of(text: &'a SecretBytes) -> Option<Self> {
        Self::read(text.expose())
    }

    fn read(text: &'a [u8]) -> Option<Self> {
        let mut json = serde_json::Deserializer::from_slice(text);
        let members = json.deserialize_map(Members).ok()?;
        json.end().ok()?;
        Some(Self(members))
    }

    /// Each field once. Of several with one name the last one counts, as for a template's `#field`.
    pub(super) fn fields(&self) -> Vec<Field> {
        let mut seen = HashSet::new();
        let last = self.0.iter().rev().filter(|it| seen.insert(it.name.as_str()));
        let mut fields: Vec<_> = last
            .map(|it| Field {
                name: SecretString::new((*it.name).clone()),
                sort: FieldSort::of(it.written.1),
            })
            .collect();
        fields.reverse();
        fields
    }

    /// What its fields are called.
    pub(super) fn names(&self) -> HashSet<&str> {
        self.0.iter().map(|it| it.name.as_str()).collect()
    }

    /// What stands in a field: a string's text, of anything else the JSON as it is written.
    pub(super) fn text(&self, name: &str) -> Option<SecretBytes> {
        let (_, value) = self.find(name)?.written;
        Some(match serde_json::from_str::<String>(value) {
            Ok(text) => SecretBytes::new(text.into_bytes()),
            Err(_) => SecretBytes::copy_of(value.as_bytes()),
        })
    }

    /// What stands in a field now.
    pub(super) fn sort(&self, name: &str) -> Option<FieldSort> {
        self.find(name).map(|it| FieldSort::of(it.written.1))
    }

    /// The object with these fields, given as JSON, and without those that are given as `None`. All others stay as they are
    /// written; what is new comes last.
    pub(super) fn with(&self, changes: &[Change<'_>]) -> SecretBytes {
        let mut text = self.written_with(changes);
        SecretBytes::new(std::mem::take(&mut *text).into_bytes())
    }

    /// The object after a merge patch (RFC 7396): what is `null` there is not here any more, an object goes into an object,
    /// and anything else stands here as it is written there.
    pub(super) fn merged(&self, patch: &Object<'_>) -> SecretBytes {
        self.with(&self.changes(patch))
    }

    fn changes<'p>(&self, patch: &'p Object<'_>) -> Vec<Change<'p>> {
        let last = self.last();
        let before = |name: &str| last.get(name).and_then(|at| self.0.get(*at)).map(|it| it.written.1);
        let changed = |it: &'p Member<'_>| (it.name.as_str(), merged(before(&it.name), it.written.1));
        patch.0.iter().map(changed).collect()
    }

    fn written_with(&self, changes: &[Change<'_>]) -> Zeroizing<String> {
        let last = self.last();
        let changed: HashMap<&str, Option<&str>> =
            changes.iter().map(|(name, value)| (*name, value.as_ref().map(|it| it.as_str()))).collect();
        let kept = self.0.iter().enumerate().filter_map(|(at, it)| match changed.get(it.name.as_str()) {
            None => Some(it.written),
            Some(Some(value)) if last.get(it.name.as_str()) == Some(&at) => Some((it.written.0, *value)),
            Some(_) => None,
        });
        let new = changes.iter().filter(|(name, _)| !last.contains_key(name));
        let new = new.filter_map(|(name, value)| Some((quoted(name), value.as_ref()?)));
        let new: Vec<_> = new.collect();
        let fields: Vec<_> =
            kept.chain(new.iter().map(|(name, value)| (name.as_str(), value.as_str()))).collect();
        // Room for all of it, so that no shorter copy is left behind.
        let length =
            fields.iter().map(|(name, value)| name.len().saturating_add(value.len()).saturating_add(2));
        let mut text = Zeroizing::new(String::with_capacity(length.sum::<usize>().saturating_add(2)));
        text.push('{');
        for (at, (name, value)) in fields.into_iter().enumerate() {
            if at > 0 {
                text.push(',');
            }
            text.push_str(name);
            text.push(':');
            text.push_str(value);
        }
        text.push('}');
        text
    }

    /// Where each name stands last.
    fn last(&self) -> HashMap<&str, usize> {
        self.0.iter().enumerate().map(|(at, it)| (it.name.as_str(), at)).collect()
    }

    fn find(&self, name: &str) -> Option<&Member<'a>> {
        self.0.iter().rev().find(|it| it.name.as_str() == name)
    }
}

/// A field by its name, and what is to stand there as JSON; `None`: nothing.
pub(super) type Change<'a> = (&'a str, Option<Zeroizing<String>>);

/// What stands in a field after a patch of it. As deep as the patch is, and no deeper.
fn merged(before: Option<&str>, patch: &str) -> Option<Zeroizing<String>> {
    let within = match FieldSort::of(patch) {
        FieldSort::Nothing => return None,
        FieldSort::Object => Object::read(patch.as_bytes()),
        FieldSort::List | FieldSort::Number | FieldSort::Text | FieldSort::Truth => None,
    };
    let Some(within) = within else { return Some(Zeroizing::new(patch.to_owned())) };
    let before = before.and_then(|text| Object::read(text.as_bytes())).unwrap_or(Object(Vec::new()));
    Some(before.written_with(&before.changes(&within)))
}

/// A text as a string of JSON.
pub(super) fn quoted(text: &str) -> Zeroizing<String> {
    // Writing a text into memory does not fail.
    Zeroizing::new(serde_json::to_string(text).unwrap_or_default())
}

struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Vec<Member<'de>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut all: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some((name, value)) = all.next_entry::<&RawValue, &RawValue>()? {
            // A name that no text can hold (half of a surrogate pair) is called as it is written.
            let read = serde_json::from_str(name.get()).unwrap_or_else(|_| name.get().to_owned());
            members.push(Member { name: Zeroizing::new(read), written: (name.get(), value.get()) });
        }
        Ok(members)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Map, Value, json};

    use super::*;

    fn bytes(text: &str) -> SecretBytes {
        SecretBytes::copy_of(text.as_bytes())
    }

    fn told(text: &str) -> Option<Vec<(String, FieldSort)>> {
        let text = bytes(text);
        let fields = Object::of(&text)?.fields().into_iter();
        Some(fields.map(|it| (it.name.expose().to_owned(), it.sort)).collect())
    }

    fn changed(text: &str, changes: &[(&str, Option<&str>)]) -> String {
        let text = bytes(text);
        let changes: Vec<_> = changes
            .iter()
            .map(|(name, value)| (*name, value.map(|it| Zeroizing::new(it.to_owned()))))
            .collect();
        let with = Object::of(&text).unwrap().with(&changes);
        String::from_utf8(with.expose().to_vec()).unwrap()
    }

    #[test]
    fn an_object_is_taken_apart_and_nothing_else_is() {
        let all = r#" {"a": "x", "\u00e9": 1.50, "": null, "o": {"p": 1}, "l": [1, 2], "t": false} "#;
        let sorts = [
            ("a", FieldSort::Text),
            ("é", FieldSort::Number),
            ("", FieldSort::Nothing),
            ("o", FieldSort::Object),
            ("l", FieldSort::List),
            ("t", FieldSort::Truth),
        ];
        assert_eq!(told(all).unwrap(), sorts.map(|(name, sort)| (name.to_owned(), sort)));
        for other in ["[1]", "\"a\"", "1", "null", "{", "{} {}", "", "{\"a\":}", "\u{feff}{}"] {
            assert_eq!(told(other), None, "{other}");
        }
        assert_eq!(told("{}").unwrap(), []);
        let twice = r#"{"a": 1, "b": 2, "a": "last"}"#;
        assert_eq!(told(twice).unwrap(), [("b".into(), FieldSort::Number), ("a".into(), FieldSort::Text)]);
    }

    #[test]
    fn a_field_reads_as_its_text_or_as_it_is_written() {
        let all =
            bytes(r#"{"a": "q\"\n\u00e9", "n": 1.50, "o": {"p" : [1]}, "half": "\ud800", "a.b": "dot"}"#);
        let object = Object::of(&all).unwrap();
        let text = |name: &str| object.text(name).map(|it| String::from_utf8(it.expose().to_vec()).unwrap());
        assert_eq!(text("a").unwrap(), "q\"\né");
        assert_eq!(text("n").unwrap(), "1.50", "as it is written");
        assert_eq!(text("o").unwrap(), "{\"p\" : [1]}");
        assert_eq!(text("half").unwrap(), "\"\\ud800\"");
        assert_eq!(text("a.b").unwrap(), "dot");
        assert_eq!(text("p"), None, "only at the top");
    }

    #[test]
    fn what_is_not_changed_stays_as_it_is_written() {
        let all = r#"{ "a" : "\u00e9", "n": 1.50, "o": { "p" : 1e5 } }"#;
        assert_eq!(changed(all, &[]), r#"{"a":"\u00e9","n":1.50,"o":{ "p" : 1e5 }}"#);
        assert_eq!(
            changed(all, &[("n", Some("2")), ("a", None), ("q\"", Some("\"new\"")), ("gone", None)]),
            r#"{"n":2,"o":{ "p" : 1e5 },"q\"":"new"}"#
        );
        assert_eq!(changed(r#"{"a": 1, "b": 2, "a": 3}"#, &[("a", Some("4"))]), r#"{"b":2,"a":4}"#);
        assert_eq!(changed(r#"{"a": 1, "b": 2, "a": 3}"#, &[("a", None)]), r#"{"b":2}"#);
        assert_eq!(changed("{}", &[("a", Some("1"))]), r#"{"a":1}"#);
        let deep = format!("{{\"a\":{}{},\"b\":1}}", "[".repeat(20_000), "]".repeat(20_000));
        assert_eq!(changed(&deep, &[("b", Some("2"))]).len(), deep.len(), "depth costs nothing");
    }

    fn patched(before: &str, patch: &str) -> String {
        let (before, patch) = (bytes(before), bytes(patch));
        let merged = Object::of(&before).unwrap().merged(&Object::of(&patch).unwrap());
        String::from_utf8(merged.expose().to_vec()).unwrap()
    }

    #[test]
    fn a_merge_patch_does_what_its_rfc_says() {
        // RFC 7396, appendix A, as far as both are objects.
        for (before, patch, after) in [
            (r#"{"a":"b"}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#),
            (r#"{"a":"b"}"#, r#"{"b":"c"}"#, r#"{"a":"b","b":"c"}"#),
            (r#"{"a":"b"}"#, r#"{"a":null}"#, "{}"),
            (r#"{"a":"b","b":"c"}"#, r#"{"a":null}"#, r#"{"b":"c"}"#),
            (r#"{"a":["b"]}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#),
            (r#"{"a":"c"}"#, r#"{"a":["b"]}"#, r#"{"a":["b"]}"#),
            (r#"{"a":{"b":"c"}}"#, r#"{"a":{"b":"d","c":null}}"#, r#"{"a":{"b":"d"}}"#),
            (r#"{"a":[{"b":"c"}]}"#, r#"{"a":[1]}"#, r#"{"a":[1]}"#),
            (r#"{"e":null}"#, r#"{"a":1}"#, r#"{"e":null,"a":1}"#),
            ("{}", r#"{"a":{"bb":{"ccc":null}}}"#, r#"{"a":{"bb":{}}}"#),
            // What is kept, and what is set, stands as it is written.
            (
                r#"{ "n" : 1.50, "o": {"p" : 1e5, "q": 1} }"#,
                r#"{"o":{"q": 2.00}}"#,
                r#"{"n":1.50,"o":{"p":1e5,"q":2.00}}"#,
            ),
            (r#"{"a":1,"b":2,"a":3}"#, r#"{"a":4,"c":null}"#, r#"{"b":2,"a":4}"#),
        ] {
            assert_eq!(patched(before, patch), after, "{before} {patch}");
        }
    }

    /// RFC 7396, section 2, as it stands there.
    fn by_the_book(target: Value, patch: &Value) -> Value {
        let Some(patch) = patch.as_object() else { return patch.clone() };
        let mut target = if let Value::Object(it) = target { it } else { Map::new() };
        for (name, value) in patch {
            if value.is_null() {
                target.remove(name);
            } else {
                let before = target.remove(name).unwrap_or(Value::Null);
                target.insert(name.clone(), by_the_book(before, value));
            }
        }
        target.into()
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i32>().prop_map(Value::from),
            ".{0,4}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
                prop::collection::btree_map("[ab]{1,2}", inner, 0..4)
                    .prop_map(|it| Value::Object(it.into_iter().collect())),
            ]
        })
    }

    fn any_object() -> impl Strategy<Value = Value> {
        prop::collection::btree_map("[ab]{1,2}", any_json(), 0..5)
            .prop_map(|it| Value::Object(it.into_iter().collect()))
    }

    proptest! {
        #[test]
        fn a_merge_patch_is_applied_by_the_book(before in any_object(), patch in any_object()) {
            let after: Value = serde_json::from_str(&patched(&before.to_string(), &patch.to_string())).unwrap();
            prop_assert_eq!(after, by_the_book(before, &patch));
        }

        #[test]
        fn only_what_was_changed_differs(
            before in prop::collection::btree_map(".{0,6}", ".{0,12}", 0..8),
            changes in prop::collection::btree_map(".{0,6}", prop::option::of(".{0,12}"), 0..8),
        ) {
            let text = Value::Object(before.iter().map(|(k, v)| (k.clone(), json!(v))).collect()).to_string();
            let given: Vec<_> =
                changes.iter().map(|(k, v)| (k.as_str(), v.as_ref().map(|it| quoted(it).as_str().to_owned()))).collect();
            let given: Vec<_> = given.iter().map(|(k, v)| (*k, v.as_deref())).collect();
            let after: Map<String, Value> = serde_json::from_str(&changed(&text, &given)).unwrap();
            let mut wanted = before;
            for (name, value) in changes {
                match value {
                    Some(value) => wanted.insert(name, value),
                    None => wanted.remove(&name),
                };
            }
            let wanted: Map<String, Value> = wanted.into_iter().map(|(k, v)| (k, v.into())).collect();
            prop_assert_eq!(after, wanted);
        }
    }

    /// Objects changed by chance (S-28): what is taken apart is JSON again, and its fields are read.
    #[test]
    fn parsers_of_objects_take_apart_or_refuse_what_comes() {
        let specimens = [r#"{"a":"\u00e9","b":{"c":[1]},"":null}"#, r#"{ "a" : 1.5e3, "a": true }"#, "[]"];
        keywarden_garble::bytes(&specimens, |input| {
            let text = SecretBytes::copy_of(input);
            let Some(object) = Object::of(&text) else { return };
            for field in object.fields() {
                assert!(object.text(field.name.expose()).is_some());
            }
            let again = object.with(&[]);
            let fields = Object::of(&again).unwrap().fields().len();
            assert_eq!(fields, object.fields().len(), "{}", String::from_utf8_lossy(input));
        });
    }
}
