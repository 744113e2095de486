//! `GET /api/v1/deliveries`

use axum::{extract::State, response::Response};
use http::Uri;
use keywarden_domain::{Domain, messages::DeliveryQuery};

use super::Delivery;
use crate::{
    caller::Caller,
    page::{self, Page},
    problem::Problem,
    query::Query,
};

/// List deliveries
///
/// Newest first: of the organization's channels, of one channel, or of the caller's own.
#[utoipa::path(
    get,
    path = "/api/v1/deliveries",
    tag = "Messages",
    operation_id = "listDeliveries",
    params(
        ("channel" = Option<String>, Query, description = "Only of this channel: `chn_…`"),
        ("own" = Option<bool>, Query, description = "Of the caller's own channels instead"),
        ("state" = Option<String>, Query, description = "Only those that are `dead`, `delivered` or `waiting`"),
        ("limit" = Option<u32>, Query, description = "1 to 200, otherwise 50"),
        ("cursor" = Option<String>, Query, description = "Where the page begins: `next_cursor` of the one before"),
    ),
    responses((status = 200, description = "A page of deliveries", body = Page<Delivery>)),
)]
pub(crate) async fn list(
    State(domain): State<Domain>,
    caller: Caller,
    uri: Uri,
    query: Query,
) -> Result<Response, Problem> {
    let mut query = query.read();
    let wanted = DeliveryQuery {
        own: query.parse("own").unwrap_or(false),
        channel: query.parse("channel"),
        state: query.parse("state"),
        before: query.parse("cursor"),
        limit: page::limit(&mut query),
    };
    query.end()?;
    let found = domain.deliveries(caller.op(), &wanted).await?;
    let items = found.deliveries.into_iter().map(Delivery::from).collect();
    Ok(page::answer(&uri, &Page { items, next_cursor: found.next.map(|id| id.to_string()) }))
}
