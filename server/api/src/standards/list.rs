//! `GET /api/v1/standards`

use axum::{extract::State, response::Response};
use http::Uri;
use keywarden_domain::{Domain, standards::StandardQuery};

use super::{Standard, scope};
use crate::{
    caller::Caller,
    page::{self, Page},
    problem::Problem,
    query::Query,
};

/// List standards
///
/// Oldest first; only those that the caller may see.
#[utoipa::path(
    get,
    path = "/api/v1/standards",
    tag = "Standards",
    operation_id = "listStandards",
    params(
        ("project" = Option<String>, Query, description = "Only a project's own: slug or `prj_…`"),
        ("q" = Option<String>, Query, description = "A part of the name"),
        ("state" = Option<String>, Query, description = "Only those with a version that is `active`, `draft`, `in-review`, `superseded` or `withdrawn`"),
        ("limit" = Option<u32>, Query, description = "1 to 200, otherwise 50"),
        ("cursor" = Option<String>, Query, description = "Where the page begins: `next_cursor` of the one before"),
    ),
    responses((status = 200, description = "A page of standards", body = Page<Standard>)),
)]
pub(crate) async fn list(
    State(domain): State<Domain>,
    caller: Caller,
    uri: Uri,
    query: Query,
) -> Result<Response, Problem> {
    let mut query = query.read();
    let project = query.text("project");
    let mut wanted = StandardQuery {
        scope: None,
        state: query.parse("state"),
        search: query.text("q"),
        after: query.parse("cursor"),
        limit: page::limit(&mut query),
    };
    query.end()?;
    if project.is_some() {
        wanted.scope = Some(scope(&domain, caller.op(), project.as_deref()).await?);
    }
    let found = domain.standards(caller.op(), &wanted).await?;
    let items = found.standards.into_iter().map(Standard::from).collect();
    Ok(page::answer(&uri, &Page { items, next_cursor: found.next.map(|id| id.to_string()) }))
}
