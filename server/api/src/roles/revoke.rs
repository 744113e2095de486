//! `POST /api/v1/roles/{role}/revoke`

use axum::{extract::State, response::Response};
use keywarden_domain::{Domain, roles::RevokeRoleError};
use keywarden_model::RoleBindingId;

use crate::{
    at::At,
    caller::Caller,
    json::{self, Asked, Nothing},
    problem::Problem,
};

/// Take a role away
#[utoipa::path(
    post,
    path = "/api/v1/roles/{role}/revoke",
    tag = "People",
    operation_id = "revokeRole",
    params(("role" = String, Path, description = "`rbd_…`")),
    responses((status = 204, description = "It is not held any more")),
)]
pub(crate) async fn revoke(
    State(domain): State<Domain>,
    caller: Caller,
    At(role): At<RoleBindingId>,
    asked: Asked<Nothing>,
) -> Result<Response, Problem> {
    let (op, Nothing {}) = caller.asks(asked);
    domain.revoke_role(&op, role).await?;
    Ok(json::nothing())
}

impl From<RevokeRoleError> for Problem {
    fn from(error: RevokeRoleError) -> Self {
        match error {
            RevokeRoleError::LastOwner | RevokeRoleError::LocksOut => Self::conflict(error),
            RevokeRoleError::Refused(refused) => refused.into(),
        }
    }
}
