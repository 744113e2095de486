//! `GET /api/v1/workloads/{workload}/rules/{rule}`

use axum::{extract::State, response::Response};
use keywarden_domain::Domain;

use super::{Place, WholeTrustRule};
use crate::{caller::Caller, etag::tagged, json, problem::Problem};

/// Show a sign-in rule with the token that it last refused
#[utoipa::path(
    get,
    path = "/api/v1/workloads/{workload}/rules/{rule}",
    tag = "Workloads",
    operation_id = "showTrustRule",
    params(
        ("workload" = String, Path, description = "`wkl_…`"),
        ("rule" = String, Path, description = "`tru_…`"),
    ),
    responses((status = 200, description = "The rule", body = WholeTrustRule)),
)]
pub(crate) async fn show(
    State(domain): State<Domain>,
    caller: Caller,
    Place { workload, rule }: Place,
) -> Result<Response, Problem> {
    let shown = domain.trust_rule(caller.op(), workload, rule).await?;
    let version = shown.rule.row_version;
    Ok(tagged(json::ok(&WholeTrustRule::from(shown)), version))
}
