//! `POST /api/v1/workloads/{workload}/deactivate`

use axum::{extract::State, response::Response};
use keywarden_domain::{Domain, workloads::DeactivateWorkloadError};
use keywarden_model::WorkloadId;

use super::WholeWorkload;
use crate::{
    at::At,
    caller::Caller,
    json::{self, Asked, Nothing},
    problem::Problem,
};

/// End a workload
///
/// For good: it may do nothing any more, and its tokens are revoked.
#[utoipa::path(
    post,
    path = "/api/v1/workloads/{workload}/deactivate",
    tag = "Workloads",
    operation_id = "deactivateWorkload",
    params(("workload" = String, Path, description = "`wkl_…`")),
    responses((status = 200, description = "The workload as it is now", body = WholeWorkload)),
)]
pub(crate) async fn deactivate(
    State(domain): State<Domain>,
    caller: Caller,
    At(workload): At<WorkloadId>,
    asked: Asked<Nothing>,
) -> Result<Response, Problem> {
    let (op, Nothing {}) = caller.asks(asked);
    domain.deactivate_workload(&op, workload).await?;
    let shown = domain.workload(&op, workload).await.map_err(Problem::after_all)?;
    Ok(json::ok(&WholeWorkload::from(shown)))
}

impl From<DeactivateWorkloadError> for Problem {
    fn from(error: DeactivateWorkloadError) -> Self {
        match error {
            DeactivateWorkloadError::Deactivated => Self::conflict(error),
            DeactivateWorkloadError::Refused(refused) => refused.into(),
        }
    }
}
