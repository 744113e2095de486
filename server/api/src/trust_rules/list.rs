//! `GET /api/v1/workloads/{workload}/rules`

use axum::{extract::State, response::Response};
use keywarden_domain::Domain;
use keywarden_model::WorkloadId;
use serde::Serialize;
use utoipa::ToSchema;

use super::TrustRule;
use crate::{at::At, caller::Caller, json, problem::Problem};

/// A workload's sign-in rules.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TrustRules {
    /// All of them, oldest first: there are at most 20.
    items: Vec<TrustRule>,
}

/// List a workload's sign-in rules
#[utoipa::path(
    get,
    path = "/api/v1/workloads/{workload}/rules",
    tag = "Workloads",
    operation_id = "listTrustRules",
    params(("workload" = String, Path, description = "`wkl_…`")),
    responses((status = 200, description = "The rules", body = TrustRules)),
)]
pub(crate) async fn list(
    State(domain): State<Domain>,
    caller: Caller,
    At(workload): At<WorkloadId>,
) -> Result<Response, Problem> {
    let found = domain.trust_rules(caller.op(), workload).await?;
    Ok(json::ok(&TrustRules { items: found.into_iter().map(TrustRule::from).collect() }))
}
