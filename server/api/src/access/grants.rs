//! `/api/v1/grants`: roles that are, or were, held for a while.

use axum::{
    extract::{Path, State},
    response::Response,
};
use http::Uri;
use keywarden_domain::{Domain, access::GrantQuery};

use super::AccessGrant;
use crate::{
    caller::Caller,
    json::{self, Asked, Nothing},
    page::{self, Page},
    problem::Problem,
    query::Query,
};

/// List roles that are held for a while
///
/// Newest first: the caller's own, or with `own=false` those of where the caller may see them.
#[utoipa::path(
    get,
    path = "/api/v1/grants",
    tag = "Access",
    operation_id = "listGrants",
    params(
        ("own" = Option<bool>, Query, description = "Only the caller's own, which is usual; `false` for those of where the caller may see them"),
        ("active" = Option<bool>, Query, description = "`true`: only those that are held now"),
        ("limit" = Option<u32>, Query, description = "1 to 200, otherwise 50"),
        ("cursor" = Option<String>, Query, description = "Where the page begins: `next_cursor` of the one before"),
    ),
    responses((status = 200, description = "A page of grants", body = Page<AccessGrant>)),
)]
pub(crate) async fn list(
    State(domain): State<Domain>,
    caller: Caller,
    uri: Uri,
    query: Query,
) -> Result<Response, Problem> {
    let mut query = query.read();
    let wanted = GrantQuery {
        own: query.parse("own").unwrap_or(true),
        active: query.parse("active").unwrap_or(false),
        before: query.parse("cursor"),
        limit: page::limit(&mut query),
    };
    query.end()?;
    let found = domain.access_grants(caller.op(), &wanted).await?;
    let items = found.grants.into_iter().map(AccessGrant::from).collect();
    Ok(page::answer(&uri, &Page { items, next_cursor: found.next.map(|id| id.to_string()) }))
}

/// Show a role that is held for a while
#[utoipa::path(
    get,
    path = "/api/v1/grants/{grant}",
    tag = "Access",
    operation_id = "getGrant",
    params(("grant" = String, Path, description = "`grt_…`")),
    responses((status = 200, description = "The grant", body = AccessGrant)),
)]
pub(crate) async fn show(
    State(domain): State<Domain>,
    caller: Caller,
    Path(grant): Path<String>,
) -> Result<Response, Problem> {
    let id = grant.parse().map_err(|_| Problem::not_found())?;
    Ok(json::ok(&AccessGrant::from(domain.access_grant(caller.op(), id).await?)))
}

/// Give a role back
///
/// Whoever holds it may, and whoever asked for it. It is over at once, on every node.
#[utoipa::path(
    post,
    path = "/api/v1/grants/{grant}/give-back",
    tag = "Access",
    operation_id = "giveBackGrant",
    params(("grant" = String, Path, description = "`grt_…`")),
    responses((status = 200, description = "The grant as it is now", body = AccessGrant)),
)]
pub(crate) async fn give_back(
    State(domain): State<Domain>,
    caller: Caller,
    Path(grant): Path<String>,
    asked: Asked<Nothing>,
) -> Result<Response, Problem> {
    let (op, Nothing {}) = caller.asks(asked);
    let id = grant.parse().map_err(|_| Problem::not_found())?;
    domain.give_back_access(&op, id).await?;
    let after = domain.access_grant(&op, id).await.map_err(Problem::after_all)?;
    Ok(json::ok(&AccessGrant::from(after)))
}

/// Take a role away
///
/// From whoever holds it for a while. It is over at once, on every node.
#[utoipa::path(
    post,
    path = "/api/v1/grants/{grant}/revoke",
    tag = "Access",
    operation_id = "revokeGrant",
    params(("grant" = String, Path, description = "`grt_…`")),
    responses((status = 200, description = "The grant as it is now", body = AccessGrant)),
)]
pub(crate) async fn revoke(
    State(domain): State<Domain>,
    caller: Caller,
    Path(grant): Path<String>,
    asked: Asked<Nothing>,
) -> Result<Response, Problem> {
    let (op, Nothing {}) = caller.asks(asked);
    let id = grant.parse().map_err(|_| Problem::not_found())?;
    domain.revoke_access(&op, id).await?;
    let after = domain.access_grant(&op, id).await.map_err(Problem::after_all)?;
    Ok(json::ok(&AccessGrant::from(after)))
}
