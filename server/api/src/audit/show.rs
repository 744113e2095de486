//! `GET /api/v1/audit/{event}`

use axum::{extract::State, response::Response};
use keywarden_domain::Domain;
use keywarden_model::EventId;

use super::Event;
use crate::{at::At, caller::Caller, json, problem::Problem};

/// Show one event
#[utoipa::path(
    get,
    path = "/api/v1/audit/{event}",
    tag = "Audit",
    operation_id = "showEvent",
    params(("event" = String, Path, description = "`evt_…`")),
    responses((status = 200, description = "The event", body = Event)),
)]
pub(crate) async fn show(
    State(domain): State<Domain>,
    caller: Caller,
    At(event): At<EventId>,
) -> Result<Response, Problem> {
    let event = domain.event(caller.op(), event).await?;
    Ok(json::ok(&Event::from(event)))
}
