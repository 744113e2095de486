//! `POST /api/v1/policies/{policy}/disable`

use axum::{extract::State, response::Response};
use keywarden_domain::{Domain, policy::ChangePolicyError};
use keywarden_model::PolicyId;

use super::{WholePolicy, after};
use crate::{
    at::At,
    caller::Caller,
    etag::{self, Seen},
    json::{Asked, Nothing},
    problem::Problem,
};

/// Disable a policy
///
/// No version of it decides any more, on every node within a second. Its versions are kept.
#[utoipa::path(
    post,
    path = "/api/v1/policies/{policy}/disable",
    tag = "Policies",
    operation_id = "disablePolicy",
    params(
        ("policy" = String, Path, description = "`pol_…`"),
        ("If-Match" = Option<String>, Header, description = "The policy's `ETag` that was read"),
    ),
    responses((status = 200, description = "The policy as it is now", body = WholePolicy)),
)]
pub(crate) async fn disable(
    State(domain): State<Domain>,
    caller: Caller,
    At(policy): At<PolicyId>,
    seen: Seen,
    asked: Asked<Nothing>,
) -> Result<Response, Problem> {
    let (op, Nothing {}) = caller.asks(asked);
    for left in seen.tries() {
        let there = domain.policy(&op, policy).await?.policy.row_version;
        match domain.disable_policy(&op, policy, seen.version(there)?).await {
            Err(ChangePolicyError::ChangedMeanwhile) if left > 0 => {}
            done => {
                done?;
                return after(&domain, &op, policy).await;
            }
        }
    }
    Err(etag::changed())
}
