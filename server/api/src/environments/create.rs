//! `POST /api/v1/projects/{project}/environments`

use axum::{extract::State, response::Response};
use keywarden_domain::{
    Domain,
    environments::{CreateEnvironmentError, NewEnvironment, Terms, TermsError},
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::Environment;
use crate::{
    at::At,
    caller::Caller,
    etag::tagged,
    flaw::{Flaw, Flaws},
    json::{self, Asked},
    problem::Problem,
};

/// A new environment.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateEnvironment {
    /// Lower-case letters, digits and single dashes between them; 1 to 40; for good.
    #[schema(example = "prod")]
    slug: String,
    /// 1 to 120 characters.
    #[schema(example = "Production")]
    name: String,
    /// 1 to 16 lower-case letters or digits, `live` otherwise; for good: values show it.
    #[schema(example = "live")]
    label: Option<String>,
    /// The longest that a key may live: one minute to ten years; otherwise as long as it wants.
    #[schema(example = 31_536_000)]
    max_lifetime_seconds: Option<i64>,
    /// How long an old value works after a rotation that says nothing else: 0 to 90 days, otherwise a day.
    #[schema(example = 86_400)]
    overlap_seconds: Option<i64>,
}

/// Make an environment in a project
#[utoipa::path(
    post,
    path = "/api/v1/projects/{project}/environments",
    tag = "Projects",
    operation_id = "createEnvironment",
    params(("project" = String, Path, description = "Slug or `prj_…`")),
    request_body = CreateEnvironment,
    responses((status = 201, description = "The environment", body = Environment)),
)]
pub(crate) async fn create(
    State(domain): State<Domain>,
    caller: Caller,
    At(project): At<String>,
    asked: Asked<CreateEnvironment>,
) -> Result<Response, Problem> {
    let (op, body) = caller.asks(asked);
    let project = domain.project(&op, &project).await?;
    let id = domain.create_environment(&op, project.id, body.read()?).await?;
    let environment =
        domain.environment(&op, project.id, &id.to_string()).await.map_err(Problem::after_all)?;
    let location = format!("/api/v1/projects/{}/environments/{}", project.slug, environment.slug);
    let version = environment.row_version;
    Ok(tagged(json::created(&location, &Environment::of(&project, environment)), version))
}

impl CreateEnvironment {
    fn read(self) -> Result<NewEnvironment, Problem> {
        let mut flaws = Flaws::default();
        let slug = flaws.parse("/slug", &self.slug);
        let name = flaws.parse("/name", &self.name);
        let label = flaws.parse("/label", self.label.as_deref().unwrap_or("live"));
        let terms = terms(&mut flaws, self.max_lifetime_seconds, self.overlap_seconds);
        let (Some(slug), Some(name), Some(label), Some(terms)) = (slug, name, label, terms) else {
            return Err(flaws.problem());
        };
        Ok(NewEnvironment { slug, name, label, terms })
    }
}

/// Reads both durations.
pub(super) fn terms(flaws: &mut Flaws, lifetime: Option<i64>, overlap: Option<i64>) -> Option<Terms> {
    Terms::new(lifetime, overlap)
        .map_err(|why| {
            flaws.note(match why {
                TermsError::Lifetime => Flaw::at("/max_lifetime_seconds", why),
                TermsError::Overlap => Flaw::at("/overlap_seconds", why),
            });
        })
        .ok()
}

impl From<CreateEnvironmentError> for Problem {
    fn from(error: CreateEnvironmentError) -> Self {
        match error {
            CreateEnvironmentError::Archived => Self::conflict(error),
            CreateEnvironmentError::NameTaken => Self::taken("/name", error),
            CreateEnvironmentError::Refused(refused) => refused.into(),
            CreateEnvironmentError::SlugTaken => Self::taken("/slug", error),
        }
    }
}
