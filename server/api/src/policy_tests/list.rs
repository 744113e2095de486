//! `GET /api/v1/policies/tests`

use axum::{extract::State, response::Response};
use keywarden_domain::Domain;

use super::{PolicyTest, scope};
use crate::{caller::Caller, json, page::Page, problem::Problem, query::Query};

/// List tests of policies
///
/// The organization's, or a project's, by name; always all of them.
#[utoipa::path(
    get,
    path = "/api/v1/policies/tests",
    tag = "Policies",
    operation_id = "listPolicyTests",
    params(("project" = Option<String>, Query, description = "A project's own: slug or `prj_…`")),
    responses((status = 200, description = "The tests", body = Page<PolicyTest>)),
)]
pub(crate) async fn list(
    State(domain): State<Domain>,
    caller: Caller,
    query: Query,
) -> Result<Response, Problem> {
    let mut query = query.read();
    let project = query.text("project");
    query.end()?;
    let scope = scope(&domain, caller.op(), project).await?;
    let found = domain.policy_tests(caller.op(), scope).await?;
    Ok(json::ok(&Page { items: found.into_iter().map(PolicyTest::from).collect(), next_cursor: None }))
}
