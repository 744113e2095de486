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

// serde_json refuses text nested over 128 deep, so this recursion is bounded.
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
        Self::from_value(Value::deserialize(d)?).map_err(serde::de::Error::custom)
    }
}
