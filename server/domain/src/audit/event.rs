//! The canonical event: what is hashed, later, as a leaf of the ledger.

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use serde::Serialize;
use serde_json::Value;

use crate::Fault;

/// The version of the event's format.
pub const VERSION: u32 = 1;

/// Field order does not matter: RFC 8785 sorts.
#[derive(Debug, Serialize)]
pub(super) struct Canonical {
    pub v: u32,
    pub id: String,
    /// UTC with six decimals.
    pub at: String,
    /// 16 random bytes, so that an event's hash tells nothing of its content.
    pub nonce: String,
    pub actor: CanonicalActor,
    pub action: String,
    pub outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refusal: Option<&'static str>,
    pub resource: CanonicalResource,
    pub request: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decision: Option<CanonicalDecision>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub changes: BTreeMap<&'static str, Change>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub facts: BTreeMap<&'static str, Value>,
    /// Subject → field → SHA-256 of salt and value.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub personal: BTreeMap<String, BTreeMap<String, String>>,
}

#[derive(Debug, Serialize)]
pub(super) struct CanonicalActor {
    pub kind: &'static str,
    pub id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// The passkey or token that proved the actor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credential: Option<String>,
    /// `device-bound`, `synced`, `token`, `link`, `shell`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strength: Option<&'static str>,
}

#[derive(Debug, Serialize)]
pub(super) struct CanonicalResource {
    pub kind: &'static str,
    pub id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
pub(super) struct CanonicalDecision {
    pub policies: Vec<String>,
    pub counter: i64,
    /// The hash of the circumstances that they were asked under.
    pub context: String,
}

#[derive(Debug, Serialize)]
pub(super) struct Change {
    pub from: Value,
    pub to: Value,
}

pub(super) fn bytes(event: &Canonical) -> Result<Vec<u8>, Fault> {
    serde_jcs::to_vec(event).map_err(|cause| Fault::Unexpected(format!("event: {cause}")))
}

pub(crate) fn base64(bytes: &[u8]) -> String {
    BASE64.encode(bytes)
}
