//! `GET /api/v1/teams`

use axum::{extract::State, response::Response};
use http::Uri;
use keywarden_domain::Domain;

use super::Team;
use crate::{
    caller::Caller,
    page::{self, Page},
    problem::Problem,
    query::Query,
};

/// List teams
///
/// By slug.
#[utoipa::path(
    get,
    path = "/api/v1/teams",
    tag = "People",
    operation_id = "listTeams",
    params(
        ("limit" = Option<u32>, Query, description = "1 to 200, otherwise 50"),
        ("cursor" = Option<String>, Query, description = "Where the page begins: `next_cursor` of the one before"),
    ),
    responses((status = 200, description = "A page of teams", body = Page<Team>)),
)]
pub(crate) async fn list(
    State(domain): State<Domain>,
    caller: Caller,
    uri: Uri,
    query: Query,
) -> Result<Response, Problem> {
    let mut query = query.read();
    let (after, limit) = (query.text("cursor"), page::limit(&mut query));
    query.end()?;
    let found = domain.teams(caller.op(), after.as_deref(), limit).await?;
    let items = found.teams.into_iter().map(Team::from).collect();
    Ok(page::answer(&uri, &Page::<Team> { items, next_cursor: found.next }))
}
