//! What goes over the wire.

use std::collections::BTreeMap;

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
    pub(crate) id: String,
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
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) expires_at: Option<DateTime<Utc>>,
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
    /// Its version's tag, by which the server is asked whether it still is the one.
    pub(crate) tag: Option<String>,
}

impl Told {
    pub(super) fn value(self, tag: Option<String>) -> Result<Value, ClientError> {
        let bytes = match (self.value, self.value_base64.map(Zeroizing::new)) {
            (Some(text), None) => text.into_bytes(),
            (None, Some(text)) => {
                STANDARD.decode(text.as_bytes()).map_err(|cause| ClientError::Answer(cause.to_string()))?
            }
            _ => return Err(ClientError::Answer("a value is missing".into())),
        };
        Ok(Value { bytes: SecretBytes::new(bytes), is_binary: self.kind == "binary", tag })
    }
}

/// A secret with its labels and its newest versions, without any value.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Whole {
    pub(crate) id: String,
    pub(crate) path: String,
    pub(crate) description: String,
    pub(crate) tags: Vec<String>,
    pub(crate) owner_name: String,
    pub(crate) labels: BTreeMap<String, i64>,
    pub(crate) versions: Vec<Version>,
    /// Until then it can be restored; of a deleted one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) purge_at: Option<DateTime<Utc>>,
}

/// A version of a secret.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Version {
    #[serde(rename = "version")]
    pub(crate) number: i64,
    pub(crate) id: String,
    pub(crate) state: String,
    pub(crate) kind: String,
    pub(crate) size: i64,
    #[serde(default)]
    pub(crate) template: bool,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) created_by: String,
}

/// Where a label is to point, as it is sent.
#[derive(Serialize)]
pub(super) struct Point {
    pub(super) version: i64,
}

/// A body that says nothing.
#[derive(Serialize)]
pub(super) struct Nothing {}

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
    content_type: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expected_version: Option<i64>,
    /// Left out where it is not, for servers that do not know it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    template: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    not_before: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<DateTime<Utc>>,
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
            content_type: put.content_type.as_deref(),
            label: put.label.as_deref(),
            expected_version: put.expected_version,
            template: put.template,
            not_before: put.valid.not_before,
            expires_at: put.valid.expires_at,
        }
    }
}

/// The version that was made.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Made {
    pub(crate) id: String,
    pub(crate) version: i64,
    pub(crate) version_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) same_as: Option<i64>,
}

/// A file to be imported, as it is sent. No `Debug`: it is a secret.
#[derive(Serialize)]
pub(crate) struct ImportFile<'a> {
    pub(crate) format: &'a str,
    pub(crate) content: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) folder: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) nested: Option<&'a str>,
    pub(crate) preview: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) seen: Option<&'a BTreeMap<String, i64>>,
}

/// What an import did, or would do.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Imported {
    pub(crate) preview: bool,
    pub(crate) created: u32,
    pub(crate) changed: u32,
    pub(crate) unchanged: u32,
    pub(crate) refused: u32,
    pub(crate) entries: Vec<ImportedEntry>,
    pub(crate) seen: BTreeMap<String, i64>,
}

/// One entry of the file.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ImportedEntry {
    pub(crate) line: u64,
    pub(crate) path: String,
    pub(crate) outcome: String,
    pub(crate) version: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) value: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) about: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
}

#[cfg(test)]
mod parsers {
    use reqwest::StatusCode;

    use super::*;

    #[test]
    fn answers_of_servers() {
        let answers = [
            r#"{"kind":"text","value":"hunter2hunter2"}"#,
            r#"{"kind":"binary","value_base64":"aHVudGVyMmh1bnRlcjI="}"#,
            r#"{"items":[],"next_cursor":null}"#,
            r#"{"type":"x","status":404,"detail":"no such secret","instance":"req_1","errors":[{"detail":"x"}]}"#,
        ];
        keywarden_garble::bytes(&answers, |input| {
            drop(serde_json::from_slice::<Page>(input));
            drop(serde_json::from_slice::<Whole>(input));
            let value = serde_json::from_slice::<Told>(input).ok().map(|told| told.value(None));
            // Whatever is wrong with a value is not said with it.
            if let Some(Err(error)) = value {
                assert!(
                    !error.to_string().contains("hunter2") && !error.to_string().contains("aHVu"),
                    "{error}"
                );
            }
            assert!(!ClientError::told(StatusCode::BAD_REQUEST, input).to_string().is_empty());
        });
    }
}
