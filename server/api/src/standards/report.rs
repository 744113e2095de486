//! `GET /api/v1/standards/{standard}/versions/{version}/report` and `…/tally`

use axum::{extract::State, response::Response};
use http::Uri;
use keywarden_domain::{
    Domain,
    standards::{Demand, Found, Thing},
};
use keywarden_model::StandardRule;
use serde::Serialize;
use utoipa::ToSchema;

use super::{Place, check::StandardTally};
use crate::{
    caller::Caller,
    json,
    page::{self, Page},
    problem::Problem,
    query::Query,
};

/// Something that breaks a standard.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BreaksStandard {
    /// `env_…`, `key_…` or `sec_…`.
    #[schema(example = "key_01JDB2W1N9F6Q3R8T5V7X9Z0AB")]
    id: String,
    /// A key's name, or a secret's path.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "Checkout")]
    name: Option<String>,
    /// The project's slug.
    #[schema(example = "pay")]
    project: String,
    /// The environment's slug.
    #[schema(example = "production")]
    environment: String,
    /// What is asked for and not so.
    demands: Vec<StandardDemand>,
}

/// Something that is asked for and not so.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StandardDemand {
    /// `key-lifetime`, `key-name`, `key-rotation`, `owner`, `reason`, `scope`, `secret-name`, `secret-rotation` or `tag`.
    #[schema(example = "tag")]
    rule: &'static str,
    /// What is asked for, and what to do.
    #[schema(example = "the tag `cost` is asked for here, add it")]
    detail: String,
}

impl From<Demand> for StandardDemand {
    fn from(demand: Demand) -> Self {
        Self { rule: demand.rule().map_or("unreadable", StandardRule::as_str), detail: demand.to_string() }
    }
}

impl From<Found> for BreaksStandard {
    fn from(found: Found) -> Self {
        let (id, name) = match found.thing {
            Thing::Environment(id) => (id.to_string(), None),
            Thing::Key(id, name) => (id.to_string(), Some(name)),
            Thing::Secret(id, path) => (id.to_string(), Some(path)),
        };
        Self {
            id,
            name,
            project: found.project_slug,
            environment: found.environment_slug,
            demands: found.demands.into_iter().map(StandardDemand::from).collect(),
        }
    }
}

/// List what breaks a version of a standard
///
/// Environments first, then keys, then secrets; only those that the caller may see. A page may be empty and have a next one:
/// each looks at 2 000 things at the most.
#[utoipa::path(
    get,
    path = "/api/v1/standards/{standard}/versions/{version}/report",
    tag = "Standards",
    operation_id = "reportStandard",
    params(
        ("standard" = String, Path, description = "`std_…`"),
        ("version" = i64, Path, description = "Its number"),
        ("limit" = Option<u32>, Query, description = "1 to 200, otherwise 50"),
        ("cursor" = Option<String>, Query, description = "Where the page begins: `next_cursor` of the one before"),
    ),
    responses((status = 200, description = "A page of what breaks it", body = Page<BreaksStandard>)),
)]
pub(crate) async fn report(
    State(domain): State<Domain>,
    caller: Caller,
    place: Place,
    uri: Uri,
    query: Query,
) -> Result<Response, Problem> {
    let mut query = query.read();
    let (after, limit) = (query.parse("cursor"), page::limit(&mut query));
    query.end()?;
    let Place { standard, version } = place;
    let found = domain.standard_report(caller.op(), standard, version, after, limit).await?;
    let items = found.found.into_iter().map(BreaksStandard::from).collect();
    Ok(page::answer(&uri, &Page { items, next_cursor: found.next.map(|it| it.to_string()) }))
}

/// Count what breaks a version of a standard
#[utoipa::path(
    get,
    path = "/api/v1/standards/{standard}/versions/{version}/tally",
    tag = "Standards",
    operation_id = "tallyStandard",
    params(
        ("standard" = String, Path, description = "`std_…`"),
        ("version" = i64, Path, description = "Its number"),
    ),
    responses((status = 200, description = "How many things break it", body = StandardTally)),
)]
pub(crate) async fn tally(
    State(domain): State<Domain>,
    caller: Caller,
    place: Place,
) -> Result<Response, Problem> {
    let Place { standard, version } = place;
    let tally = domain.standard_tally(caller.op(), standard, version).await?;
    Ok(json::ok(&StandardTally::from(tally)))
}
