//! `POST /api/v1/secrets/{secret}/versions/{version}/disable`, `…/enable` and `…/destroy`

use axum::{extract::State, response::Response};
use keywarden_domain::{
    Domain,
    secrets::{Address, DestroyVersionError, SwitchVersionError},
};

use super::{
    WholeSecret, after,
    at::{Number, Of},
};
use crate::{
    caller::Caller,
    json::{Asked, Nothing},
    problem::Problem,
};

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
    ),
    responses((status = 200, description = "The secret as it is now", body = WholeSecret)),
)]
pub(crate) async fn disable(
    State(domain): State<Domain>,
    caller: Caller,
    of: Of<Number>,
    asked: Asked<Nothing>,
) -> Result<Response, Problem> {
    let (op, Nothing {}) = caller.asks(asked);
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
    ),
    responses((status = 200, description = "The secret as it is now", body = WholeSecret)),
)]
pub(crate) async fn enable(
    State(domain): State<Domain>,
    caller: Caller,
    of: Of<Number>,
    asked: Asked<Nothing>,
) -> Result<Response, Problem> {
    let (op, Nothing {}) = caller.asks(asked);
    domain.enable_secret_version(&op, of.secret, of.part.0).await?;
    after(&domain, &op, &Address::Id(of.secret)).await
}

/// Destroy a version's value for good
///
/// Not that of `current`, and nothing where the environment has purge protection. Backups that hold it are not reached.
#[utoipa::path(
    post,
    path = "/api/v1/secrets/{secret}/versions/{version}/destroy",
    tag = "Secrets",
    operation_id = "destroySecretVersion",
    params(
        ("secret" = String, Path, description = "`sec_…`"),
        ("version" = u64, Path, description = "The version's number"),
    ),
    responses((status = 200, description = "The secret as it is now", body = WholeSecret)),
)]
pub(crate) async fn destroy(
    State(domain): State<Domain>,
    caller: Caller,
    of: Of<Number>,
    asked: Asked<Nothing>,
) -> Result<Response, Problem> {
    let (op, Nothing {}) = caller.asks(asked);
    domain.destroy_secret_version(&op, of.secret, of.part.0).await?;
    after(&domain, &op, &Address::Id(of.secret)).await
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
