//! `GET /api/v1/channels`

use axum::{extract::State, response::Response};
use http::Uri;
use keywarden_domain::Domain;

use super::{Channel, owner};
use crate::{
    caller::Caller,
    page::{self, Page},
    problem::Problem,
    query::Query,
};

/// List channels
///
/// All of the organization's, or of the caller's own; oldest first.
#[utoipa::path(
    get,
    path = "/api/v1/channels",
    tag = "Messages",
    operation_id = "listChannels",
    params(("own" = Option<bool>, Query, description = "The caller's own instead")),
    responses((status = 200, description = "The channels", body = Page<Channel>)),
)]
pub(crate) async fn list(
    State(domain): State<Domain>,
    caller: Caller,
    uri: Uri,
    query: Query,
) -> Result<Response, Problem> {
    let mut query = query.read();
    let own = query.parse("own").unwrap_or(false);
    query.end()?;
    let found = domain.channels(caller.op(), owner(caller.op(), own)?).await?;
    let items = found.into_iter().map(Channel::from).collect();
    Ok(page::answer(&uri, &Page::<Channel> { items, next_cursor: None }))
}
