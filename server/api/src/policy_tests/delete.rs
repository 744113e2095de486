//! `DELETE /api/v1/policies/tests/{test}`

use axum::{extract::State, response::Response};
use keywarden_domain::Domain;
use keywarden_model::PolicyTestId;

use crate::{at::At, caller::Caller, etag::Unheeded, json, problem::Problem};

/// Delete a test of policies
///
/// Policies that fail it can come to decide.
#[utoipa::path(
    delete,
    path = "/api/v1/policies/tests/{test}",
    tag = "Policies",
    operation_id = "deletePolicyTest",
    params(("test" = String, Path, description = "`pts_…`")),
    responses((status = 204, description = "It is gone")),
)]
pub(crate) async fn delete(
    State(domain): State<Domain>,
    caller: Caller,
    At(test): At<PolicyTestId>,
    _: Unheeded,
) -> Result<Response, Problem> {
    domain.delete_policy_test(caller.op(), test).await?;
    Ok(json::nothing())
}
