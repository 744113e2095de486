//! `GET /api/v1/standards/{standard}`

use axum::{extract::State, response::Response};
use keywarden_domain::Domain;
use keywarden_model::StandardId;

use super::WholeStandard;
use crate::{at::At, caller::Caller, etag::tagged, json, problem::Problem};

/// Show a standard
#[utoipa::path(
    get,
    path = "/api/v1/standards/{standard}",
    tag = "Standards",
    operation_id = "showStandard",
    params(("standard" = String, Path, description = "`std_…`")),
    responses((status = 200, description = "The standard with its versions", body = WholeStandard)),
)]
pub(crate) async fn show(
    State(domain): State<Domain>,
    caller: Caller,
    At(standard): At<StandardId>,
) -> Result<Response, Problem> {
    let shown = domain.standard(caller.op(), standard).await?;
    let version = shown.standard.row_version;
    Ok(tagged(json::ok(&WholeStandard::from(shown)), version))
}
