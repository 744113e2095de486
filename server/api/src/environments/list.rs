//! `GET /api/v1/projects/{project}/environments`

use axum::{extract::State, response::Response};
use keywarden_domain::Domain;

use super::Environment;
use crate::{at::At, caller::Caller, json, page::Page, problem::Problem};

/// List a project's environments
///
/// By slug; always all of them.
#[utoipa::path(
    get,
    path = "/api/v1/projects/{project}/environments",
    tag = "Projects",
    operation_id = "listEnvironments",
    params(("project" = String, Path, description = "Slug or `prj_…`")),
    responses((status = 200, description = "The environments", body = Page<Environment>)),
)]
pub(crate) async fn list(
    State(domain): State<Domain>,
    caller: Caller,
    At(project): At<String>,
) -> Result<Response, Problem> {
    let project = domain.project(caller.op(), &project).await?;
    let found = domain.environments(caller.op(), project.id).await?;
    let items = found.into_iter().map(|it| Environment::of(&project, it)).collect();
    Ok(json::ok(&Page { items, next_cursor: None }))
}
