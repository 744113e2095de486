//! `GET /api/v1/policies/{policy}/versions/{version}/replay` and `GET /api/v1/policies/{policy}/replay`

use axum::{extract::State, response::Response};
use chrono::{DateTime, Utc};
use keywarden_domain::{
    Domain,
    policy::difference::{PolicyChange, Replay, Replayed},
};
use keywarden_model::PolicyId;
use serde::Serialize;
use utoipa::ToSchema;

use super::{Place, difference::CalledThing};
use crate::{at::At, caller::Caller, json, problem::Problem};

/// A decision that would have been another.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ReplayedDecision {
    /// `gained`: it would have been allowed; `lost`: it would have been refused.
    #[schema(example = "lost")]
    change: &'static str,
    #[schema(example = "secret.read")]
    action: &'static str,
    /// Who asked.
    principal: CalledThing,
    /// The kind of the thing.
    #[schema(example = "secret")]
    kind: &'static str,
    thing: CalledThing,
    /// How often.
    #[schema(example = 12)]
    times: i64,
    /// The last time.
    last_at: DateTime<Utc>,
}

/// Which decisions of the last 30 days would have been others. Figures count distinct decisions.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PolicyReplay {
    /// From when on.
    since: DateTime<Utc>,
    #[schema(example = 3)]
    newly_denied: u64,
    #[schema(example = 0)]
    newly_allowed: u64,
    /// So many were asked again.
    #[schema(example = 214)]
    asked: u64,
    /// How often those had been made.
    #[schema(example = 5120)]
    times: i64,
    /// Not asked again: who asked is not here any more.
    #[schema(example = 2)]
    gone: u64,
    /// Not asked again: a policy looks at the moment, and too little is known of it.
    #[schema(example = 0)]
    moment_unknown: u64,
    /// Answered otherwise by now even without the change: roles or policies are others since.
    #[schema(example = 1)]
    otherwise_today: u64,
    /// Whether all decisions of that time were looked at.
    complete: bool,
    /// Those that would have been others, the latest first.
    decisions: Vec<ReplayedDecision>,
    /// How many of those are not listed.
    #[schema(example = 0)]
    unlisted: u64,
}

impl From<Replayed> for ReplayedDecision {
    fn from(it: Replayed) -> Self {
        Self {
            change: it.change.as_str(),
            action: it.action.name(),
            principal: it.who.into(),
            kind: it.kind,
            thing: it.thing.into(),
            times: it.times,
            last_at: it.last_at,
        }
    }
}

impl From<Replay> for PolicyReplay {
    fn from(replay: Replay) -> Self {
        Self {
            since: replay.since,
            newly_denied: replay.newly_denied,
            newly_allowed: replay.newly_allowed,
            asked: replay.asked,
            times: replay.times,
            gone: replay.gone,
            moment_unknown: replay.moment_unknown,
            otherwise_today: replay.otherwise_today,
            complete: !replay.more,
            decisions: replay.rows.into_iter().map(ReplayedDecision::from).collect(),
            unlisted: replay.unlisted,
        }
    }
}

/// Replay a version of a policy
///
/// Which decisions of the last 30 days would have been others, if this version had decided in place of the one that does. They
/// are asked again with the roles of today, under the policies of today and under those with the change. Questions about things that
/// somebody may not know of are not in the log.
#[utoipa::path(
    get,
    path = "/api/v1/policies/{policy}/versions/{version}/replay",
    tag = "Policies",
    operation_id = "replayPolicy",
    params(
        ("policy" = String, Path, description = "`pol_…`"),
        ("version" = i64, Path, description = "Its number"),
    ),
    responses((status = 200, description = "What would have been otherwise", body = PolicyReplay)),
)]
pub(crate) async fn version(
    State(domain): State<Domain>,
    caller: Caller,
    place: Place,
) -> Result<Response, Problem> {
    let change = PolicyChange::Version(place.version);
    let replay = domain.policy_replay(caller.op(), place.policy, change).await?;
    Ok(json::ok(&PolicyReplay::from(replay)))
}

/// Replay disabling a policy
///
/// Which decisions of the last 30 days would have been others, if no version of it had decided.
#[utoipa::path(
    get,
    path = "/api/v1/policies/{policy}/replay",
    tag = "Policies",
    operation_id = "replayPolicyDisabling",
    params(("policy" = String, Path, description = "`pol_…`")),
    responses((status = 200, description = "What would have been otherwise", body = PolicyReplay)),
)]
pub(crate) async fn disabling(
    State(domain): State<Domain>,
    caller: Caller,
    At(policy): At<PolicyId>,
) -> Result<Response, Problem> {
    let replay = domain.policy_replay(caller.op(), policy, PolicyChange::Disabled).await?;
    Ok(json::ok(&PolicyReplay::from(replay)))
}
