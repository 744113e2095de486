//! `GET /api/v1/workloads/{workload}`

use axum::{extract::State, response::Response};
use keywarden_domain::Domain;
use keywarden_model::WorkloadId;

use super::WholeWorkload;
use crate::{at::At, caller::Caller, json, problem::Problem};

/// Show a workload with its roles and tokens
#[utoipa::path(
    get,
    path = "/api/v1/workloads/{workload}",
    tag = "Workloads",
    operation_id = "showWorkload",
    params(("workload" = String, Path, description = "`wkl_…`")),
    responses((status = 200, description = "The workload", body = WholeWorkload)),
)]
pub(crate) async fn show(
    State(domain): State<Domain>,
    caller: Caller,
    At(workload): At<WorkloadId>,
) -> Result<Response, Problem> {
    let shown = domain.workload(caller.op(), workload).await?;
    Ok(json::ok(&WholeWorkload::from(shown)))
}
