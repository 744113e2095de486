//! `POST /api/v1/access-requests`

use axum::{extract::State, response::Response};
use keywarden_domain::{
    Domain,
    access::{NewRequest, Terms},
    roles::Holder,
};
use keywarden_model::{Reason, Role, Ticket, time::seconds};
use serde::Deserialize;
use utoipa::ToSchema;

use super::WholeAccessRequest;
use crate::{
    caller::Caller,
    flaw::Flaws,
    json::{self, Asked, absent},
    problem::Problem,
};

/// What is asked for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateAccessRequest {
    /// `admin` or `auditor` without a project; `manager`, `issuer`, `reader`, `verifier` or `viewer` in one.
    #[schema(example = "issuer")]
    role: String,
    /// Slug or `prj_…`. Whether there is such a project is told to those alone who may see it.
    #[schema(example = "pay")]
    project: Option<String>,
    /// The id of a person of the caller's teams, or of a workload whose tokens the caller may issue; without one it is the caller.
    #[schema(example = json!(null))]
    holder: Option<String>,
    /// For how long: at least 300.
    #[schema(example = 3600)]
    lasts_seconds: i64,
    /// Why, in 3 to 200 characters. It is part of what others sign.
    #[schema(example = "INC-7: payments fail")]
    reason: String,
    /// Where else it is spoken of; up to 120 characters.
    #[serde(default, deserialize_with = "absent")]
    #[schema(example = "INC-7")]
    ticket: String,
}

/// Ask for a role for a while
///
/// It waits until enough people signed it in their browsers, one of them said no, or it is over.
#[utoipa::path(
    post,
    path = "/api/v1/access-requests",
    tag = "Access",
    operation_id = "createAccessRequest",
    request_body = CreateAccessRequest,
    responses((status = 201, description = "The request", body = WholeAccessRequest)),
)]
pub(crate) async fn create(
    State(domain): State<Domain>,
    caller: Caller,
    asked: Asked<CreateAccessRequest>,
) -> Result<Response, Problem> {
    let (op, body) = caller.asks(asked);
    let mut flaws = Flaws::default();
    let role = flaws.parse::<Role>("/role", &body.role);
    let reason = flaws.parse::<Reason>("/reason", &body.reason);
    let ticket = flaws.parse::<Ticket>("/ticket", &body.ticket);
    let holder =
        body.holder.as_deref().map(|id| Holder::parse(id).ok_or("write the id of a person or workload"));
    let holder = flaws.keep("/holder", holder.transpose());
    let (Some(role), Some(reason), Some(ticket), Some(holder)) = (role, reason, ticket, holder) else {
        return Err(flaws.problem());
    };
    let terms = Terms { lasts: seconds(body.lasts_seconds), reason, ticket };
    let id = domain.request_access(&op, NewRequest { role, project: body.project, holder, terms }).await?;
    let shown = domain.access_request(&op, id).await.map_err(Problem::after_all)?;
    Ok(json::created(&format!("/api/v1/access-requests/{id}"), &WholeAccessRequest::from(shown)))
}
