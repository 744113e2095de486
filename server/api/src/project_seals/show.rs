//! `GET /api/v1/projects/{project}/seal`

use axum::{extract::State, response::Response};
use keywarden_domain::Domain;

use super::ProjectSeal;
use crate::{at::At, caller::Caller, problem::Problem};

/// See a project's own seal
#[utoipa::path(
    get,
    path = "/api/v1/projects/{project}/seal",
    tag = "Encryption keys",
    operation_id = "showProjectSeal",
    params(("project" = String, Path, description = "Slug or `prj_…`")),
    responses((status = 200, description = "What wraps the project's keys", body = ProjectSeal)),
)]
pub(crate) async fn show(
    State(domain): State<Domain>,
    caller: Caller,
    At(project): At<String>,
) -> Result<Response, Problem> {
    let project = domain.project(caller.op(), &project).await?;
    Ok(super::shown(domain.project_seal(caller.op(), project.id).await?))
}
