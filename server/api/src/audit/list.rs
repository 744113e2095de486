//! `GET /api/v1/audit`

use axum::{extract::State, response::Response};
use http::Uri;
use keywarden_domain::{Domain, audit};

use super::Event;
use crate::{
    caller::Caller,
    page::{self, Page},
    problem::Problem,
    query::Query,
};

/// List what happened
///
/// Newest first. Only events of projects whose record the caller may read.
#[utoipa::path(
    get,
    path = "/api/v1/audit",
    tag = "Audit",
    operation_id = "listEvents",
    params(
        ("action" = Option<String>, Query, description = "The action's name, or a prefix that ends in `.`; up to twenty of them between commas", example = "key.,secret.read"),
        ("actor" = Option<String>, Query, description = "The actor's id"),
        ("resource" = Option<String>, Query, description = "The thing's id"),
        ("project" = Option<String>, Query, description = "Slug or `prj_…`"),
        ("outcome" = Option<String>, Query, description = "`allowed`, `refused` or `failed`"),
        ("since" = Option<chrono::DateTime<chrono::Utc>>, Query, description = "From this instant on"),
        ("until" = Option<chrono::DateTime<chrono::Utc>>, Query, description = "Before this instant"),
        ("limit" = Option<u32>, Query, description = "1 to 200, otherwise 50"),
        ("cursor" = Option<String>, Query, description = "Where the page begins: `next_cursor` of the one before"),
    ),
    responses((status = 200, description = "A page of events", body = Page<Event>)),
)]
pub(crate) async fn list(
    State(domain): State<Domain>,
    caller: Caller,
    uri: Uri,
    query: Query,
) -> Result<Response, Problem> {
    let mut query = query.read();
    let project = query.text("project");
    let mut wanted = audit::Query {
        action: query.text("action"),
        actor: query.text("actor"),
        resource: query.text("resource"),
        project: None,
        outcome: query.text("outcome"),
        since: query.parse("since"),
        until: query.parse("until"),
        before: query.parse("cursor"),
        limit: page::limit(&mut query),
    };
    query.end()?;
    if let Some(project) = project {
        wanted.project = Some(domain.project(caller.op(), &project).await?.id);
    }
    let found = domain.events(caller.op(), &wanted).await?;
    let items = found.events.into_iter().map(Event::from).collect();
    Ok(page::answer(&uri, &Page { items, next_cursor: found.next.map(|id| id.to_string()) }))
}
