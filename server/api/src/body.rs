//! From JSON that was read to what a request's body says. What is wrong is told by where it is, what kind of thing stands
//! there and what was wanted, and never by what was sent: whoever takes one field for another may have put a secret there,
//! or where a name should be.

use std::{fmt, slice};

use serde::{
    Deserialize,
    de::{
        DeserializeSeed, Deserializer, Error, Expected, MapAccess, SeqAccess, Unexpected, Visitor,
        value::BorrowedStrDeserializer,
    },
    forward_to_deserialize_any,
};
use serde_json::{Map, Value, map};

/// Why a body is not what was asked for.
#[derive(Debug)]
pub(crate) struct Unfit {
    /// A JSON pointer (RFC 6901) of fields that are ours and places in lists; names that a caller thought of end it.
    pub(crate) pointer: String,
    /// What is wanted there.
    pub(crate) said: String,
}

/// Reads a body; struct by struct from objects alone, where serde would take an array as well.
pub(crate) fn read<'de, T: Deserialize<'de>>(body: &'de Value) -> Result<T, Unfit> {
    T::deserialize(Node(body))
}

impl Unfit {
    fn new(said: impl Into<String>) -> Self {
        Self { pointer: String::new(), said: said.into() }
    }

    fn below(mut self, segment: impl fmt::Display) -> Self {
        self.pointer.insert_str(0, &format!("/{segment}"));
        self
    }
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.said)
    }
}

impl std::error::Error for Unfit {}

impl Error for Unfit {
    /// What our own types say of a text, in their words.
    fn custom<T: fmt::Display>(said: T) -> Self {
        Self::new(said.to_string())
    }

    fn invalid_type(found: Unexpected<'_>, wanted: &dyn Expected) -> Self {
        Self::new(format!("{} is wanted here, not {}", named(wanted), kind(found)))
    }

    fn invalid_value(found: Unexpected<'_>, wanted: &dyn Expected) -> Self {
        match found {
            Unexpected::Float(_) | Unexpected::Signed(_) | Unexpected::Unsigned(_) => {
                Self::new("this number is too small or too large")
            }
            _ => Self::new(format!("{} is wanted here, and this is none", named(wanted))),
        }
    }

    fn invalid_length(found: usize, wanted: &dyn Expected) -> Self {
        Self::new(format!("{} is wanted here, not {found} things", named(wanted)))
    }

    fn unknown_variant(_: &str, known: &'static [&'static str]) -> Self {
        Self::new(format!("use one of {}", quoted(known)))
    }

    fn unknown_field(_: &str, known: &'static [&'static str]) -> Self {
        match known {
            [] => Self::new("no field is known here: send `{}`"),
            _ => Self::new(format!("a field here is not known: known are {}", quoted(known))),
        }
    }

    fn missing_field(field: &'static str) -> Self {
        Self::new(format!("the field `{field}` is missing"))
    }
}

fn quoted(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

/// What serde calls by Rust's names.
fn named(wanted: &dyn Expected) -> String {
    let said = wanted.to_string();
    match said.as_str() {
        "a sequence" => "an array".into(),
        "i64" | "u32" => "a whole number".into(),
        "IP address" => "an IP address".into(),
        _ if said == "a map" || said.starts_with("struct ") => "an object".into(),
        _ => said,
    }
}

fn kind(found: Unexpected<'_>) -> &'static str {
    match found {
        Unexpected::Bool(_) => "`true` or `false`",
        Unexpected::Float(_) => "a fraction",
        Unexpected::Map => "an object",
        Unexpected::Seq => "an array",
        Unexpected::Signed(_) | Unexpected::Unsigned(_) => "a number",
        Unexpected::Str(_) => "a string",
        Unexpected::Unit => "`null`",
        _ => "something else",
    }
}

#[derive(Clone, Copy)]
struct Node<'de>(&'de Value);

impl<'de> Node<'de> {
    fn found(self) -> Unexpected<'de> {
        match self.0 {
            Value::Array(_) => Unexpected::Seq,
            Value::Bool(it) => Unexpected::Bool(*it),
            Value::Null => Unexpected::Unit,
            // Which number it is, nobody is told.
            Value::Number(it) if it.is_f64() => Unexpected::Float(0.0),
            Value::Number(_) => Unexpected::Unsigned(0),
            Value::Object(_) => Unexpected::Map,
            Value::String(text) => Unexpected::Str(text),
        }
    }
}

impl<'de> Deserializer<'de> for Node<'de> {
    type Error = Unfit;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
        match self.0 {
            Value::Array(items) => visitor.visit_seq(Items { left: items.iter(), at: 0 }),
            Value::Bool(it) => visitor.visit_bool(*it),
            Value::Null => visitor.visit_unit(),
            Value::Number(it) => match (it.as_u64(), it.as_i64(), it.as_f64()) {
                (Some(it), ..) => visitor.visit_u64(it),
                (None, Some(it), _) => visitor.visit_i64(it),
                (None, None, Some(it)) => visitor.visit_f64(it),
                (None, None, None) => Err(Unfit::invalid_type(self.found(), &visitor)),
            },
            Value::Object(members) => visitor.visit_map(Members::of(members, &[])),
            Value::String(text) => visitor.visit_borrowed_str(text),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
        if self.0.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Unfit> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Unfit> {
        match self.0 {
            Value::Object(members) => visitor.visit_map(Members::of(members, fields)),
            _ => Err(Unfit::invalid_type(self.found(), &visitor)),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Unfit> {
        match self.0 {
            Value::String(text) => visitor.visit_enum(BorrowedStrDeserializer::new(text)),
            _ => Err(Unfit::invalid_type(self.found(), &visitor)),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map identifier ignored_any
    }
}

struct Items<'de> {
    left: slice::Iter<'de, Value>,
    at: usize,
}

impl<'de> SeqAccess<'de> for Items<'de> {
    type Error = Unfit;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Unfit> {
        let Some(item) = self.left.next() else { return Ok(None) };
        let at = self.at;
        self.at = at.saturating_add(1);
        seed.deserialize(Node(item)).map(Some).map_err(|unfit| unfit.below(at))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.left.len())
    }
}

