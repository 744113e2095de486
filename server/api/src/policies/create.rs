//! `POST /api/v1/policies`

use axum::{extract::State, response::Response};
use keywarden_domain::{Domain, authz::PolicyScope, policy::NewPolicy};
use keywarden_model::{Description, Name};
use serde::Deserialize;
use utoipa::ToSchema;

use super::WholePolicy;
use crate::{
    caller::Caller,
    etag::tagged,
    flaw::Flaws,
    json::{self, Asked, absent},
    problem::Problem,
};

/// A new policy.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreatePolicy {
    /// Unique where it holds, in any spelling.
    #[schema(example = "Nobody purges after coming in by a recovery code")]
    name: String,
    /// The project that it is confined to: slug or `prj_…`. Without one it is the organization's.
    #[schema(example = json!(null))]
    project: Option<String>,
    /// One Cedar statement, at most 16 KiB.
    #[schema(
        example = "forbid (principal, action == Action::\"secret.purge\", resource) when { context.signInMethod == \"recovery\" };"
    )]
    text: String,
    /// About it; up to 1 000 characters.
    #[serde(default, deserialize_with = "absent")]
    #[schema(example = "after the incident of May")]
    note: String,
}

/// Write a policy
///
/// It is a draft, and decides nothing until a version of it is activated.
#[utoipa::path(
    post,
    path = "/api/v1/policies",
    tag = "Policies",
    operation_id = "createPolicy",
    request_body = CreatePolicy,
    responses((status = 201, description = "The policy", body = WholePolicy)),
)]
pub(crate) async fn create(
    State(domain): State<Domain>,
    caller: Caller,
    asked: Asked<CreatePolicy>,
) -> Result<Response, Problem> {
    let (op, body) = caller.asks(asked);
    let mut flaws = Flaws::default();
    let name = flaws.parse::<Name>("/name", &body.name);
    let note = flaws.parse::<Description>("/note", &body.note);
    let (Some(name), Some(note)) = (name, note) else { return Err(flaws.problem()) };
    let scope = match body.project {
        None => PolicyScope::Organization,
        Some(project) => PolicyScope::Project(domain.project(&op, &project).await?.id),
    };
    let id = domain.draft_policy(&op, NewPolicy { scope, name, text: body.text, note }).await?;
    let shown = domain.policy(&op, id).await.map_err(Problem::after_all)?;
    let version = shown.policy.row_version;
    Ok(tagged(json::created(&format!("/api/v1/policies/{id}"), &WholePolicy::from(shown)), version))
}
