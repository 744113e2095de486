//! `POST /api/v1/projects/{project}/archive`

use axum::{extract::State, response::Response};
use keywarden_domain::{Domain, projects::ArchiveProjectError};

use super::Project;
use crate::{
    at::At,
    caller::Caller,
    etag::tagged,
    json::{self, Asked, Nothing},
    problem::Problem,
};

/// Archive a project
///
/// Only one in which nothing works any more: its keys are revoked or expired, its workloads deactivated.
#[utoipa::path(
    post,
    path = "/api/v1/projects/{project}/archive",
    tag = "Projects",
    operation_id = "archiveProject",
    params(("project" = String, Path, description = "Slug or `prj_…`")),
    responses((status = 200, description = "The project as it is now", body = Project)),
)]
pub(crate) async fn archive(
    State(domain): State<Domain>,
    caller: Caller,
    At(project): At<String>,
    asked: Asked<Nothing>,
) -> Result<Response, Problem> {
    let (op, Nothing {}) = caller.asks(asked);
    let before = domain.project(&op, &project).await?;
    domain.archive_project(&op, before.id).await?;
    let after = domain.project(&op, &before.id.to_string()).await.map_err(Problem::after_all)?;
    let version = after.row_version;
    Ok(tagged(json::ok(&Project::from(after)), version))
}

impl From<ArchiveProjectError> for Problem {
    fn from(error: ArchiveProjectError) -> Self {
        match error {
            ArchiveProjectError::Archived => Self::conflict(error),
            ArchiveProjectError::InUse { ref keys, ref workloads } => {
                let more =
                    |count: &keywarden_domain::projects::Count| if count.more { " or more" } else { "" };
                Self::conflict(format_args!(
                    "{error}: {}{} keys, {}{} workloads",
                    keys.counted,
                    more(keys),
                    workloads.counted,
                    more(workloads)
                ))
            }
            ArchiveProjectError::Refused(refused) => refused.into(),
        }
    }
}
