//! `POST /api/v1/projects`

use axum::{extract::State, response::Response};
use keywarden_domain::{
    Domain,
    projects::{CreateProjectError, NewProject},
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::Project;
use crate::{
    caller::Caller,
    etag::tagged,
    flaw::Flaws,
    json::{self, Asked},
    problem::Problem,
};

/// A new project.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateProject {
    /// Lower-case letters, digits and single dashes between them; 1 to 40; for good.
    #[schema(example = "pay")]
    slug: String,
    /// 1 to 120 characters.
    #[schema(example = "Payments")]
    name: String,
}

/// Make a project
#[utoipa::path(
    post,
    path = "/api/v1/projects",
    tag = "Projects",
    operation_id = "createProject",
    request_body = CreateProject,
    responses((status = 201, description = "The project", body = Project)),
)]
pub(crate) async fn create(
    State(domain): State<Domain>,
    caller: Caller,
    asked: Asked<CreateProject>,
) -> Result<Response, Problem> {
    let (op, body) = caller.asks(asked);
    let id = domain.create_project(&op, body.read()?).await?;
    let project = domain.project(&op, &id.to_string()).await.map_err(Problem::after_all)?;
    let (location, version) = (format!("/api/v1/projects/{}", project.slug), project.row_version);
    Ok(tagged(json::created(&location, &Project::from(project)), version))
}

impl CreateProject {
    fn read(self) -> Result<NewProject, Problem> {
        let mut flaws = Flaws::default();
        let slug = flaws.parse("/slug", &self.slug);
        let name = flaws.parse("/name", &self.name);
        let (Some(slug), Some(name)) = (slug, name) else { return Err(flaws.problem()) };
        Ok(NewProject { slug, name })
    }
}

impl From<CreateProjectError> for Problem {
    fn from(error: CreateProjectError) -> Self {
        match error {
            CreateProjectError::NameTaken => Self::taken("/name", error),
            CreateProjectError::Refused(refused) => refused.into(),
            CreateProjectError::SlugTaken => Self::taken("/slug", error),
        }
    }
}
