//! Environments of a project, by slug or id.

pub(crate) mod create;
pub(crate) mod edit;
pub(crate) mod list;
pub(crate) mod retention;
pub(crate) mod show;

use axum::{
    extract::{FromRequestParts, Path},
    response::Response,
};
use chrono::{DateTime, Utc};
use http::request::Parts;
use keywarden_domain::{Domain, Op, environments, projects::Project};
use keywarden_model::EnvironmentId;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{etag::tagged, json, problem::Problem};

/// Where keys of a project are used.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Environment {
    #[schema(example = "env_01JDB2W1N9F6Q3R8T5V7X9Z0AB")]
    id: String,
    /// The slug of its project.
    #[schema(example = "pay")]
    project: String,
    /// The name in addresses; never changes.
    #[schema(example = "prod")]
    slug: String,
    #[schema(example = "Production")]
    name: String,
    /// What its keys' values show: `kwk_<label>_…`; never changes.
    #[schema(example = "live")]
    label: String,
    /// The longest that a key may live.
    #[serde(skip_serializing_if = "Option::is_none")]
    max_lifetime_seconds: Option<i64>,
    /// How long an old value works after a rotation that says nothing else.
    #[schema(example = 86400)]
    overlap_seconds: i64,
    /// How many days a deleted secret can be restored.
    #[schema(example = 30)]
    secret_recovery_days: i64,
    /// Whether nothing of a secret is destroyed before they are over; once on, never off.
    purge_protection: bool,
    /// Whether whoever reads a value says why, in `Keywarden-Reason`.
    reads_need_reason: bool,
    created_at: DateTime<Utc>,
    /// The id of who made it.
    created_by: String,
}

impl Environment {
    pub(crate) fn of(project: &Project, environment: environments::Environment) -> Self {
        Self {
            id: environment.id.to_string(),
            project: project.slug.clone(),
            slug: environment.slug,
            name: environment.name,
            label: environment.label,
            max_lifetime_seconds: environment.max_lifetime_seconds,
            overlap_seconds: environment.overlap_seconds,
            secret_recovery_days: environment.secret_recovery_days,
            purge_protection: environment.purge_protection,
            reads_need_reason: environment.reads_need_reason,
            created_at: environment.created_at,
            created_by: environment.created_by,
        }
    }
}

/// The environment after a change that was made.
async fn after(domain: &Domain, op: &Op, project: &Project, id: EnvironmentId) -> Result<Response, Problem> {
    let found = domain.environment(op, project.id, &id.to_string()).await.map_err(Problem::after_all)?;
    let version = found.row_version;
    Ok(tagged(json::ok(&Environment::of(project, found)), version))
}

/// `{project}` and `{environment}` of a path.
#[derive(Debug)]
pub(crate) struct Within {
    pub(crate) project: String,
    pub(crate) environment: String,
}

impl<S: Send + Sync> FromRequestParts<S> for Within {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Path((project, environment)) =
            Path::from_request_parts(parts, state).await.map_err(|_| Problem::not_found())?;
        Ok(Self { project, environment })
    }
}
