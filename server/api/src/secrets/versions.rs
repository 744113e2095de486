//! `DELETE /api/v1/secrets/{secret}/versions/{version}`, `POST …/restore`, `…/disable`, `…/enable` and `…/destroy`

use axum::{extract::State, response::Response};
use keywarden_domain::{
    Domain,
    secrets::{Address, DeleteVersionError, DestroyVersionError, RestoreVersionError, SwitchVersionError},
};

use super::{
    WholeSecret, after,
    at::{Number, Of},
};
use crate::{
    caller::Caller,
    etag::Seen,
    json::{Asked, Nothing},
    problem::Problem,
};

/// Delete a version
///
/// It is read no more. Until its `purge_at` it can be restored; then its value is destroyed. Labels that point at it stay.
/// Not that of `current`: a new value or another label comes first.
#[utoipa::path(
    delete,
    path = "/api/v1/secrets/{secret}/versions/{version}",
    tag = "Secrets",
    operation_id = "deleteSecretVersion",
    params(
        ("secret" = String, Path, description = "`sec_…`"),
        ("version" = u64, Path, description = "The version's number"),
        ("If-Match" = Option<String>, Header, description = "The secret's `ETag` that was read"),
    ),
    responses((status = 200, description = "The secret as it is now", body = WholeSecret)),
)]
pub(crate) async fn delete(
    State(domain): State<Domain>,
    caller: Caller,
    of: Of<Number>,
    seen: Seen,
) -> Result<Response, Problem> {
    let op = seen.of(caller.into_op());
    domain.delete_secret_version(&op, of.secret, of.part.0).await?;
    after(&domain, &op, &Address::Id(of.secret)).await
}

/// Restore a deleted version
///
/// Enabled or disabled, as it was, until its `purge_at`.
#[utoipa::path(
    post,
    path = "/api/v1/secrets/{secret}/versions/{version}/restore",
    tag = "Secrets",
    operation_id = "restoreSecretVersion",
    params(
        ("secret" = String, Path, description = "`sec_…`"),
        ("version" = u64, Path, description = "The version's number"),
        ("If-Match" = Option<String>, Header, description = "The secret's `ETag` that was read"),
    ),
    responses((status = 200, description = "The secret as it is now", body = WholeSecret)),
)]
pub(crate) async fn restore(
    State(domain): State<Domain>,
    caller: Caller,
    of: Of<Number>,
    seen: Seen,
    asked: Asked<Nothing>,
) -> Result<Response, Problem> {
    let (op, Nothing {}) = caller.asks(asked);
    let op = seen.of(op);
    domain.restore_secret_version(&op, of.secret, of.part.0).await?;
    after(&domain, &op, &Address::Id(of.secret)).await
}

/// Stop a version from being read
///
/// `current` too: then nothing is read until it is enabled or moved.
#[utoipa::path(
    post,
    path = "/api/v1/secrets/{secret}/versions/{version}/disable",
    tag = "Secrets",
    operation_id = "disableSecretVersion",
    params(
        ("secret" = String, Path, description = "`sec_…`"),
        ("version" = u64, Path, description = "The version's number"),
        ("If-Match" = Option<String>, Header, description = "The secret's `ETag` that was read"),
    ),
    responses((status = 200, description = "The secret as it is now", body = WholeSecret)),
)]
pub(crate) async fn disable(
    State(domain): State<Domain>,
    caller: Caller,
    of: Of<Number>,
    seen: Seen,
    asked: Asked<Nothing>,
) -> Result<Response, Problem> {
    let (op, Nothing {}) = caller.asks(asked);
    let op = seen.of(op);
    domain.disable_secret_version(&op, of.secret, of.part.0).await?;
    after(&domain, &op, &Address::Id(of.secret)).await
}

/// Let a version be read again
#[utoipa::path(
    post,
    path = "/api/v1/secrets/{secret}/versions/{version}/enable",
    tag = "Secrets",
    operation_id = "enableSecretVersion",
    params(
        ("secret" = String, Path, description = "`sec_…`"),
        ("version" = u64, Path, description = "The version's number"),
        ("If-Match" = Option<String>, Header, description = "The secret's `ETag` that was read"),
    ),
    responses((status = 200, description = "The secret as it is now", body = WholeSecret)),
)]
pub(crate) async fn enable(
    State(domain): State<Domain>,
    caller: Caller,
    of: Of<Number>,
    seen: Seen,
    asked: Asked<Nothing>,
) -> Result<Response, Problem> {
    let (op, Nothing {}) = caller.asks(asked);
    let op = seen.of(op);
    domain.enable_secret_version(&op, of.secret, of.part.0).await?;
    after(&domain, &op, &Address::Id(of.secret)).await
}

/// Destroy a version's value for good
///
/// That of `current` only once the secret is deleted, and nothing where the environment has purge protection. Backups that
/// hold it are not reached.
#[utoipa::path(
    post,
    path = "/api/v1/secrets/{secret}/versions/{version}/destroy",
    tag = "Secrets",
    operation_id = "destroySecretVersion",
    params(
        ("secret" = String, Path, description = "`sec_…`"),
        ("version" = u64, Path, description = "The version's number"),
        ("If-Match" = Option<String>, Header, description = "The secret's `ETag` that was read"),
    ),
    responses((status = 200, description = "The secret as it is now", body = WholeSecret)),
)]
pub(crate) async fn destroy(
    State(domain): State<Domain>,
    caller: Caller,
    of: Of<Number>,
    seen: Seen,
    asked: Asked<Nothing>,
) -> Result<Response, Problem> {
    let (op, Nothing {}) = caller.asks(asked);
    let op = seen.of(op);
    domain.destroy_secret_version(&op, of.secret, of.part.0).await?;
    after(&domain, &op, &Address::Id(of.secret)).await
}

impl From<DeleteVersionError> for Problem {
    fn from(error: DeleteVersionError) -> Self {
        match error {
            DeleteVersionError::Current | DeleteVersionError::Deleted | DeleteVersionError::Is(_) => {
                Self::conflict(error)
            }
            DeleteVersionError::Refused(refused) => refused.into(),
        }
    }
}

impl From<RestoreVersionError> for Problem {
    fn from(error: RestoreVersionError) -> Self {
        match error {
            RestoreVersionError::Deleted | RestoreVersionError::Is(_) => Self::conflict(error),
            RestoreVersionError::Refused(refused) => refused.into(),
        }
    }
}

impl From<SwitchVersionError> for Problem {
    fn from(error: SwitchVersionError) -> Self {
        match error {
            SwitchVersionError::Is(_) => Self::conflict(error),
            SwitchVersionError::Refused(refused) => refused.into(),
        }
    }
}

impl From<DestroyVersionError> for Problem {
    fn from(error: DestroyVersionError) -> Self {
        match error {
            DestroyVersionError::Already | DestroyVersionError::Current | DestroyVersionError::Protected => {
                Self::conflict(error)
            }
            DestroyVersionError::Refused(refused) => refused.into(),
        }
    }
}
