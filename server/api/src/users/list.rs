//! `GET /api/v1/users`

use axum::{extract::State, response::Response};
use http::Uri;
use keywarden_domain::{
    Domain,
    people::{UserFilter, UserState},
};

use super::User;
use crate::{
    caller::Caller,
    page::{self, Page},
    problem::Problem,
    query::Query,
};

/// List people
///
/// By name.
#[utoipa::path(
    get,
    path = "/api/v1/users",
    tag = "People",
    operation_id = "listUsers",
    params(
        ("q" = Option<String>, Query, description = "A part of the name"),
        ("state" = Option<String>, Query, description = "`active` or `deactivated`"),
        ("limit" = Option<u32>, Query, description = "1 to 200, otherwise 50"),
        ("cursor" = Option<String>, Query, description = "Where the page begins: `next_cursor` of the one before"),
    ),
    responses((status = 200, description = "A page of people", body = Page<User>)),
)]
pub(crate) async fn list(
    State(domain): State<Domain>,
    caller: Caller,
    uri: Uri,
    query: Query,
) -> Result<Response, Problem> {
    let mut query = query.read();
    let state = match query.text("state").as_deref() {
        None => None,
        Some("active") => Some(UserState::Active),
        Some("deactivated") => Some(UserState::Deactivated),
        Some(_) => {
            query.refuse("state", "use `active` or `deactivated`");
            None
        }
    };
    let filter = UserFilter { name: query.parse("q"), state };
    let (after, limit) = (query.parse("cursor"), page::limit(&mut query));
    query.end()?;
    let found = domain.list_users(caller.op(), &filter, after, limit).await?;
    let items = found.users.into_iter().map(User::from).collect();
    Ok(page::answer(&uri, &Page { items, next_cursor: found.next.map(|id| id.to_string()) }))
}
