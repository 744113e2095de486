//! `POST /api/v1/keys/{key}/suspend`

use axum::{extract::State, response::Response};
use keywarden_domain::{Domain, keys::SuspendError};
use keywarden_model::{ApiKeyId, Description};
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

/// Why; for the record.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SuspendKey {
    /// Up to 1 000 characters.
    #[serde(default, deserialize_with = "absent")]
    #[schema(example = "strange traffic since noon")]
    reason: String,
}

/// Suspend a key
///
/// It answers `suspended` until it is resumed, on every node within a second.
#[utoipa::path(
    post,
    path = "/api/v1/keys/{key}/suspend",
    tag = "Keys",
    operation_id = "suspendKey",
    params(
        ("key" = String, Path, description = "`key_…`"),
        ("If-Match" = Option<String>, Header, description = "The key's `ETag` that was read"),
    ),
    request_body = SuspendKey,
    responses((status = 200, description = "The key as it is now", body = super::WholeKey)),
)]
pub(crate) async fn suspend(
    State(domain): State<Domain>,
    caller: Caller,
    At(key): At<ApiKeyId>,
    seen: Seen,
    asked: Asked<SuspendKey>,
) -> Result<Response, Problem> {
    let (op, body) = caller.asks(asked);
    let op = seen.of(op);
    let mut flaws = Flaws::default();
    let reason = flaws.parse::<Description>("/reason", &body.reason).ok_or_else(|| flaws.problem())?;
    domain.suspend_key(&op, key, reason.as_str()).await?;
    after(&domain, &op, key).await
}

impl From<SuspendError> for Problem {
    fn from(error: SuspendError) -> Self {
        match error {
            SuspendError::Already | SuspendError::Revoked => Self::conflict(error),
            SuspendError::Refused(refused) => refused.into(),
        }
    }
}
