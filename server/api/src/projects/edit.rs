//! `PATCH /api/v1/projects/{project}`

use axum::{extract::State, response::Response};
use keywarden_domain::{
    Domain,
    projects::{EditProject, EditProjectError},
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::Project;
use crate::{
    at::At,
    caller::Caller,
    etag::{self, Seen, tagged},
    flaw::Flaws,
    json::{self, Asked, kept},
    problem::Problem,
};

/// What changes; what is absent stays (RFC 7396).
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PatchProject {
    /// 1 to 120 characters.
    #[serde(default, deserialize_with = "kept")]
    #[schema(value_type = String, required = false, example = "Payments")]
    name: Option<String>,
}

/// Rename a project
#[utoipa::path(
    patch,
    path = "/api/v1/projects/{project}",
    tag = "Projects",
    operation_id = "editProject",
    params(("project" = String, Path, description = "Slug or `prj_…`")),
    request_body = PatchProject,
    responses((status = 200, description = "The project as it is now", body = Project)),
)]
pub(crate) async fn edit(
    State(domain): State<Domain>,
    caller: Caller,
    At(project): At<String>,
    seen: Seen,
    asked: Asked<PatchProject>,
) -> Result<Response, Problem> {
    let (op, body) = caller.asks(asked);
    for left in seen.tries() {
        let before = domain.project(&op, &project).await?;
        let row_version = seen.version(before.row_version)?;
        if let Some(name) = &body.name {
            let mut flaws = Flaws::default();
            let Some(name) = flaws.parse("/name", name) else { return Err(flaws.problem()) };
            match domain.edit_project(&op, before.id, EditProject { name, row_version }).await {
                Err(EditProjectError::ChangedMeanwhile) if left > 0 => continue,
                done => done?,
            };
        }
        let after = domain.project(&op, &before.id.to_string()).await.map_err(Problem::after_all)?;
        let version = after.row_version;
        return Ok(tagged(json::ok(&Project::from(after)), version));
    }
    Err(etag::changed())
}

impl From<EditProjectError> for Problem {
    fn from(error: EditProjectError) -> Self {
        match error {
            EditProjectError::Archived => Self::conflict(error),
            EditProjectError::ChangedMeanwhile => etag::changed(),
            EditProjectError::NameTaken => Self::taken("/name", error),
            EditProjectError::Refused(refused) => refused.into(),
        }
    }
}
