//! `POST /api/v1/users/{user}/deactivate`

use axum::{extract::State, response::Response};
use keywarden_domain::{Domain, people::DeactivateError};
use keywarden_model::UserId;

use super::whole;
use crate::{
    at::At,
    caller::Caller,
    json::{Asked, Nothing},
    problem::Problem,
};

/// Deactivate a person
///
/// Their sessions end everywhere within a second. What they own stays theirs until it is handed over in the console.
#[utoipa::path(
    post,
    path = "/api/v1/users/{user}/deactivate",
    tag = "People",
    operation_id = "deactivateUser",
    params(("user" = String, Path, description = "`usr_…`")),
    responses((status = 200, description = "The person as it is now", body = super::WholeUser)),
)]
pub(crate) async fn deactivate(
    State(domain): State<Domain>,
    caller: Caller,
    At(user): At<UserId>,
    asked: Asked<Nothing>,
) -> Result<Response, Problem> {
    let (op, Nothing {}) = caller.asks(asked);
    domain.deactivate_user(&op, user).await?;
    whole(&domain, &op, user).await.map_err(Problem::after_all)
}

impl From<DeactivateError> for Problem {
    fn from(error: DeactivateError) -> Self {
        match error {
            DeactivateError::Already | DeactivateError::LastOwner => Self::conflict(error),
            DeactivateError::Refused(refused) => refused.into(),
        }
    }
}
