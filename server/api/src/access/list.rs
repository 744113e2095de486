//! `GET /api/v1/access-requests`

use axum::{extract::State, response::Response};
use http::Uri;
use keywarden_domain::{Domain, access::RequestQuery};

use super::AccessRequest;
use crate::{
    caller::Caller,
    page::{self, Page},
    problem::Problem,
    query::Query,
};

/// List requests for access
///
/// Newest first: the caller's own, or with `own=false` those of where the caller may see them.
#[utoipa::path(
    get,
    path = "/api/v1/access-requests",
    tag = "Access",
    operation_id = "listAccessRequests",
    params(
        ("own" = Option<bool>, Query, description = "Only the caller's own, which is usual; `false` for those of where the caller may see them"),
        ("state" = Option<String>, Query, description = "Only `pending`, `active`, `denied`, `ended`, `expired` or `withdrawn` ones"),
        ("limit" = Option<u32>, Query, description = "1 to 200, otherwise 50"),
        ("cursor" = Option<String>, Query, description = "Where the page begins: `next_cursor` of the one before"),
    ),
    responses((status = 200, description = "A page of requests", body = Page<AccessRequest>)),
)]
pub(crate) async fn list(
    State(domain): State<Domain>,
    caller: Caller,
    uri: Uri,
    query: Query,
) -> Result<Response, Problem> {
    let mut query = query.read();
    let wanted = RequestQuery {
        own: query.parse("own").unwrap_or(true),
        state: query.parse("state"),
        before: query.parse("cursor"),
        limit: page::limit(&mut query),
    };
    query.end()?;
    let found = domain.access_requests(caller.op(), &wanted).await?;
    let items = found.requests.into_iter().map(AccessRequest::from).collect();
    Ok(page::answer(&uri, &Page { items, next_cursor: found.next.map(|id| id.to_string()) }))
}
