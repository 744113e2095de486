//! `POST /api/v1/secrets/{secret}/data-key/rotate`

use axum::{extract::State, response::Response};
use keywarden_domain::{
    Domain,
    secrets::{Address, RotateDataKeyError},
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

/// Rotate a data key
///
/// A new version with the same value, under a new data key, becomes `current`. The versions before it keep theirs until
/// they are destroyed.
#[utoipa::path(
    post,
    path = "/api/v1/secrets/{secret}/data-key/rotate",
    tag = "Secrets",
    operation_id = "rotateDataKey",
    params(
        ("secret" = String, Path, description = "`sec_…`"),
        ("If-Match" = Option<String>, Header, description = "The secret's `ETag` that was read"),
    ),
    responses((status = 200, description = "The secret as it is now", body = WholeSecret)),
)]
pub(crate) async fn rotate(
    State(domain): State<Domain>,
    caller: Caller,
    At(secret): At<SecretId>,
    seen: Seen,
    asked: Asked<Nothing>,
) -> Result<Response, Problem> {
    let (op, Nothing {}) = caller.asks(asked);
    let op = seen.of(op);
    domain.rotate_data_key(&op, secret).await?;
    after(&domain, &op, &Address::Id(secret)).await
}

impl From<RotateDataKeyError> for Problem {
    fn from(error: RotateDataKeyError) -> Self {
        match error {
            RotateDataKeyError::Archived
            | RotateDataKeyError::Deleted
            | RotateDataKeyError::KeyExhausted
            | RotateDataKeyError::NoCurrent
            | RotateDataKeyError::Stale => Self::conflict(error),
            RotateDataKeyError::Refused(refused) => refused.into(),
        }
    }
}
