//! A field of a value that is JSON. Nothing else of it is kept.

use std::fmt;

use keywarden_model::secret::FieldPath;
use keywarden_vault::SecretBytes;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::Unresolved;

/// The text of a field: a string's as it is, a whole number's in digits, `true` or `false`. Of several fields with one name
/// it is the last. A number with a fraction has more than one spelling, and is none of these.
pub(super) fn at(value: &SecretBytes, field: &FieldPath) -> Result<SecretBytes, Unresolved> {
    let names: Vec<_> = field.names().collect();
    let mut json = serde_json::Deserializer::from_slice(value.expose());
    let found = Seek(&names).deserialize(&mut json).map_err(|_| Unresolved::NotJson)?;
    json.end().map_err(|_| Unresolved::NotJson)?;
    found.ok_or(Unresolved::NoField)
}

/// Looks for the names, one within the other.
struct Seek<'a>(&'a [&'a str]);

impl<'de> DeserializeSeed<'de> for Seek<'_> {
    type Value = Option<SecretBytes>;
    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<Self::Value, D::Error> {
        d.deserialize_any(self)
    }
}

impl Seek<'_> {
    /// What stands where the last name led.
    fn here(&self, text: &str) -> Option<SecretBytes> {
        self.0.is_empty().then(|| SecretBytes::copy_of(text.as_bytes()))
    }
}

impl<'de> Visitor<'de> for Seek<'_> {
    type Value = Option<SecretBytes>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E: Error>(self, it: bool) -> Result<Self::Value, E> {
        Ok(self.here(if it { "true" } else { "false" }))
    }

    fn visit_i64<E: Error>(self, it: i64) -> Result<Self::Value, E> {
        Ok(self.here(&it.to_string()))
    }

    fn visit_u64<E: Error>(self, it: u64) -> Result<Self::Value, E> {
        Ok(self.here(&it.to_string()))
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_str<E: Error>(self, it: &str) -> Result<Self::Value, E> {
        Ok(self.here(it))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut all: A) -> Result<Self::Value, A::Error> {
        while all.next_element::<IgnoredAny>()?.is_some() {}
        Ok(None)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut all: A) -> Result<Self::Value, A::Error> {
        let Some((name, rest)) = self.0.split_first() else {
            while all.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            return Ok(None);
        };
        let mut found = None;
        while let Some(is_it) = all.next_key_seed(Is(name))? {
            if is_it {
                found = all.next_value_seed(Seek(rest))?;
            } else {
                all.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }
}

/// Whether a name is this one.
struct Is<'a>(&'a str);

impl<'de> DeserializeSeed<'de> for Is<'_> {
    type Value = bool;
    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<bool, D::Error> {
        d.deserialize_str(self)
    }
}

impl Visitor<'_> for Is<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E: Error>(self, it: &str) -> Result<bool, E> {
        Ok(it == self.0)
    }
}
