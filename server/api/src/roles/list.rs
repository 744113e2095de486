//! `GET /api/v1/roles`

use axum::{extract::State, response::Response};
use http::Uri;
use keywarden_domain::Domain;

use super::Role;
use crate::{
    caller::Caller,
    page::{self, Page},
    problem::Problem,
    query::Query,
};

/// List who holds which roles
///
/// Of a project, or of the organization when no project is named; oldest first.
#[utoipa::path(
    get,
    path = "/api/v1/roles",
    tag = "People",
    operation_id = "listRoles",
    params(
        ("project" = Option<String>, Query, description = "Slug or `prj_…`"),
        ("limit" = Option<u32>, Query, description = "1 to 200, otherwise 50"),
        ("cursor" = Option<String>, Query, description = "Where the page begins: `next_cursor` of the one before"),
    ),
    responses((status = 200, description = "A page of roles", body = Page<Role>)),
)]
pub(crate) async fn list(
    State(domain): State<Domain>,
    caller: Caller,
    uri: Uri,
    query: Query,
) -> Result<Response, Problem> {
    let mut query = query.read();
    let project = query.text("project");
    let (after, limit) = (query.parse("cursor"), page::limit(&mut query));
    query.end()?;
    let found = match project {
        Some(project) => {
            let project = domain.project(caller.op(), &project).await?;
            domain.project_roles(caller.op(), project.id, after, limit).await?
        }
        None => domain.organization_roles(caller.op(), after, limit).await?,
    };
    let items = found.bindings.into_iter().map(Role::from).collect();
    Ok(page::answer(&uri, &Page { items, next_cursor: found.next.map(|id| id.to_string()) }))
}
