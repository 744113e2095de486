//! `GET /api/v1/projects/{project}/key`

use axum::{extract::State, response::Response};
use chrono::{DateTime, Utc};
use keywarden_domain::{
    Domain,
    project_keys::{MAX_SEALS, ProjectKeyLine, ProjectKeyView},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{at::At, caller::Caller, json, problem::Problem, rewraps::Rewrap};

/// The keys that wrap the data keys of a project's secrets.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ProjectKeys {
    /// The newest first; none as long as the project has no secret.
    keys: Vec<ProjectKey>,
    /// The latest rewrap between them.
    #[serde(skip_serializing_if = "Option::is_none")]
    rewrap: Option<Rewrap>,
}

/// A project's key, without its bytes.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ProjectKey {
    #[schema(example = "pjk_01JDB2W1N9F6Q3R8T5V7X9Z0AB")]
    id: String,
    /// Data keys that it has wrapped.
    #[schema(example = 1204)]
    uses: i64,
    /// How many it may wrap.
    #[schema(example = 4_294_967_295_i64)]
    most: i64,
    created_at: DateTime<Utc>,
    /// From then on it only unwraps.
    #[serde(skip_serializing_if = "Option::is_none")]
    retired_at: Option<DateTime<Utc>>,
}

/// See a project's key
#[utoipa::path(
    get,
    path = "/api/v1/projects/{project}/key",
    tag = "Encryption keys",
    operation_id = "showProjectKey",
    params(("project" = String, Path, description = "Slug or `prj_…`")),
    responses((status = 200, description = "The project's keys", body = ProjectKeys)),
)]
pub(crate) async fn show(
    State(domain): State<Domain>,
    caller: Caller,
    At(project): At<String>,
) -> Result<Response, Problem> {
    let project = domain.project(caller.op(), &project).await?;
    let view = domain.project_key(caller.op(), project.id).await?;
    Ok(json::ok(&ProjectKeys::from(view)))
}

impl From<ProjectKeyView> for ProjectKeys {
    fn from(view: ProjectKeyView) -> Self {
        Self {
            keys: view.keys.into_iter().map(ProjectKey::from).collect(),
            rewrap: view.rewrap.map(Rewrap::from),
        }
    }
}

impl From<ProjectKeyLine> for ProjectKey {
    fn from(key: ProjectKeyLine) -> Self {
        Self {
            id: key.id.to_string(),
            uses: key.uses,
            most: MAX_SEALS,
            created_at: key.created_at,
            retired_at: key.retired_at,
        }
    }
}
