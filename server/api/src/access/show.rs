//! `GET /api/v1/access-requests/{request}`

use axum::{
    extract::{Path, State},
    response::Response,
};
use keywarden_domain::Domain;

use super::WholeAccessRequest;
use crate::{caller::Caller, json, problem::Problem};

/// Show a request for access
#[utoipa::path(
    get,
    path = "/api/v1/access-requests/{request}",
    tag = "Access",
    operation_id = "getAccessRequest",
    params(("request" = String, Path, description = "`acr_…`")),
    responses((status = 200, description = "The request", body = WholeAccessRequest)),
)]
pub(crate) async fn show(
    State(domain): State<Domain>,
    caller: Caller,
    Path(request): Path<String>,
) -> Result<Response, Problem> {
    let id = request.parse().map_err(|_| Problem::not_found())?;
    let shown = domain.access_request(caller.op(), id).await?;
    Ok(json::ok(&WholeAccessRequest::from(shown)))
}
