//! `PATCH /api/v1/projects/{project}/environments/{environment}`

use axum::{extract::State, response::Response};
use keywarden_domain::{
    Domain,
    environments::{self, EditEnvironment, EditEnvironmentError},
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{Within, after, create::terms};
use crate::{
    caller::Caller,
    etag::{self, Seen},
    flaw::Flaws,
    json::{Asked, Patched, kept, patched},
    problem::Problem,
};

/// What changes; what is absent stays, `null` takes away (RFC 7396).
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PatchEnvironment {
    /// 1 to 120 characters.
    #[serde(default, deserialize_with = "kept")]
    #[schema(value_type = String, required = false, example = "Production")]
    name: Option<String>,
    /// The longest that a key may live from now on; `null` for no limit.
    #[serde(default, deserialize_with = "patched")]
    #[schema(value_type = Option<i64>, example = 31_536_000)]
    max_lifetime_seconds: Patched<i64>,
    /// How long an old value works after a rotation that says nothing else.
    #[serde(default, deserialize_with = "kept")]
    #[schema(value_type = i64, required = false, example = 86_400)]
    overlap_seconds: Option<i64>,
    /// Whether whoever reads a value from now on says why, in `Keywarden-Reason`.
    #[serde(default, deserialize_with = "kept")]
    #[schema(value_type = bool, required = false, example = false)]
    reads_need_reason: Option<bool>,
}

/// Edit an environment
///
/// Shorter terms hold for keys made from then on.
#[utoipa::path(
    patch,
    path = "/api/v1/projects/{project}/environments/{environment}",
    tag = "Projects",
    operation_id = "editEnvironment",
    params(
        ("project" = String, Path, description = "Slug or `prj_…`"),
        ("environment" = String, Path, description = "Slug or `env_…`"),
    ),
    request_body = PatchEnvironment,
    responses((status = 200, description = "The environment as it is now", body = super::Environment)),
)]
pub(crate) async fn edit(
    State(domain): State<Domain>,
    caller: Caller,
    within: Within,
    seen: Seen,
    asked: Asked<PatchEnvironment>,
) -> Result<Response, Problem> {
    let (op, body) = caller.asks(asked);
    let project = domain.project(&op, &within.project).await?;
    for left in seen.tries() {
        let before = domain.environment(&op, project.id, &within.environment).await?;
        let row_version = seen.version(before.row_version)?;
        let id = before.id;
        match domain.edit_environment(&op, id, body.onto(before, row_version)?).await {
            Err(EditEnvironmentError::ChangedMeanwhile) if left > 0 => continue,
            done => done?,
        };
        return after(&domain, &op, &project, id).await;
    }
    Err(etag::changed())
}

impl PatchEnvironment {
    fn onto(&self, before: environments::Environment, row_version: i64) -> Result<EditEnvironment, Problem> {
        let mut flaws = Flaws::default();
        let name = flaws.parse("/name", self.name.as_ref().unwrap_or(&before.name));
        let lifetime = self.max_lifetime_seconds.unwrap_or(before.max_lifetime_seconds);
        let overlap = self.overlap_seconds.unwrap_or(before.overlap_seconds);
        let terms = terms(&mut flaws, lifetime, Some(overlap));
        let (Some(name), Some(terms)) = (name, terms) else { return Err(flaws.problem()) };
        let reads_need_reason = self.reads_need_reason.unwrap_or(before.reads_need_reason);
        Ok(EditEnvironment { name, terms, reads_need_reason, row_version })
    }
}

impl From<EditEnvironmentError> for Problem {
    fn from(error: EditEnvironmentError) -> Self {
        match error {
            EditEnvironmentError::Archived => Self::conflict(error),
            EditEnvironmentError::ChangedMeanwhile => etag::changed(),
            EditEnvironmentError::NameTaken => Self::taken("/name", error),
            EditEnvironmentError::Refused(refused) => refused.into(),
        }
    }
}
