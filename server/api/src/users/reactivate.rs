//! `POST /api/v1/users/{user}/reactivate`

use axum::{extract::State, response::Response};
use keywarden_domain::Domain;
use keywarden_model::UserId;

use super::whole;
use crate::{
    at::At,
    caller::Caller,
    json::{Asked, Nothing},
    problem::Problem,
};

/// Let a person back in
///
/// With the roles and passkeys that they had.
#[utoipa::path(
    post,
    path = "/api/v1/users/{user}/reactivate",
    tag = "People",
    operation_id = "reactivateUser",
    params(("user" = String, Path, description = "`usr_…`")),
    responses((status = 200, description = "The person as it is now", body = super::WholeUser)),
)]
pub(crate) async fn reactivate(
    State(domain): State<Domain>,
    caller: Caller,
    At(user): At<UserId>,
    asked: Asked<Nothing>,
) -> Result<Response, Problem> {
    let (op, Nothing {}) = caller.asks(asked);
    domain.reactivate_user(&op, user).await?;
    whole(&domain, &op, user).await.map_err(Problem::after_all)
}
