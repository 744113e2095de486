//! `POST /api/v1/policies/{policy}/versions`

use axum::{extract::State, response::Response};
use keywarden_domain::{
    Domain,
    policy::{DraftPolicyError, Redraft},
};
use keywarden_model::{Description, PolicyId};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{WholePolicy, after};
use crate::{
    at::At,
    caller::Caller,
    etag::{self, Seen},
    flaw::Flaws,
    json::{Asked, absent},
    problem::Problem,
};

/// Another text.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RedraftPolicy {
    /// One Cedar statement, at most 16 KiB.
    #[schema(
        example = "forbid (principal is Person, action == Action::\"secret.purge\", resource) when { context.signInMethod == \"recovery\" };"
    )]
    text: String,
    /// About it; up to 1 000 characters.
    #[serde(default, deserialize_with = "absent")]
    #[schema(example = "says whom it is about")]
    note: String,
}

/// Write another version of a policy
///
/// It is a draft. Versions that decided nothing yet are withdrawn.
#[utoipa::path(
    post,
    path = "/api/v1/policies/{policy}/versions",
    tag = "Policies",
    operation_id = "redraftPolicy",
    params(
        ("policy" = String, Path, description = "`pol_…`"),
        ("If-Match" = Option<String>, Header, description = "The policy's `ETag` that was read"),
    ),
    request_body = RedraftPolicy,
    responses((status = 200, description = "The policy as it is now", body = WholePolicy)),
)]
pub(crate) async fn redraft(
    State(domain): State<Domain>,
    caller: Caller,
    At(policy): At<PolicyId>,
    seen: Seen,
    asked: Asked<RedraftPolicy>,
) -> Result<Response, Problem> {
    let (op, body) = caller.asks(asked);
    let mut flaws = Flaws::default();
    let note = flaws.parse::<Description>("/note", &body.note).ok_or_else(|| flaws.problem())?;
    for left in seen.tries() {
        let there = domain.policy(&op, policy).await?.policy.row_version;
        let row_version = seen.version(there)?;
        let new = Redraft { text: body.text.clone(), note: note.clone(), row_version };
        match domain.redraft_policy(&op, policy, new).await {
            Err(DraftPolicyError::ChangedMeanwhile) if left > 0 => {}
            done => {
                done?;
                return after(&domain, &op, policy).await;
            }
        }
    }
    Err(etag::changed())
}
