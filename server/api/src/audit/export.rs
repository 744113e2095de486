//! `GET /api/v1/audit/export`

use std::io;

use axum::{Extension, body::Body, extract::State, response::Response};
use chrono::{DateTime, Utc};
use futures_util::{StreamExt as _, stream};
use http::{HeaderValue, header};
use keywarden_domain::{
    Domain,
    audit::{Exported, just_before},
};
use keywarden_model::EventId;

use super::exports::{Exports, IN_ALL, PER_CALLER};
use crate::{
    caller::Caller,
    problem::{Kind, Problem},
    query::Query,
};

/// Export the record as it is stored
///
/// One event in each line, oldest first, in the very bytes that are stored (RFC 8785): for keeping the record where this
/// server is not, and for `keywarden restore apply`. Only for who may read the whole record. `after` goes on where another
/// answer ended; an event that took long to be written may come in before ones that were told already, so ask again for the
/// last minutes and leave out what you have. An answer that breaks off is not whole: go on after its last whole line.
/// A caller may have 2 exports under way and a server 8: one more is answered with 429 and `too-many-exports`.
#[utoipa::path(
    get,
    path = "/api/v1/audit/export",
    tag = "Audit",
    operation_id = "exportEvents",
    params(
        ("after" = Option<String>, Query, description = "Only events with later ids than this one", example = "evt_01JDB2W1N9F6Q3R8T5V7X9Z0AB"),
        ("since" = Option<DateTime<Utc>>, Query, description = "Only events from this instant on"),
    ),
    responses((status = 200, description = "Events, one in each line", body = String, content_type = "application/jsonl")),
)]
pub(crate) async fn export(
    State(domain): State<Domain>,
    Extension(exports): Extension<Exports>,
    caller: Caller,
    query: Query,
) -> Result<Response, Problem> {
    let mut query = query.read();
    let after: Option<EventId> = query.parse("after");
    let since: Option<DateTime<Utc>> = query.parse("since");
    query.end()?;
    let from = after.max(since.map(just_before));
    let place = exports.enter(caller.op().actor.id()).ok_or_else(|| {
        let why = format!(
            "a caller may have {PER_CALLER} exports under way and a server {IN_ALL}: wait until one has ended"
        );
        Problem::new(Kind::TooManyExports, why)
    })?;
    // Refused before it begins: with a status, as everywhere.
    let first = domain.export_events(caller.op(), from).await?;
    let begun = lines(&first);
    let under_way = (domain, caller, place, first.next);
    let rest = stream::try_unfold(under_way, |(domain, caller, place, next)| async move {
        let Some(next) = next else { return Ok(None) };
        match domain.export_events(caller.op(), Some(next)).await {
            Ok(page) => Ok(Some((lines(&page), (domain, caller, place, page.next)))),
            // It breaks off: it must not look whole.
            Err(refused) => {
                tracing::warn!(%refused, "an export of events broke off");
                Err(io::Error::other("the export broke off"))
            }
        }
    });
    let body = stream::once(async { io::Result::Ok(begun) }).chain(rest);
    let mut response = Response::new(Body::from_stream(body));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/jsonl"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

fn lines(page: &Exported) -> Vec<u8> {
    let mut text = Vec::with_capacity(page.events.iter().map(|event| event.len().saturating_add(1)).sum());
    for event in &page.events {
        text.extend_from_slice(event);
        text.push(b'\n');
    }
    text
}
