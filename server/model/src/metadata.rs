//! Metadata: a small JSON object that the owner of a key attaches and verifiers get back.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

/// A JSON object of at most 4 KiB when written compactly, nested at most 8 deep.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(transparent)]
pub struct Metadata(Map<String, Value>);

/// Why a value is not metadata.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MetadataError {
    /// Nested more than 8 deep.
    #[error("nest metadata at most 8 deep")]
    Deep,
    /// Over 4 KiB.
    #[error("metadata may have at most 4,096 bytes")]
    Large,
    /// Not JSON, or JSON that is no object.
    #[error("metadata must be a JSON object")]
    NotAnObject,
    /// A number that would come back as another one.
    #[error("write a number of more than 64 bits as a text: its last digits would be lost")]
    Number,
}

impl Metadata {
    /// The largest compact form, in bytes.
    pub const MAX_BYTES: usize = 4096;

    /// Parses JSON text; empty text is an empty object.
    pub fn parse(text: &str) -> Result<Self, MetadataError> {
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        if text.len() > Self::MAX_BYTES * 4 {
            return Err(MetadataError::Large);
        }
        serde_json::from_str(text).map_err(|_| MetadataError::NotAnObject).and_then(Self::from_value)
    }

    /// From parsed JSON.
    pub fn from_value(value: Value) -> Result<Self, MetadataError> {
        if rounds(&value) {
            return Err(MetadataError::Number);
        }
        Self::bounded(value)
    }

    fn bounded(value: Value) -> Result<Self, MetadataError> {
        let Value::Object(map) = value else { return Err(MetadataError::NotAnObject) };
        if map.values().any(|v| depth(v, 1) > 8) {
            return Err(MetadataError::Deep);
        }
        let this = Self(map);
        if this.to_text().len() > Self::MAX_BYTES { Err(MetadataError::Large) } else { Ok(this) }
    }

    /// Compact JSON.
    pub fn to_text(&self) -> String {
        Value::Object(self.0.clone()).to_string()
    }

    /// Whether the object has no members.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The object.
    pub fn as_map(&self) -> &Map<String, Value> {
        &self.0
    }
}

// serde_json refuses text nested over 128 deep, so these recursions are bounded.

/// Whether a number within is too large for 64 bits: as a float it has lost its last digits.
fn rounds(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().any(rounds),
        Value::Object(map) => map.values().any(rounds),
        Value::Number(number) => {
            let fits = |it: f64| it > -9_223_372_036_854_775_808.0 && it < 18_446_744_073_709_551_616.0;
            number.is_f64() && !number.as_f64().is_some_and(fits)
        }
        _ => false,
    }
}

fn depth(value: &Value, at: usize) -> usize {
    let below = at.saturating_add(1);
    match value {
        Value::Array(items) => items.iter().map(|v| depth(v, below)).max().unwrap_or(below),
        Value::Object(map) => map.values().map(|v| depth(v, below)).max().unwrap_or(below),
        _ => at,
    }
}

impl<'de> Deserialize<'de> for Metadata {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        // What lies in the store was taken once: it is shown as it is.
        Self::bounded(Value::deserialize(d)?).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_number_that_would_be_rounded_is_refused_wherever_it_stands() {
        for number in ["12345678901234567890123", "18446744073709551616", "-9223372036854775809", "1e300"] {
            for text in [format!(r#"{{"a":{number}}}"#), format!(r#"{{"a":[{{"b":{number}}}]}}"#)] {
                assert_eq!(Metadata::parse(&text), Err(MetadataError::Number), "{text}");
            }
        }
        // What was taken before it was refused is still read.
        let kept: Metadata = serde_json::from_str(r#"{"a":1e300}"#).unwrap();
        assert!(!kept.is_empty());
    }

    proptest! {
        #[test]
        fn whole_numbers_come_out_as_they_went_in(
            number in prop_oneof![any::<i64>().prop_map(i128::from), any::<u64>().prop_map(i128::from), any::<i128>()],
        ) {
            let text = format!(r#"{{"a":{number}}}"#);
            let fits = i64::try_from(number).is_ok() || u64::try_from(number).is_ok();
            match Metadata::parse(&text) {
                Ok(metadata) => prop_assert_eq!(metadata.to_text(), text),
                Err(error) => prop_assert!(!fits && error == MetadataError::Number),
            }
        }
    }
}
