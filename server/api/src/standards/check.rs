//! `POST /api/v1/standards/check`

use axum::{extract::State, response::Response};
use keywarden_domain::{
    Domain,
    standards::{MOST_LOOKED_AT, Tally},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{StandardRules, scope};
use crate::{
    caller::Caller,
    flaw::Flaws,
    json::{self, Asked},
    problem::Problem,
};

/// Rules to look at.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CheckStandard {
    /// Where they would hold: slug or `prj_…`. Without one, in the organization.
    #[schema(example = json!(null))]
    project: Option<String>,
    rules: StandardRules,
}

/// How many things break rules, of those that the caller may see.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StandardTally {
    /// Environments that ask for less by their own settings.
    #[schema(example = 1)]
    environments: u32,
    #[schema(example = 3)]
    keys: u32,
    #[schema(example = 0)]
    secrets: u32,
    /// Whether everything was looked at. If not, there may be more: of each kind, `looked_at` were looked at.
    #[schema(example = true)]
    complete: bool,
    /// How many things of each kind are looked at, at the most.
    #[schema(example = 10_000)]
    looked_at: u32,
}

impl From<Tally> for StandardTally {
    fn from(tally: Tally) -> Self {
        Self {
            environments: tally.environments,
            keys: tally.keys,
            secrets: tally.secrets,
            complete: tally.complete,
            looked_at: MOST_LOOKED_AT,
        }
    }
}

/// Check rules of a standard
///
/// Counts what would break them today, and keeps nothing.
#[utoipa::path(
    post,
    path = "/api/v1/standards/check",
    tag = "Standards",
    operation_id = "checkStandard",
    request_body = CheckStandard,
    responses((status = 200, description = "How many things would break them", body = StandardTally)),
)]
pub(crate) async fn check(
    State(domain): State<Domain>,
    caller: Caller,
    asked: Asked<CheckStandard>,
) -> Result<Response, Problem> {
    let (op, body) = caller.asks(asked);
    let mut flaws = Flaws::default();
    let rules = body.rules.read(&mut flaws).ok_or_else(|| flaws.problem())?;
    let scope = scope(&domain, &op, body.project.as_deref()).await?;
    let tally = domain.check_standard(&op, scope, &rules).await?;
    Ok(json::ok(&StandardTally::from(tally)))
}
