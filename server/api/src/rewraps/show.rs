//! `GET /api/v1/rewraps/{rewrap}`

use axum::{extract::State, response::Response};
use keywarden_domain::Domain;
use keywarden_model::RewrapId;

use super::Rewrap;
use crate::{at::At, caller::Caller, json, problem::Problem};

/// See how far a rewrap is
#[utoipa::path(
    get,
    path = "/api/v1/rewraps/{rewrap}",
    tag = "Encryption keys",
    operation_id = "showRewrap",
    params(("rewrap" = String, Path, description = "`rwp_…`")),
    responses((status = 200, description = "The rewrap", body = Rewrap)),
)]
pub(crate) async fn show(
    State(domain): State<Domain>,
    caller: Caller,
    At(rewrap): At<RewrapId>,
) -> Result<Response, Problem> {
    let found = domain.find_rewrap(caller.op(), rewrap).await?;
    Ok(json::ok(&Rewrap::from(found)))
}
