//! `GET /api/v1/workloads`

use axum::{extract::State, response::Response};
use http::Uri;
use keywarden_domain::{Domain, workloads::WorkloadQuery};

use super::Workload;
use crate::{
    caller::Caller,
    page::{self, Page},
    problem::Problem,
    query::Query,
};

/// List workloads
///
/// Oldest first; only those that the caller may see.
#[utoipa::path(
    get,
    path = "/api/v1/workloads",
    tag = "Workloads",
    operation_id = "listWorkloads",
    params(
        ("project" = Option<String>, Query, description = "Slug or `prj_…`"),
        ("q" = Option<String>, Query, description = "A part of the name"),
        ("deactivated" = Option<bool>, Query, description = "Deactivated ones too"),
        ("token_ends_within_days" = Option<u32>, Query, description = "Only those with a token that ends so soon: 1 to 365"),
        ("limit" = Option<u32>, Query, description = "1 to 200, otherwise 50"),
        ("cursor" = Option<String>, Query, description = "Where the page begins: `next_cursor` of the one before"),
    ),
    responses((status = 200, description = "A page of workloads", body = Page<Workload>)),
)]
pub(crate) async fn list(
    State(domain): State<Domain>,
    caller: Caller,
    uri: Uri,
    query: Query,
) -> Result<Response, Problem> {
    let mut query = query.read();
    let project = query.text("project");
    let days = query.parse("token_ends_within_days");
    if days.is_some_and(|days| !(1..=365).contains(&days)) {
        query.refuse("token_ends_within_days", "use a whole number from 1 to 365");
    }
    let mut wanted = WorkloadQuery {
        project: None,
        deactivated: query.parse("deactivated").unwrap_or(false),
        search: query.text("q"),
        token_ends_within_days: days,
        after: query.parse("cursor"),
        limit: page::limit(&mut query),
    };
    query.end()?;
    if let Some(project) = project {
        wanted.project = Some(domain.project(caller.op(), &project).await?.id);
    }
    let found = domain.workloads(caller.op(), &wanted).await?;
    let items = found.workloads.into_iter().map(Workload::from).collect();
    Ok(page::answer(&uri, &Page { items, next_cursor: found.next.map(|id| id.to_string()) }))
}
