//! `POST /api/v1/keys/import`: a value that callers already hold.

use axum::{extract::State, response::Response};
use keywarden_domain::{
    Domain,
    keys::{ImportError, ImportKey, ImportedValue},
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{Rate, WholeKey, create::CreateKey};
use crate::{
    caller::Caller,
    etag::tagged,
    flaw::{Flaw, Flaws},
    json::{self, Asked, absent},
    problem::Problem,
};

/// A key whose value callers hold already: as a new key, and the value or its SHA-256.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TakeInKey {
    /// The value itself: 16 to 512 visible ASCII characters. Only a keyed hash of it is kept. One of both.
    value: Option<String>,
    /// Its SHA-256 in 64 hexadecimal digits. One of both. A caller whose value is not 16 to 512 visible ASCII characters
    /// long is never let in.
    #[schema(example = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")]
    sha256: Option<String>,
    /// When the imported value stops, by which its callers must have left: RFC 3339.
    #[schema(example = "2027-06-30T00:00:00Z")]
    last_day: String,
    /// Slug or id.
    #[schema(example = "pay")]
    project: String,
    /// Slug or id.
    #[schema(example = "live")]
    environment: String,
    /// 1 to 120 characters; unique among the environment's living keys.
    #[schema(example = "Old billing")]
    name: String,
    /// Up to 1 000 characters.
    #[serde(default, deserialize_with = "absent")]
    #[schema(example = "from before Keywarden")]
    description: String,
    /// The id of a person or team. Otherwise the key belongs to the team `operators`, made when it is first needed.
    #[schema(example = "usr_01JDB2W1N9F6Q3R8T5V7X9Z0AB")]
    owner: Option<String>,
    #[serde(default, deserialize_with = "absent")]
    #[schema(example = json!(["orders:read"]))]
    scopes: Vec<String>,
    /// Not valid before: RFC 3339.
    not_before: Option<String>,
    /// When the key itself ends; otherwise as late as the environment allows.
    #[schema(example = "2027-12-31T00:00:00Z")]
    expires_at: Option<String>,
    #[serde(default, deserialize_with = "absent")]
    #[schema(example = json!(["10.0.0.0/8"]))]
    allowed_cidrs: Vec<String>,
    rate_limit: Option<Rate>,
    #[serde(default, deserialize_with = "absent")]
    #[schema(example = json!(["team=payments"]))]
    tags: Vec<String>,
    #[schema(value_type = Option<Object>, example = json!({ "plan": "gold" }))]
    metadata: Option<serde_json::Value>,
}

/// Take in a key that callers already hold
///
/// They need not change: the value works until its last day. A rotation gives the key a value of Keywarden's own, and
/// callers leave over the drain board.
#[utoipa::path(
    post,
    path = "/api/v1/keys/import",
    tag = "Keys",
    operation_id = "importKey",
    request_body = TakeInKey,
    responses((status = 201, description = "The key", body = WholeKey)),
)]
pub(crate) async fn import(
    State(domain): State<Domain>,
    caller: Caller,
    asked: Asked<TakeInKey>,
) -> Result<Response, Problem> {
    let (op, body) = caller.asks(asked);
    let mut flaws = Flaws::default();
    let last_day = flaws.instant("/last_day", Some(&body.last_day)).flatten();
    let value = flaws.keep("/sha256", which(body.value, body.sha256));
    let key = CreateKey {
        project: body.project,
        environment: body.environment,
        name: body.name,
        description: body.description,
        owner: body.owner,
        scopes: body.scopes,
        not_before: body.not_before,
        expires_at: body.expires_at,
        allowed_cidrs: body.allowed_cidrs,
        rate_limit: body.rate_limit,
        tags: body.tags,
        metadata: body.metadata,
    };
    let key = key.read_beside(&mut flaws, &domain, &op).await?;
    let (Some(last_day), Some(value)) = (last_day, value) else { return Err(flaws.problem()) };
    let id = domain.import_key(&op, ImportKey { key, value, last_day }).await?;
    let view = domain.key(&op, id).await.map_err(Problem::after_all)?;
    let version = view.key.row_version;
    Ok(tagged(json::created(&format!("/api/v1/keys/{id}"), &WholeKey::of(view, op.now)), version))
}

fn which(value: Option<String>, sha256: Option<String>) -> Result<ImportedValue, &'static str> {
    match (value, sha256) {
        (Some(value), None) => Ok(ImportedValue::value(value)),
        (None, Some(sha256)) => Ok(ImportedValue::Sha256(sha256)),
        _ => Err("send either `value` or `sha256`"),
    }
}

impl From<ImportError> for Problem {
    fn from(error: ImportError) -> Self {
        match error {
            ImportError::Archived | ImportError::Known => Self::conflict(error),
            ImportError::LastDay => Self::invalid(Flaw::at("/last_day", error)),
            ImportError::Malformed => Self::invalid(Flaw::at("/sha256", error)),
            ImportError::NoOwner => Self::invalid(Flaw::at("/owner", error)),
            ImportError::Ours | ImportError::Weak => Self::invalid(Flaw::at("/value", error)),
            ImportError::Refused(refused) => refused.into(),
            ImportError::Terms(terms) => terms.into(),
        }
    }
}
