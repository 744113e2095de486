//! `PATCH /api/v1/policies/{policy}`

use axum::{extract::State, response::Response};
use keywarden_domain::{Domain, policy::ChangePolicyError};
use keywarden_model::{Name, PolicyId};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{WholePolicy, after};
use crate::{
    at::At,
    caller::Caller,
    etag::{self, Seen},
    flaw::Flaws,
    json::{Asked, kept},
    problem::Problem,
};

/// What changes; what is absent stays (RFC 7396).
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PatchPolicy {
    /// Unique where it holds, in any spelling.
    #[serde(default, deserialize_with = "kept")]
    #[schema(value_type = String, required = false, example = "Nobody purges secrets")]
    name: Option<String>,
}

/// Rename a policy
#[utoipa::path(
    patch,
    path = "/api/v1/policies/{policy}",
    tag = "Policies",
    operation_id = "renamePolicy",
    params(
        ("policy" = String, Path, description = "`pol_…`"),
        ("If-Match" = Option<String>, Header, description = "The policy's `ETag` that was read"),
    ),
    request_body = PatchPolicy,
    responses((status = 200, description = "The policy as it is now", body = WholePolicy)),
)]
pub(crate) async fn rename(
    State(domain): State<Domain>,
    caller: Caller,
    At(policy): At<PolicyId>,
    seen: Seen,
    asked: Asked<PatchPolicy>,
) -> Result<Response, Problem> {
    let (op, body) = caller.asks(asked);
    let mut flaws = Flaws::default();
    let name = body.name.as_deref().map(|name| flaws.parse::<Name>("/name", name));
    if !flaws.is_empty() {
        return Err(flaws.problem());
    }
    for left in seen.tries() {
        let before = domain.policy(&op, policy).await?.policy;
        let row_version = seen.version(before.row_version)?;
        let name = match name.clone().flatten() {
            Some(name) => name,
            None => before.name.parse().map_err(|_| Problem::not_found())?,
        };
        match domain.rename_policy(&op, policy, name, row_version).await {
            Err(ChangePolicyError::ChangedMeanwhile) if left > 0 => {}
            done => {
                done?;
                return after(&domain, &op, policy).await;
            }
        }
    }
    Err(etag::changed())
}
