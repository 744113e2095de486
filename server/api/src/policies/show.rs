//! `GET /api/v1/policies/{policy}`

use axum::{extract::State, response::Response};
use keywarden_domain::Domain;
use keywarden_model::PolicyId;

use super::WholePolicy;
use crate::{at::At, caller::Caller, etag::tagged, json, problem::Problem};

/// Show a policy
#[utoipa::path(
    get,
    path = "/api/v1/policies/{policy}",
    tag = "Policies",
    operation_id = "showPolicy",
    params(("policy" = String, Path, description = "`pol_…`")),
    responses((status = 200, description = "The policy with its versions", body = WholePolicy)),
)]
pub(crate) async fn show(
    State(domain): State<Domain>,
    caller: Caller,
    At(policy): At<PolicyId>,
) -> Result<Response, Problem> {
    let shown = domain.policy(caller.op(), policy).await?;
    let version = shown.policy.row_version;
    Ok(tagged(json::ok(&WholePolicy::from(shown)), version))
}
