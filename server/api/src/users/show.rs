//! `GET /api/v1/users/{user}`

use axum::{extract::State, response::Response};
use keywarden_domain::Domain;
use keywarden_model::UserId;

use super::whole;
use crate::{at::At, caller::Caller, problem::Problem};

/// Show a person with teams and roles
#[utoipa::path(
    get,
    path = "/api/v1/users/{user}",
    tag = "People",
    operation_id = "showUser",
    params(("user" = String, Path, description = "`usr_…`")),
    responses((status = 200, description = "The person", body = super::WholeUser)),
)]
pub(crate) async fn show(
    State(domain): State<Domain>,
    caller: Caller,
    At(user): At<UserId>,
) -> Result<Response, Problem> {
    Ok(whole(&domain, caller.op(), user).await?)
}
