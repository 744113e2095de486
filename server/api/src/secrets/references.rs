//! `GET /api/v1/secrets/{secret}/references`

use axum::{extract::State, response::Response};
use keywarden_domain::{
    Domain,
    secrets::{self, Referred, Referrer},
};
use keywarden_model::SecretId;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{at::At, caller::Caller, json, problem::Problem};

/// Both sides of a secret.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SecretReferences {
    /// What its current version refers to, if it is a template: in the order of its text, each once.
    references: Vec<SecretReference>,
    /// Secrets with a labelled version that refers to it, as far as the caller may see them; at most 100.
    referenced_by: Vec<SecretReferrer>,
}

/// Something that a template refers to.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SecretReference {
    /// As it is written between `${` and `}`.
    #[schema(example = "pay/live/database/password")]
    reference: String,
    /// The secret that it leads to; absent if there is none that the caller may see.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "sec_01JDB2W1N9F6Q3R8T5V7X9Z0AB")]
    secret: Option<String>,
    /// Whether that is deleted.
    #[schema(example = false)]
    deleted: bool,
}

/// A secret that refers to another one.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SecretReferrer {
    #[schema(example = "sec_01JDB2W1N9F6Q3R8T5V7X9Z0AB")]
    id: String,
    /// The project's slug.
    #[schema(example = "pay")]
    project: String,
    /// The environment's slug.
    #[schema(example = "live")]
    environment: String,
    /// Folders and name.
    #[schema(example = "app/database-url")]
    path: String,
}

/// Show what a secret refers to, and what refers to it
///
/// Without any value. Who may not see a secret is not told that it refers to this one, or that it is there.
#[utoipa::path(
    get,
    path = "/api/v1/secrets/{secret}/references",
    tag = "Secrets",
    operation_id = "showSecretReferences",
    params(("secret" = String, Path, description = "`sec_…`")),
    responses((status = 200, description = "Both sides", body = SecretReferences)),
)]
pub(crate) async fn references(
    State(domain): State<Domain>,
    caller: Caller,
    At(secret): At<SecretId>,
) -> Result<Response, Problem> {
    let found = domain.secret_references(caller.op(), secret).await?;
    Ok(json::ok(&SecretReferences::from(found)))
}

impl From<secrets::References> for SecretReferences {
    fn from(found: secrets::References) -> Self {
        Self {
            references: found.to.into_iter().map(SecretReference::from).collect(),
            referenced_by: found.by.into_iter().map(SecretReferrer::from).collect(),
        }
    }
}

impl From<Referred> for SecretReference {
    fn from(it: Referred) -> Self {
        Self {
            reference: it.reference.to_string(),
            secret: it.secret.map(|id| id.to_string()),
            deleted: it.deleted,
        }
    }
}

impl From<Referrer> for SecretReferrer {
    fn from(it: Referrer) -> Self {
        Self {
            id: it.id.to_string(),
            project: it.project,
            environment: it.environment,
            path: it.path.to_string(),
        }
    }
}
