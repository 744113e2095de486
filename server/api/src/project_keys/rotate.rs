//! `POST /api/v1/projects/{project}/key/rotate`

use axum::{extract::State, response::Response};
use keywarden_domain::{Domain, project_keys::RotateProjectKeyError};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    at::At,
    caller::Caller,
    json::{self, Asked, Nothing},
    problem::Problem,
};

/// A project's new key.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RotatedProjectKey {
    #[schema(example = "pjk_01JDB2W1N9F6Q3R8T5V7X9Z0AB")]
    key: String,
    /// What brings the data keys under it: see how far it is at `/api/v1/rewraps/{rewrap}`.
    #[schema(example = "rwp_01JDB2W1N9F6Q3R8T5V7X9Z0AB")]
    rewrap: String,
}

/// Rotate a project's key
///
/// New values lie under the new key at once. Data keys under the old one are rewrapped in the background, no value is
/// opened, and the old key is destroyed once nothing lies under it.
#[utoipa::path(
    post,
    path = "/api/v1/projects/{project}/key/rotate",
    tag = "Encryption keys",
    operation_id = "rotateProjectKey",
    params(("project" = String, Path, description = "Slug or `prj_…`")),
    responses((status = 200, description = "The new key", body = RotatedProjectKey)),
)]
pub(crate) async fn rotate(
    State(domain): State<Domain>,
    caller: Caller,
    At(project): At<String>,
    asked: Asked<Nothing>,
) -> Result<Response, Problem> {
    let (op, Nothing {}) = caller.asks(asked);
    let project = domain.project(&op, &project).await?;
    let done = domain.rotate_project_key(&op, project.id).await?;
    Ok(json::ok(&RotatedProjectKey { key: done.key.to_string(), rewrap: done.rewrap.to_string() }))
}

impl From<RotateProjectKeyError> for Problem {
    fn from(error: RotateProjectKeyError) -> Self {
        match error {
            RotateProjectKeyError::NoKey | RotateProjectKeyError::UnderWay => Self::conflict(error),
            RotateProjectKeyError::Refused(refused) => refused.into(),
        }
    }
}
