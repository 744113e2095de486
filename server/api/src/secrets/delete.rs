//! `DELETE /api/v1/projects/{project}/environments/{environment}/secrets/{path}`

use axum::{extract::State, response::Response};
use keywarden_domain::{Domain, secrets::DeleteSecretError};

use super::{
    WholeSecret, after,
    at::{Lives, Wanted},
};
use crate::{caller::Caller, etag, problem::Problem};

/// Delete a secret
///
/// It is read no more. Until `purge_at` it can be restored, and its path stays taken; then its values are destroyed.
#[utoipa::path(
    delete,
    path = "/api/v1/projects/{project}/environments/{environment}/secrets/{*path}",
    tag = "Secrets",
    operation_id = "deleteSecret",
    params(
        ("project" = String, Path, description = "Slug or `prj_…`"),
        ("environment" = String, Path, description = "Slug or `env_…`"),
        ("path" = String, Path, description = "Folders and name between single slashes, as in `database/password`"),
        ("If-Match" = Option<String>, Header, description = "The `ETag` of the value that was read: if another one is current, nothing is deleted"),
    ),
    responses((status = 200, description = "The secret as it is now", body = WholeSecret)),
)]
pub(crate) async fn delete(
    State(domain): State<Domain>,
    caller: Caller,
    lives: Lives,
    Wanted(expected): Wanted,
) -> Result<Response, Problem> {
    let address = lives.address(&domain, caller.op()).await?;
    domain.delete_secret(caller.op(), &address, expected).await?;
    after(&domain, caller.op(), &address).await
}

impl From<DeleteSecretError> for Problem {
    fn from(error: DeleteSecretError) -> Self {
        match error {
            DeleteSecretError::Already => Self::conflict(error),
            DeleteSecretError::Refused(refused) => refused.into(),
            DeleteSecretError::Stale => etag::changed(),
        }
    }
}
