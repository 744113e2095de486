//! `POST /api/v1/policies/{policy}/versions/{version}/…`: what happens to a version.

use axum::{extract::State, response::Response};
use chrono::{DateTime, Utc};
use keywarden_domain::{
    Domain, Op,
    policy::{Activate, ChangePolicyError},
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{Place, WholePolicy, after};
use crate::{
    caller::Caller,
    etag::{self, Seen},
    flaw::Flaws,
    json::{Asked, Nothing},
    problem::Problem,
};

/// From when on.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ActivatePolicy {
    /// Within a year; at once without one.
    #[schema(example = json!(null))]
    at: Option<String>,
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Activate(Option<DateTime<Utc>>),
    Approve,
    RollBack,
    Submit,
    Withdraw,
}

async fn take(domain: &Domain, op: &Op, place: Place, seen: Seen, step: Step) -> Result<Response, Problem> {
    let Place { policy, version } = place;
    for left in seen.tries() {
        let there = domain.policy(op, policy).await?.policy.row_version;
        let row_version = seen.version(there)?;
        let taken = match step {
            Step::Activate(at) => {
                domain.activate_policy(op, policy, Activate { version, at, row_version }).await
            }
            Step::Approve => domain.approve_policy(op, policy, version, row_version).await,
            Step::RollBack => domain.roll_back_policy(op, policy, version, row_version).await,
            Step::Submit => domain.submit_policy(op, policy, version, row_version).await,
            Step::Withdraw => domain.withdraw_policy(op, policy, version, row_version).await,
        };
        match taken {
            Err(ChangePolicyError::ChangedMeanwhile) if left > 0 => {}
            done => {
                done?;
                return after(domain, op, policy).await;
            }
        }
    }
    Err(etag::changed())
}

/// Activate a version of a policy
///
/// It decides within a second on every node, in place of the one that did; or from a moment on, if one is named.
#[utoipa::path(
    post,
    path = "/api/v1/policies/{policy}/versions/{version}/activate",
    tag = "Policies",
    operation_id = "activatePolicy",
    params(
        ("policy" = String, Path, description = "`pol_…`"),
        ("version" = i64, Path, description = "Its number"),
        ("If-Match" = Option<String>, Header, description = "The policy's `ETag` that was read"),
    ),
    request_body = ActivatePolicy,
    responses((status = 200, description = "The policy as it is now", body = WholePolicy)),
)]
pub(crate) async fn activate(
    State(domain): State<Domain>,
    caller: Caller,
    place: Place,
    seen: Seen,
    asked: Asked<ActivatePolicy>,
) -> Result<Response, Problem> {
    let (op, body) = caller.asks(asked);
    let mut flaws = Flaws::default();
    let at = flaws.instant("/at", body.at.as_deref()).ok_or_else(|| flaws.problem())?;
    take(&domain, &op, place, seen, Step::Activate(at)).await
}

/// Approve a version of a policy
///
/// Only people approve, and nobody what they wrote. It decides nothing by that.
#[utoipa::path(
    post,
    path = "/api/v1/policies/{policy}/versions/{version}/approve",
    tag = "Policies",
    operation_id = "approvePolicy",
    params(
        ("policy" = String, Path, description = "`pol_…`"),
        ("version" = i64, Path, description = "Its number"),
        ("If-Match" = Option<String>, Header, description = "The policy's `ETag` that was read"),
    ),
    responses((status = 200, description = "The policy as it is now", body = WholePolicy)),
)]
pub(crate) async fn approve(
    State(domain): State<Domain>,
    caller: Caller,
    place: Place,
    seen: Seen,
    asked: Asked<Nothing>,
) -> Result<Response, Problem> {
    let (op, Nothing {}) = caller.asks(asked);
    take(&domain, &op, place, seen, Step::Approve).await
}

/// Prove a version of a policy
///
/// Asks for a proof of what it would change against what is in force. It is run on a node that has a solver, one at a time; the
/// version's `proof` says how far it is and what was shown. What was shown before is replaced.
#[utoipa::path(
    post,
    path = "/api/v1/policies/{policy}/versions/{version}/prove",
    tag = "Policies",
    operation_id = "provePolicy",
    params(
        ("policy" = String, Path, description = "`pol_…`"),
        ("version" = i64, Path, description = "Its number"),
    ),
    responses((status = 200, description = "The policy as it is now", body = WholePolicy)),
)]
pub(crate) async fn prove(
    State(domain): State<Domain>,
    caller: Caller,
    place: Place,
    asked: Asked<Nothing>,
) -> Result<Response, Problem> {
    let (op, Nothing {}) = caller.asks(asked);
    domain.ask_for_proof(&op, place.policy, place.version).await?;
    after(&domain, &op, place.policy).await
}

/// Roll a policy back to a version
///
/// One that decided before decides again.
#[utoipa::path(
    post,
    path = "/api/v1/policies/{policy}/versions/{version}/roll-back",
    tag = "Policies",
    operation_id = "rollBackPolicy",
    params(
        ("policy" = String, Path, description = "`pol_…`"),
        ("version" = i64, Path, description = "Its number"),
        ("If-Match" = Option<String>, Header, description = "The policy's `ETag` that was read"),
    ),
    responses((status = 200, description = "The policy as it is now", body = WholePolicy)),
)]
pub(crate) async fn roll_back(
    State(domain): State<Domain>,
    caller: Caller,
    place: Place,
    seen: Seen,
    asked: Asked<Nothing>,
) -> Result<Response, Problem> {
    let (op, Nothing {}) = caller.asks(asked);
    take(&domain, &op, place, seen, Step::RollBack).await
}

/// Submit a draft of a policy for review
#[utoipa::path(
    post,
    path = "/api/v1/policies/{policy}/versions/{version}/submit",
    tag = "Policies",
    operation_id = "submitPolicy",
    params(
        ("policy" = String, Path, description = "`pol_…`"),
        ("version" = i64, Path, description = "Its number"),
        ("If-Match" = Option<String>, Header, description = "The policy's `ETag` that was read"),
    ),
    responses((status = 200, description = "The policy as it is now", body = WholePolicy)),
)]
pub(crate) async fn submit(
    State(domain): State<Domain>,
    caller: Caller,
    place: Place,
    seen: Seen,
    asked: Asked<Nothing>,
) -> Result<Response, Problem> {
    let (op, Nothing {}) = caller.asks(asked);
    take(&domain, &op, place, seen, Step::Submit).await
}

/// Withdraw a version of a policy
///
/// One that decided nothing yet.
#[utoipa::path(
    post,
    path = "/api/v1/policies/{policy}/versions/{version}/withdraw",
    tag = "Policies",
    operation_id = "withdrawPolicy",
    params(
        ("policy" = String, Path, description = "`pol_…`"),
        ("version" = i64, Path, description = "Its number"),
        ("If-Match" = Option<String>, Header, description = "The policy's `ETag` that was read"),
    ),
    responses((status = 200, description = "The policy as it is now", body = WholePolicy)),
)]
pub(crate) async fn withdraw(
    State(domain): State<Domain>,
    caller: Caller,
    place: Place,
    seen: Seen,
    asked: Asked<Nothing>,
) -> Result<Response, Problem> {
    let (op, Nothing {}) = caller.asks(asked);
    take(&domain, &op, place, seen, Step::Withdraw).await
}
