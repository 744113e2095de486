//! `POST /api/v1/keys/{key}/revoke`

use axum::{extract::State, response::Response};
use keywarden_domain::{Domain, keys::RevokeError};
use keywarden_model::{ApiKeyId, Description, RevokeReason};
use serde::Deserialize;
use utoipa::ToSchema;

use super::after;
use crate::{
    at::At,
    caller::Caller,
    etag::Seen,
    flaw::Flaws,
    json::{Asked, absent},
    problem::Problem,
};

/// Why.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RevokeKey {
    /// `key-compromise`, `cessation-of-operation`, `superseded` or `unspecified` (RFC 5280); the last if absent.
    #[schema(example = "superseded")]
    reason: Option<String>,
    /// More words for the record: up to 1 000 characters.
    #[serde(default, deserialize_with = "absent")]
    #[schema(example = "the service was replaced")]
    note: String,
}

/// Revoke a key
///
/// For good, with all its values: it answers `revoked`, on every node within a second. With `key-compromise` its values
/// become *compromised*.
#[utoipa::path(
    post,
    path = "/api/v1/keys/{key}/revoke",
    tag = "Keys",
    operation_id = "revokeKey",
    params(
        ("key" = String, Path, description = "`key_…`"),
        ("If-Match" = Option<String>, Header, description = "The key's `ETag` that was read"),
    ),
    request_body = RevokeKey,
    responses((status = 200, description = "The key as it is now", body = super::WholeKey)),
)]
pub(crate) async fn revoke(
    State(domain): State<Domain>,
    caller: Caller,
    At(key): At<ApiKeyId>,
    seen: Seen,
    asked: Asked<RevokeKey>,
) -> Result<Response, Problem> {
    let (op, body) = caller.asks(asked);
    let op = seen.of(op);
    let (reason, note) = read(body.reason.as_deref(), &body.note)?;
    domain.revoke_key(&op, key, reason, note.as_str()).await?;
    after(&domain, &op, key).await
}

/// Reason and note of one revocation or many.
pub(super) fn read(reason: Option<&str>, note: &str) -> Result<(RevokeReason, Description), Problem> {
    let mut flaws = Flaws::default();
    let reason = flaws.keep("/reason", reason.map_or(Ok(RevokeReason::Unspecified), str::parse));
    let note = flaws.parse("/note", note);
    reason.zip(note).ok_or_else(|| flaws.problem())
}

impl From<RevokeError> for Problem {
    fn from(error: RevokeError) -> Self {
        match error {
            RevokeError::Already => Self::conflict(error),
            RevokeError::Refused(refused) => refused.into(),
        }
    }
}
