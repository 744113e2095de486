//! `GET /api/v1/projects/{project}`

use axum::{extract::State, response::Response};
use keywarden_domain::Domain;

use super::Project;
use crate::{at::At, caller::Caller, etag::tagged, json, problem::Problem};

/// Show a project
#[utoipa::path(
    get,
    path = "/api/v1/projects/{project}",
    tag = "Projects",
    operation_id = "showProject",
    params(("project" = String, Path, description = "Slug or `prj_…`")),
    responses((status = 200, description = "The project", body = Project)),
)]
pub(crate) async fn show(
    State(domain): State<Domain>,
    caller: Caller,
    At(project): At<String>,
) -> Result<Response, Problem> {
    let project = domain.project(caller.op(), &project).await?;
    let version = project.row_version;
    Ok(tagged(json::ok(&Project::from(project)), version))
}
