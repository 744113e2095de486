//! JSON without second meanings: a name stands once in an object (RFC 8259 leaves twice undefined, and two readers of
//! one text must not see two requests), and a text ends where its value ends. `serde_json` bounds the nesting.

use std::cell::Cell;
use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Values in one text, inner ones counted: several times what any request or document that we read needs. An object of one
/// member takes nine bytes of text and more than six hundred of memory, so bytes alone would bound nothing.
pub const MOST_VALUES: u32 = 10_000;

/// A JSON value whose objects have no name twice, of at most [`MOST_VALUES`].
#[derive(Debug)]
pub struct Strict(pub Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let left = Cell::new(MOST_VALUES);
        Reader { left: &left }.deserialize(deserializer).map(Self)
    }
}

#[derive(Clone, Copy)]
struct Reader<'a> {
    left: &'a Cell<u32>,
}

impl<'de> DeserializeSeed<'de> for Reader<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        let left = self.left.get().checked_sub(1);
        let left = left.ok_or_else(|| D::Error::custom(format_args!("more than {MOST_VALUES} values")))?;
        self.left.set(left);
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reader<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("a number is out of range"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element_seed(self)? {
            items.push(item);
        }
        Ok(items.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(name) = map.next_key::<String>()? {
            if object.contains_key(&name) {
                return Err(A::Error::custom("a name stands twice in one object"));
            }
            object.insert(name, map.next_value_seed(self)?);
        }
        Ok(object.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Value, String> {
        serde_json::from_str(text).map(|Strict(value)| value).map_err(|error| error.to_string())
    }

    #[test]
    fn a_name_that_stands_twice_is_refused_at_any_depth() {
        for text in [r#"{"a":1,"a":1}"#, r#"[{"b":{"a":1,"a":2}}]"#, r#"{"a":1,"\u0061":2}"#] {
            assert!(
                read(text).unwrap_err().starts_with("a name stands twice in one object at line 1"),
                "{text}"
            );
        }
    }

    #[test]
    fn nesting_and_what_follows_the_value_are_refused() {
        assert!(read(&"[".repeat(100_000)).unwrap_err().contains("recursion limit"));
        assert!(read("{} {}").unwrap_err().contains("trailing characters"));
        assert!(read("1e999").is_err());
    }

    #[test]
    fn so_many_values_are_read_and_not_one_more() {
        let most = usize::try_from(MOST_VALUES).unwrap();
        let list = |items: usize| format!("[{}0]", "0,".repeat(items - 1));
        assert_eq!(read(&list(most - 1)).unwrap().as_array().map(Vec::len), Some(most - 1));
        let objects = |count: usize| format!("[{}{{}}]", r#"{"a":1},"#.repeat(count));
        assert!(read(&objects(most / 2 - 1)).is_ok());
        for text in [list(most), objects(most / 2), format!("[{}]", list(most - 1))] {
            assert!(read(&text).unwrap_err().starts_with("more than 10000 values at line 1"));
        }
    }

    #[test]
    fn a_value_reads_as_serde_json_reads_it() {
        let text = r#"{"a":[null,true,-1,1.5,18446744073709551615,"é"],"b":{"c":{}}}"#;
        assert_eq!(read(text).unwrap(), serde_json::from_str::<Value>(text).unwrap());
    }
}
