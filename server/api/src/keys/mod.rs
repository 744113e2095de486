//! API keys: issued, found, changed, rotated, suspended, revoked.

pub(crate) mod authorize;
pub(crate) mod bulk_revoke;
pub(crate) mod create;
pub(crate) mod drain;
pub(crate) mod edit;
pub(crate) mod import;
pub(crate) mod list;
pub(crate) mod resume;
pub(crate) mod revoke;
pub(crate) mod rotate;
pub(crate) mod show;
pub(crate) mod suspend;
pub(crate) mod usage;
pub(crate) mod values;
pub(crate) mod verify;

use axum::response::Response;
use chrono::{DateTime, Utc};
use keywarden_domain::{Domain, Op, keys};
use keywarden_model::{AllowedCidrs, ApiKeyId, Metadata, RateLimit, Scopes};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{etag::tagged, json, problem::Problem};

/// A key, without its values' secrets.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Key {
    /// Keeps its identity through rotations.
    #[schema(example = "key_01JDB2W1N9F6Q3R8T5V7X9Z0AB")]
    id: String,
    /// The project's slug.
    #[schema(example = "pay")]
    project: String,
    /// The environment's slug.
    #[schema(example = "live")]
    environment: String,
    #[schema(example = "Checkout")]
    name: String,
    description: String,
    /// The id of the person or team whose it is.
    #[schema(example = "usr_01JDB2W1N9F6Q3R8T5V7X9Z0AB")]
    owner: String,
    #[schema(example = "Alice")]
    owner_name: String,
    /// `active`, `pre-activation`, `suspended`, `deactivated` or `compromised` (NIST SP 800-57).
    #[schema(example = "active")]
    state: &'static str,
    #[schema(value_type = Vec<String>, example = json!(["orders:read"]))]
    scopes: Scopes,
    /// From where it may be used; empty: from everywhere.
    #[schema(value_type = Vec<String>, example = json!(["10.0.0.0/8"]))]
    allowed_cidrs: AllowedCidrs,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Rate>)]
    rate_limit: Option<RateLimit>,
    #[schema(example = json!(["team=payments"]))]
    tags: Vec<String>,
    /// What verifiers get back with it.
    #[schema(value_type = Object, example = json!({ "plan": "gold" }))]
    metadata: Metadata,
    #[serde(skip_serializing_if = "Option::is_none")]
    not_before: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    suspended_at: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    revoked_at: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "superseded")]
    revoke_reason: Option<&'static str>,
    /// Whether it began as a value that callers already held.
    imported: bool,
    created_at: DateTime<Utc>,
    /// The id of who issued it.
    created_by: String,
    /// When one of its values was last found valid, to the minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_used_at: Option<DateTime<Utc>>,
}

/// How often a key may be used.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rate {
    /// Verifications in a window: 1 to 10 000 000.
    #[schema(example = 100)]
    limit: u32,
    /// The window: 1 second to 1 day.
    #[schema(example = 60)]
    window_seconds: u32,
}

/// One value of a key, without its secret.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Value {
    #[schema(example = "kvl_01JDB2W1N9F6Q3R8T5V7X9Z0AB")]
    id: String,
    /// The public part, shown everywhere.
    #[schema(example = "0A1B2C3D4E5F")]
    public_id: String,
    /// `active`, `pre-activation`, `suspended`, `deactivated`, `compromised` or `destroyed` (NIST SP 800-57).
    #[schema(example = "active")]
    state: &'static str,
    imported: bool,
    created_at: DateTime<Utc>,
    /// When another value took its place.
    #[serde(skip_serializing_if = "Option::is_none")]
    superseded_at: Option<DateTime<Utc>>,
    /// When it stops, for its own part: the overlap's end.
    #[serde(skip_serializing_if = "Option::is_none")]
    stops_at: Option<DateTime<Utc>>,
    /// When it was last found valid, to the minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_used_at: Option<DateTime<Utc>>,
}

/// A key with its values, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WholeKey {
    #[serde(flatten)]
    key: Key,
    values: Vec<Value>,
}

/// Who uses a key, as told by who verifies it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct KeyUser {
    /// Its address; empty if unknown.
    #[schema(example = "198.51.100.7")]
    address: String,
    /// What it calls itself; empty if unknown.
    #[schema(example = "curl/8.5.0")]
    agent: String,
    /// The id of the workload that verified.
    #[schema(example = "wkl_01JDB2W1N9F6Q3R8T5V7X9Z0AB")]
    verifier: String,
    #[schema(example = "checkout")]
    verifier_name: String,
}

/// The key as it is after a change.
async fn after(domain: &Domain, op: &Op, key: ApiKeyId) -> Result<Response, Problem> {
    let view = domain.key(op, key).await.map_err(Problem::after_all)?;
    let version = view.key.row_version;
    Ok(tagged(json::ok(&WholeKey::of(view, op.now)), version))
}

impl From<keys::Caller> for KeyUser {
    fn from(caller: keys::Caller) -> Self {
        Self {
            address: caller.address,
            agent: caller.agent,
            verifier: caller.verifier,
            verifier_name: caller.verifier_name,
        }
    }
}

impl Key {
    pub(crate) fn of(key: keys::Key, now: DateTime<Utc>) -> Self {
        Self {
            id: key.id.to_string(),
            state: key.state(now).as_str(),
            project: key.project_slug,
            environment: key.environment_slug,
            name: key.name.to_string(),
            description: key.description.to_string(),
            owner: key.owner.to_string(),
            owner_name: key.owner_name,
            scopes: key.scopes,
            allowed_cidrs: key.allowed_cidrs,
            rate_limit: key.rate_limit,
            tags: key.tags.words(),
            metadata: key.metadata,
            not_before: key.not_before,
            expires_at: key.expires_at,
            suspended_at: key.suspended_at,
            revoked_at: key.revoked.map(|(at, _)| at),
            revoke_reason: key.revoked.map(|(_, reason)| reason.as_str()),
            imported: key.imported,
            created_at: key.created_at,
            created_by: key.created_by,
            last_used_at: key.last_used_at,
        }
    }
}

impl WholeKey {
    pub(crate) fn of(view: keys::KeyView, now: DateTime<Utc>) -> Self {
        Self { key: Key::of(view.key, now), values: view.values.into_iter().map(Value::from).collect() }
    }

    pub(crate) fn of_line(line: keys::KeyLine, now: DateTime<Utc>) -> Self {
        Self { key: Key::of(line.key, now), values: line.values.into_iter().map(Value::from).collect() }
    }
}

impl From<keys::KeyValue> for Value {
    fn from(value: keys::KeyValue) -> Self {
        Self {
            id: value.id.to_string(),
            public_id: value.public_id,
            state: value.state.as_str(),
            imported: value.imported,
            created_at: value.created_at,
            superseded_at: value.superseded_at,
            stops_at: value.stops_at,
            last_used_at: value.last_used_at,
        }
    }
}
