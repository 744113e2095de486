//! `POST /api/v1/users/invitations`

use axum::{extract::State, response::Response};
use chrono::{DateTime, Utc};
use http::StatusCode;
use keywarden_domain::{Domain, people::InviteError};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    caller::Caller,
    flaw::{Flaw, Flaws},
    json::{self, Asked},
    problem::Problem,
};

/// Who is invited, and as what.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct InviteUser {
    /// 1 to 120 characters.
    #[schema(example = "Carol")]
    name: String,
    /// `owner`, `admin` or `auditor` without a project; `manager`, `issuer`, `verifier` or `viewer` in one.
    #[schema(example = "issuer")]
    role: String,
    /// Slug or id of the project.
    #[schema(example = "pay")]
    project: Option<String>,
}

/// A link that lets one person in, once.
#[derive(Serialize, ToSchema)]
pub(crate) struct Invitation<'a> {
    #[schema(example = "inv_01JDB2W1N9F6Q3R8T5V7X9Z0AB")]
    id: String,
    /// Where the person registers a passkey. It is not shown again.
    url: &'a str,
    expires_at: DateTime<Utc>,
}

/// Invite a person
///
/// Whoever does must be allowed to give that role too.
#[utoipa::path(
    post,
    path = "/api/v1/users/invitations",
    tag = "People",
    operation_id = "inviteUser",
    request_body = InviteUser,
    responses((status = 201, description = "The link", body = Invitation)),
)]
pub(crate) async fn invite(
    State(domain): State<Domain>,
    caller: Caller,
    asked: Asked<InviteUser>,
) -> Result<Response, Problem> {
    let (op, body) = caller.asks(asked);
    let mut flaws = Flaws::default();
    let name = flaws.parse("/name", &body.name);
    let role = flaws.parse("/role", &body.role);
    let (Some(name), Some(role)) = (name, role) else { return Err(flaws.problem()) };
    let project = match body.project {
        Some(project) => Some(domain.project(&op, &project).await?.id),
        None => None,
    };
    let link = domain.invite(&op, &name, role, project).await?;
    let invitation =
        Invitation { id: link.id.to_string(), url: link.url.expose(), expires_at: link.expires_at };
    Ok(json::answer(StatusCode::CREATED, &invitation))
}

impl From<InviteError> for Problem {
    fn from(error: InviteError) -> Self {
        match error {
            InviteError::Refused(refused) => refused.into(),
            InviteError::Scope(_) => Self::invalid(Flaw::at("/role", error)),
        }
    }
}
