//! `GET /api/v1/projects/{project}/environments/{environment}`

use axum::{extract::State, response::Response};
use keywarden_domain::Domain;

use super::{Environment, Within};
use crate::{caller::Caller, etag::tagged, json, problem::Problem};

/// Show an environment
#[utoipa::path(
    get,
    path = "/api/v1/projects/{project}/environments/{environment}",
    tag = "Projects",
    operation_id = "showEnvironment",
    params(
        ("project" = String, Path, description = "Slug or `prj_…`"),
        ("environment" = String, Path, description = "Slug or `env_…`"),
    ),
    responses((status = 200, description = "The environment", body = Environment)),
)]
pub(crate) async fn show(
    State(domain): State<Domain>,
    caller: Caller,
    within: Within,
) -> Result<Response, Problem> {
    let project = domain.project(caller.op(), &within.project).await?;
    let environment = domain.environment(caller.op(), project.id, &within.environment).await?;
    let version = environment.row_version;
    Ok(tagged(json::ok(&Environment::of(&project, environment)), version))
}
