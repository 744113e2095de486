//! `DELETE /api/v1/workloads/{workload}/rules/{rule}`

use axum::{extract::State, response::Response};
use keywarden_domain::{Domain, trust::DeleteTrustRuleError};

use super::Place;
use crate::{caller::Caller, etag::Unheeded, json, problem::Problem};

/// Delete a sign-in rule
///
/// The service tokens that it gave are revoked, on every node within a second.
#[utoipa::path(
    delete,
    path = "/api/v1/workloads/{workload}/rules/{rule}",
    tag = "Workloads",
    operation_id = "deleteTrustRule",
    params(
        ("workload" = String, Path, description = "`wkl_…`"),
        ("rule" = String, Path, description = "`tru_…`"),
    ),
    responses((status = 204, description = "It is gone")),
)]
pub(crate) async fn delete(
    State(domain): State<Domain>,
    caller: Caller,
    Place { workload, rule }: Place,
    _: Unheeded,
) -> Result<Response, Problem> {
    domain.delete_trust_rule(caller.op(), workload, rule).await?;
    Ok(json::nothing())
}

impl From<DeleteTrustRuleError> for Problem {
    fn from(error: DeleteTrustRuleError) -> Self {
        match error {
            DeleteTrustRuleError::Refused(refused) => refused.into(),
        }
    }
}
