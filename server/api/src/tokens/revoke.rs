//! `POST /api/v1/tokens/{token}/revoke`

use axum::{extract::State, response::Response};
use keywarden_domain::{Domain, workloads::RevokeTokenError};
use keywarden_model::ServiceTokenId;

use crate::{
    at::At,
    caller::Caller,
    json::{self, Asked, Nothing},
    problem::Problem,
};

/// Revoke a service token
///
/// It is refused from now on, on every node within a second.
#[utoipa::path(
    post,
    path = "/api/v1/tokens/{token}/revoke",
    tag = "Workloads",
    operation_id = "revokeToken",
    params(("token" = String, Path, description = "`stk_…`")),
    responses((status = 204, description = "It is revoked")),
)]
pub(crate) async fn revoke(
    State(domain): State<Domain>,
    caller: Caller,
    At(token): At<ServiceTokenId>,
    asked: Asked<Nothing>,
) -> Result<Response, Problem> {
    let (op, Nothing {}) = caller.asks(asked);
    domain.revoke_service_token(&op, token).await?;
    Ok(json::nothing())
}

impl From<RevokeTokenError> for Problem {
    fn from(error: RevokeTokenError) -> Self {
        match error {
            RevokeTokenError::Refused(refused) => refused.into(),
            RevokeTokenError::Revoked => Self::conflict(error),
        }
    }
}
