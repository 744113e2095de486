//! `POST /api/v1/secrets/{secret}/purge`

use axum::{extract::State, response::Response};
use keywarden_domain::{Domain, secrets::PurgeSecretError};
use keywarden_model::SecretId;

use crate::{
    at::At,
    caller::Caller,
    etag::Seen,
    json::{self, Asked, Nothing},
    problem::Problem,
};

/// Destroy a deleted secret for good
///
/// Every version of it, before its `purge_at`; its path and its aliases are free then. Not where the environment has purge
/// protection. Backups that hold it are not reached.
#[utoipa::path(
    post,
    path = "/api/v1/secrets/{secret}/purge",
    tag = "Secrets",
    operation_id = "purgeSecret",
    params(
        ("secret" = String, Path, description = "`sec_…`"),
        ("If-Match" = Option<String>, Header, description = "The secret's `ETag` that was read"),
    ),
    responses((status = 204, description = "It is gone")),
)]
pub(crate) async fn purge(
    State(domain): State<Domain>,
    caller: Caller,
    At(secret): At<SecretId>,
    seen: Seen,
    asked: Asked<Nothing>,
) -> Result<Response, Problem> {
    let (op, Nothing {}) = caller.asks(asked);
    domain.purge_secret(&seen.of(op), secret).await?;
    Ok(json::nothing())
}

impl From<PurgeSecretError> for Problem {
    fn from(error: PurgeSecretError) -> Self {
        match error {
            PurgeSecretError::NotDeleted | PurgeSecretError::Protected => Self::conflict(error),
            PurgeSecretError::Refused(refused) => refused.into(),
        }
    }
}
