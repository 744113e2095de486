//! `POST /api/v1/keys/{key}/resume`

use axum::{extract::State, response::Response};
use keywarden_domain::{Domain, keys::ResumeError};
use keywarden_model::ApiKeyId;

use super::after;
use crate::{
    at::At,
    caller::Caller,
    etag::Seen,
    json::{Asked, Nothing},
    problem::Problem,
};

/// Resume a suspended key
#[utoipa::path(
    post,
    path = "/api/v1/keys/{key}/resume",
    tag = "Keys",
    operation_id = "resumeKey",
    params(
        ("key" = String, Path, description = "`key_…`"),
        ("If-Match" = Option<String>, Header, description = "The key's `ETag` that was read"),
    ),
    responses((status = 200, description = "The key as it is now", body = super::WholeKey)),
)]
pub(crate) async fn resume(
    State(domain): State<Domain>,
    caller: Caller,
    At(key): At<ApiKeyId>,
    seen: Seen,
    asked: Asked<Nothing>,
) -> Result<Response, Problem> {
    let (op, Nothing {}) = caller.asks(asked);
    let op = seen.of(op);
    domain.resume_key(&op, key).await?;
    after(&domain, &op, key).await
}

impl From<ResumeError> for Problem {
    fn from(error: ResumeError) -> Self {
        match error {
            ResumeError::Archived | ResumeError::NotSuspended | ResumeError::Revoked => Self::conflict(error),
            ResumeError::Refused(refused) => refused.into(),
        }
    }
}
