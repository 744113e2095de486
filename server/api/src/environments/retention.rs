//! `PUT /api/v1/projects/{project}/environments/{environment}/retention`

use axum::{extract::State, response::Response};
use keywarden_domain::{
    Domain,
    environments::{KeepSecretsError, Retention},
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{Within, after};
use crate::{
    caller::Caller,
    etag::{self, Seen},
    flaw::Flaws,
    json::Asked,
    problem::Problem,
};

/// How long deleted secrets are kept.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct KeepSecrets {
    /// How many days a secret can be restored that is deleted from now on: 7 to 90.
    #[schema(example = 30)]
    recovery_days: i64,
    /// Whether nothing is destroyed before they are over. Once on it stays on, and the days can only become more.
    #[schema(example = false)]
    purge_protection: bool,
}

/// Say how long deleted secrets are kept
#[utoipa::path(
    put,
    path = "/api/v1/projects/{project}/environments/{environment}/retention",
    tag = "Projects",
    operation_id = "keepSecrets",
    params(
        ("project" = String, Path, description = "Slug or `prj_…`"),
        ("environment" = String, Path, description = "Slug or `env_…`"),
        ("If-Match" = Option<String>, Header, description = "The environment's `ETag` that was read"),
    ),
    request_body = KeepSecrets,
    responses((status = 200, description = "The environment as it is now", body = super::Environment)),
)]
pub(crate) async fn keep(
    State(domain): State<Domain>,
    caller: Caller,
    within: Within,
    seen: Seen,
    asked: Asked<KeepSecrets>,
) -> Result<Response, Problem> {
    let (op, body) = caller.asks(asked);
    let project = domain.project(&op, &within.project).await?;
    for left in seen.tries() {
        let before = domain.environment(&op, project.id, &within.environment).await?;
        let row_version = seen.version(before.row_version)?;
        match domain.keep_secrets(&op, before.id, body.read()?, row_version).await {
            Err(KeepSecretsError::ChangedMeanwhile) if left > 0 => continue,
            done => done?,
        }
        return after(&domain, &op, &project, before.id).await;
    }
    Err(etag::changed())
}

impl KeepSecrets {
    fn read(&self) -> Result<Retention, Problem> {
        let mut flaws = Flaws::default();
        let read = flaws.keep("/recovery_days", Retention::new(self.recovery_days, self.purge_protection));
        read.ok_or_else(|| flaws.problem())
    }
}

impl From<KeepSecretsError> for Problem {
    fn from(error: KeepSecretsError) -> Self {
        match error {
            KeepSecretsError::Archived | KeepSecretsError::Protected => Self::conflict(error),
            KeepSecretsError::ChangedMeanwhile => etag::changed(),
            KeepSecretsError::Refused(refused) => refused.into(),
        }
    }
}
