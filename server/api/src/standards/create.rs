//! `POST /api/v1/standards`

use axum::{extract::State, response::Response};
use keywarden_domain::{Domain, standards::NewStandard};
use keywarden_model::{Description, Name};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{StandardRules, WholeStandard, scope};
use crate::{
    caller::Caller,
    etag::tagged,
    flaw::Flaws,
    json::{self, Asked, absent},
    problem::Problem,
};

/// A new standard.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateStandard {
    /// Unique where it holds, in any spelling.
    #[schema(example = "Keys of production")]
    name: String,
    /// The project that it is confined to: slug or `prj_…`. Without one it is the organization's.
    #[schema(example = json!(null))]
    project: Option<String>,
    /// At least one of them.
    rules: StandardRules,
    /// About it; up to 1 000 characters.
    #[serde(default, deserialize_with = "absent")]
    #[schema(example = "agreed with the auditors")]
    note: String,
}

/// Write a standard
///
/// It is a draft: it reports what breaks it, and refuses nothing until a version of it is activated.
#[utoipa::path(
    post,
    path = "/api/v1/standards",
    tag = "Standards",
    operation_id = "createStandard",
    request_body = CreateStandard,
    responses((status = 201, description = "The standard", body = WholeStandard)),
)]
pub(crate) async fn create(
    State(domain): State<Domain>,
    caller: Caller,
    asked: Asked<CreateStandard>,
) -> Result<Response, Problem> {
    let (op, body) = caller.asks(asked);
    let mut flaws = Flaws::default();
    let name = flaws.parse::<Name>("/name", &body.name);
    let note = flaws.parse::<Description>("/note", &body.note);
    let rules = body.rules.read(&mut flaws);
    let (Some(name), Some(note), Some(rules)) = (name, note, rules) else { return Err(flaws.problem()) };
    let scope = scope(&domain, &op, body.project.as_deref()).await?;
    let id = domain.draft_standard(&op, NewStandard { scope, name, rules, note }).await?;
    let shown = domain.standard(&op, id).await.map_err(Problem::after_all)?;
    let version = shown.standard.row_version;
    Ok(tagged(json::created(&format!("/api/v1/standards/{id}"), &WholeStandard::from(shown)), version))
}
