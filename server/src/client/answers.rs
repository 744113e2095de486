//! What goes over the wire.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use chrono::{DateTime, Utc};
use keywarden_vault::SecretBytes;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{ClientError, Put};

/// A page of a list.
#[derive(Deserialize)]
pub(super) struct Page {
    pub(super) items: Vec<Listed>,
    pub(super) next_cursor: Option<String>,
}

/// A secret in a list.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Listed {
    pub(crate) path: String,
    pub(crate) description: String,
    pub(crate) tags: Vec<String>,
    /// What is read when nobody says which.
    pub(crate) current: Option<Current>,
}

/// A version, without its value.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Current {
    pub(crate) version: i64,
    pub(crate) kind: String,
    pub(crate) state: String,
    pub(crate) size: i64,
    pub(crate) created_at: DateTime<Utc>,
}

/// A value as it is told. No `Debug`: it is a secret.
#[derive(Deserialize)]
pub(super) struct Told {
    kind: String,
    value: Option<String>,
    value_base64: Option<String>,
}

/// A value.
#[derive(Debug)]
pub(crate) struct Value {
    pub(crate) bytes: SecretBytes,
    pub(crate) is_binary: bool,
}

impl Told {
    pub(super) fn value(self) -> Result<Value, ClientError> {
        let bytes = match (self.value, self.value_base64.map(Zeroizing::new)) {
            (Some(text), None) => text.into_bytes(),
            (None, Some(text)) => {
                STANDARD.decode(text.as_bytes()).map_err(|cause| ClientError::Answer(cause.to_string()))?
            }
            _ => return Err(ClientError::Answer("a value is missing".into())),
        };
        Ok(Value { bytes: SecretBytes::new(bytes), is_binary: self.kind == "binary" })
    }
}

/// A put, as it is sent. No `Debug`: it is a secret.
#[derive(Serialize)]
pub(super) struct Body<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value_base64: Option<Zeroizing<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expected_version: Option<i64>,
}

impl<'a> Body<'a> {
    /// As text where it is text, so that it can be read on the other side without a detour.
    pub(super) fn of(put: &'a Put) -> Self {
        let bytes = put.value.expose();
        let text = std::str::from_utf8(bytes).ok();
        Self {
            value: text,
            value_base64: text.is_none().then(|| Zeroizing::new(STANDARD.encode(bytes))),
            kind: put.kind.as_deref(),
            label: put.label.as_deref(),
            expected_version: put.expected_version,
        }
    }
}

/// The version that was made.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Made {
    pub(crate) id: String,
    pub(crate) version: i64,
    pub(crate) version_id: String,
}
