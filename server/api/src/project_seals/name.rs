//! `PUT` and `DELETE /api/v1/projects/{project}/seal`

use axum::{extract::State, response::Response};
use keywarden_domain::{Domain, Op, project_seals::NamedSeal, system::SealId};
use serde::Deserialize;
use utoipa::ToSchema;

use super::ProjectSeal;
use crate::{at::At, caller::Caller, etag::Unheeded, flaw::Flaw, json::Asked, problem::Problem};

/// Which seal a project is to have.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NameSeal {
    /// One that the operator offers to projects.
    #[schema(example = "pkcs11:acme")]
    seal: String,
}

/// Let a project have a seal of its own
///
/// All keys of the project are wrapped by that seal at once, beneath the keyring's envelope; no value is opened. From then on
/// its secrets open only while the seal answers. **If the seal's key is lost, so are the project's values, for good:** neither
/// a backup nor a recovery key opens them.
#[utoipa::path(
    put,
    path = "/api/v1/projects/{project}/seal",
    tag = "Encryption keys",
    operation_id = "nameProjectSeal",
    params(("project" = String, Path, description = "Slug or `prj_…`")),
    request_body = NameSeal,
    responses((status = 200, description = "What wraps the project's keys now", body = ProjectSeal)),
)]
pub(crate) async fn name(
    State(domain): State<Domain>,
    caller: Caller,
    At(project): At<String>,
    asked: Asked<NameSeal>,
) -> Result<Response, Problem> {
    let (op, body) = caller.asks(asked);
    let seal: SealId = body.seal.parse().map_err(|error| Problem::invalid(Flaw::at("/seal", error)))?;
    let project = domain.project(&op, &project).await?;
    after(&domain, &op, domain.name_project_seal(&op, project.id, Some(&seal)).await?).await
}

/// Take a project's own seal away
///
/// The seal must answer once more: the project's keys are taken from under it, and the keyring alone wraps them from then on.
#[utoipa::path(
    delete,
    path = "/api/v1/projects/{project}/seal",
    tag = "Encryption keys",
    operation_id = "takeProjectSeal",
    params(("project" = String, Path, description = "Slug or `prj_…`")),
    responses((status = 200, description = "What wraps the project's keys now", body = ProjectSeal)),
)]
pub(crate) async fn take(
    State(domain): State<Domain>,
    caller: Caller,
    At(project): At<String>,
    _: Unheeded,
) -> Result<Response, Problem> {
    let op = caller.op();
    let project = domain.project(op, &project).await?;
    after(&domain, op, domain.name_project_seal(op, project.id, None).await?).await
}

async fn after(domain: &Domain, op: &Op, named: NamedSeal) -> Result<Response, Problem> {
    let view = domain.project_seal(op, named.project).await.map_err(Problem::after_all)?;
    Ok(super::shown(view))
}
