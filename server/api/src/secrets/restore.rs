//! `POST /api/v1/secrets/{secret}/restore`

use axum::{extract::State, response::Response};
use keywarden_domain::{
    Domain,
    secrets::{Address, RestoreSecretError},
};
use keywarden_model::SecretId;

use super::{WholeSecret, after};
use crate::{
    at::At,
    caller::Caller,
    etag::Seen,
    json::{Asked, Nothing},
    problem::Problem,
};

/// Restore a deleted secret
///
/// With its versions, their states and its labels, until `purge_at`.
#[utoipa::path(
    post,
    path = "/api/v1/secrets/{secret}/restore",
    tag = "Secrets",
    operation_id = "restoreSecret",
    params(
        ("secret" = String, Path, description = "`sec_…`"),
        ("If-Match" = Option<String>, Header, description = "The secret's `ETag` that was read"),
    ),
    responses((status = 200, description = "The secret as it is now", body = WholeSecret)),
)]
pub(crate) async fn restore(
    State(domain): State<Domain>,
    caller: Caller,
    At(secret): At<SecretId>,
    seen: Seen,
    asked: Asked<Nothing>,
) -> Result<Response, Problem> {
    let (op, Nothing {}) = caller.asks(asked);
    let op = seen.of(op);
    domain.restore_secret(&op, secret).await?;
    after(&domain, &op, &Address::Id(secret)).await
}

impl From<RestoreSecretError> for Problem {
    fn from(error: RestoreSecretError) -> Self {
        match error {
            RestoreSecretError::NotDeleted => Self::conflict(error),
            RestoreSecretError::Refused(refused) => refused.into(),
        }
    }
}