struct Members<'de> {
    left: map::Iter<'de>,
    /// Names that are ours.
    fields: &'static [&'static str],
    value: Option<(&'de str, &'de Value)>,
}

impl<'de> Members<'de> {
    fn of(members: &'de Map<String, Value>, fields: &'static [&'static str]) -> Self {
        Self { left: members.iter(), fields, value: None }
    }
}

impl<'de> MapAccess<'de> for Members<'de> {
    type Error = Unfit;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Unfit> {
        let Some((name, value)) = self.left.next() else { return Ok(None) };
        self.value = Some((name, value));
        seed.deserialize(BorrowedStrDeserializer::new(name)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Unfit> {
        let (name, value) = self.value.take().ok_or_else(|| Unfit::new("a value is wanted here"))?;
        seed.deserialize(Node(value)).map_err(|unfit| {
            match self.fields.iter().find(|field| **field == name) {
                Some(field) => unfit.below(field),
                None => unfit,
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;

    const SECRET: &str = "kws_live_0A1B2C3D4E5F_hunter2";

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Word {
        One,
        Two,
    }

    #[derive(Debug, Default, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Inner {
        limit: u32,
        word: Option<Word>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Outer {
        name: String,
        #[serde(default)]
        inner: Inner,
        #[serde(default)]
        list: Vec<Inner>,
        #[serde(default)]
        free: BTreeMap<String, i64>,
        on: Option<bool>,
    }

    fn unfit(body: &Value) -> (String, String) {
        let Unfit { pointer, said } = read::<Outer>(body).unwrap_err();
        (pointer, said)
    }

    #[test]
    fn what_fits_is_read() {
        let body = json!({
            "name": "x", "inner": { "limit": 7, "word": "two" }, "list": [{}, { "word": null }], "free": { "a": -1 },
            "on": null,
        });
        let read = read::<Outer>(&body).unwrap();
        assert_eq!((read.name.as_str(), read.inner.limit, read.list.len(), read.free["a"]), ("x", 7, 2, -1));
        assert!(matches!(read.inner.word, Some(Word::Two)) && read.on.is_none());
    }

    #[test]
    fn what_does_not_is_told_by_place_and_kind() {
        for (body, pointer, said) in [
            (json!([]), "", "an object is wanted here, not an array"),
            (json!({}), "", "the field `name` is missing"),
            (json!({ "name": 7 }), "/name", "a string is wanted here, not a number"),
            (json!({ "name": null }), "/name", "a string is wanted here, not `null`"),
            (json!({ "name": "x", "inner": ["7"] }), "/inner", "an object is wanted here, not an array"),
            (json!({ "name": "x", "list": {} }), "/list", "an array is wanted here, not an object"),
            (json!({ "name": "x", "on": 1 }), "/on", "a boolean is wanted here, not a number"),
            (
                json!({ "name": "x", "list": [{}, { "limit": 1.5 }] }),
                "/list/1/limit",
                "a whole number is wanted here, not a fraction",
            ),
            (
                json!({ "name": "x", "inner": { "limit": 5_000_000_000_u64 } }),
                "/inner/limit",
                "this number is too small or too large",
            ),
            (json!({ "name": "x", "inner": { "word": SECRET } }), "/inner/word", "use one of `one`, `two`"),
            (
                json!({ "name": "x", "list": [{ SECRET: 1 }] }),
                "/list/0",
                "a field here is not known: known are `limit`, `word`",
            ),
            (
                json!({ "name": "x", "free": { SECRET: "1" } }),
                "/free",
                "a whole number is wanted here, not a string",
            ),
        ] {
            assert_eq!(unfit(&body), (pointer.to_owned(), said.to_owned()), "{body}");
        }
    }

    #[test]
    fn nothing_that_was_sent_is_repeated() {
        for body in [
            json!(SECRET),
            json!([SECRET]),
            json!({ "name": [SECRET] }),
            json!({ "name": { SECRET: SECRET } }),
            json!({ "name": "x", SECRET: 1 }),
            json!({ "name": "x", "inner": SECRET }),
            json!({ "name": "x", "inner": { "limit": SECRET } }),
            json!({ "name": "x", "inner": { "word": [SECRET] } }),
            json!({ "name": "x", "list": SECRET }),
            json!({ "name": "x", "list": [SECRET] }),
            json!({ "name": "x", "free": { SECRET: SECRET } }),
            json!({ "name": "x", "on": SECRET }),
        ] {
            let (pointer, said) = unfit(&body);
            assert!(!pointer.contains("hunter2") && !said.contains("hunter2"), "{body}: {pointer}: {said}");
        }
    }
}
