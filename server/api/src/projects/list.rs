//! `GET /api/v1/projects`

use axum::{extract::State, response::Response};
use http::Uri;
use keywarden_domain::{Domain, projects::ProjectQuery};

use super::Project;
use crate::{
    caller::Caller,
    page::{self, Page},
    problem::Problem,
    query::Query,
};

/// List projects
///
/// By slug; only those that the caller may see.
#[utoipa::path(
    get,
    path = "/api/v1/projects",
    tag = "Projects",
    operation_id = "listProjects",
    params(
        ("q" = Option<String>, Query, description = "A part of the name or slug"),
        ("archived" = Option<bool>, Query, description = "Archived ones too"),
        ("limit" = Option<u32>, Query, description = "1 to 200, otherwise 50"),
        ("cursor" = Option<String>, Query, description = "Where the page begins: `next_cursor` of the one before"),
    ),
    responses((status = 200, description = "A page of projects", body = Page<Project>)),
)]
pub(crate) async fn list(
    State(domain): State<Domain>,
    caller: Caller,
    uri: Uri,
    query: Query,
) -> Result<Response, Problem> {
    let mut query = query.read();
    let wanted = ProjectQuery {
        archived: query.parse("archived").unwrap_or(false),
        search: query.text("q"),
        after: query.text("cursor"),
        limit: page::limit(&mut query),
    };
    query.end()?;
    let found = domain.projects(caller.op(), &wanted).await?;
    let items = found.projects.into_iter().map(|listed| listed.project.into()).collect();
    Ok(page::answer(&uri, &Page::<Project> { items, next_cursor: found.next }))
}
