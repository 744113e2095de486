//! `/api/v1/access-rules`: who approves, how many it takes, and for how long at most.

use axum::{extract::State, response::Response};
use keywarden_domain::{
    Domain, Op,
    access::{Rule, ShownRule},
    authz::PolicyScope,
};
use keywarden_model::PasskeyStrength;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    caller::Caller,
    flaw::Flaws,
    json::{self, Asked, absent},
    problem::Problem,
    query::Query,
};

/// More versions than any rule has.
const MOST_VERSIONS: i64 = 1_000_000;

/// The rule that holds in a scope.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AccessRule {
    /// Where it was written: a project's id, `organization` or `built-in`.
    #[schema(example = "organization")]
    scope: String,
    /// The how manieth there.
    #[schema(example = 2)]
    version: i64,
    /// The newest version of the scope that was asked about; 0: it never had a rule of its own. Whoever writes the next one names it.
    #[schema(example = 2)]
    newest: i64,
    /// How many distinct persons it takes.
    #[schema(example = 2)]
    approvers: u32,
    /// Ids of people and teams; empty: whoever may approve there.
    only: Vec<String>,
    #[schema(example = 28800)]
    longest_seconds: i64,
    #[schema(example = 86400)]
    unanswered_seconds: i64,
    /// `any` or `device-bound`.
    #[schema(example = "any")]
    strength: &'static str,
}

/// The next version of a scope's rule.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SetAccessRule {
    /// A project's slug or `prj_…`; without one it is the organization's rule.
    #[schema(example = "pay")]
    project: Option<String>,
    /// The newest version that was read.
    #[schema(example = 0)]
    newest: i64,
    /// 1 to 5 distinct persons.
    #[schema(example = 2)]
    approvers: u32,
    /// Ids of people and teams, at most 50.
    #[serde(default, deserialize_with = "absent")]
    #[schema(example = json!([]))]
    only: Vec<String>,
    /// 300 to 2 592 000.
    #[schema(example = 28800)]
    longest_seconds: i64,
    /// 900 to 2 592 000.
    #[schema(example = 86400)]
    unanswered_seconds: i64,
    /// `any` or `device-bound`.
    #[schema(example = "any")]
    strength: String,
}

impl From<ShownRule> for AccessRule {
    fn from(it: ShownRule) -> Self {
        Self {
            scope: it.at.scope,
            version: it.at.version,
            newest: it.newest,
            approvers: it.rule.approvers,
            only: it.rule.only,
            longest_seconds: it.rule.longest_seconds,
            unanswered_seconds: it.rule.unanswered_seconds,
            strength: it.rule.strength.as_str(),
        }
    }
}

async fn scope(domain: &Domain, op: &Op, project: Option<&str>) -> Result<PolicyScope, Problem> {
    Ok(match project {
        None => PolicyScope::Organization,
        Some(project) => PolicyScope::Project(domain.project(op, project).await?.id),
    })
}

/// Show who approves access
#[utoipa::path(
    get,
    path = "/api/v1/access-rules",
    tag = "Access",
    operation_id = "getAccessRule",
    params(("project" = Option<String>, Query, description = "Slug or `prj_…`; without one the organization's")),
    responses((status = 200, description = "The rule that holds there", body = AccessRule)),
)]
pub(crate) async fn show(
    State(domain): State<Domain>,
    caller: Caller,
    query: Query,
) -> Result<Response, Problem> {
    let mut query = query.read();
    let project = query.text("project");
    query.end()?;
    let scope = scope(&domain, caller.op(), project.as_deref()).await?;
    Ok(json::ok(&AccessRule::from(domain.access_rule(caller.op(), scope).await?)))
}

/// Say who approves access
///
/// What was signed under the rule before counts no more.
#[utoipa::path(
    post,
    path = "/api/v1/access-rules",
    tag = "Access",
    operation_id = "setAccessRule",
    request_body = SetAccessRule,
    responses((status = 200, description = "The rule that holds now", body = AccessRule)),
)]
pub(crate) async fn set(
    State(domain): State<Domain>,
    caller: Caller,
    asked: Asked<SetAccessRule>,
) -> Result<Response, Problem> {
    let (op, body) = caller.asks(asked);
    let mut flaws = Flaws::default();
    let strength = flaws.parse::<PasskeyStrength>("/strength", &body.strength);
    let newest = (0..=MOST_VERSIONS).contains(&body.newest).then_some(body.newest);
    let newest = flaws.keep("/newest", newest.ok_or("write the number of the newest version, 0 for none"));
    let (Some(strength), Some(newest)) = (strength, newest) else { return Err(flaws.problem()) };
    let scope = scope(&domain, &op, body.project.as_deref()).await?;
    let rule = Rule {
        approvers: body.approvers,
        only: body.only,
        longest_seconds: body.longest_seconds,
        unanswered_seconds: body.unanswered_seconds,
        strength,
    };
    domain.set_access_rule(&op, scope, Some(rule), newest).await?;
    let shown = domain.access_rule(&op, scope).await.map_err(Problem::after_all)?;
    Ok(json::ok(&AccessRule::from(shown)))
}
