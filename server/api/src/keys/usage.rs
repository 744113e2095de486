//! `GET /api/v1/keys/{key}/usage`

use axum::{extract::State, response::Response};
use chrono::{DateTime, TimeDelta, Utc};
use keywarden_domain::{
    Domain,
    keys::{Step, UsagePoint},
};
use keywarden_model::{
    ApiKeyId,
    time::{earlier, later},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{at::At, caller::Caller, json, page::Page, problem::Problem, query::Query};

/// How often a key was used in one step of time.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Used {
    /// When the step begins.
    at: DateTime<Utc>,
    /// Found valid.
    valid: u64,
    /// Refused for any reason.
    refused: u64,
}

/// See how often a key was used
///
/// A point for each hour or day, quiet ones too; behind by seconds, kept 400 days.
#[utoipa::path(
    get,
    path = "/api/v1/keys/{key}/usage",
    tag = "Keys",
    operation_id = "keyUsage",
    params(
        ("key" = String, Path, description = "`key_…`"),
        ("step" = Option<String>, Query, description = "`hour` or `day`; the latter if absent"),
        ("from" = Option<chrono::DateTime<chrono::Utc>>, Query, description = "From this instant on; otherwise the last 30 days"),
        ("until" = Option<chrono::DateTime<chrono::Utc>>, Query, description = "Before this instant; otherwise now"),
    ),
    responses((status = 200, description = "The points, oldest first", body = Page<Used>)),
)]
pub(crate) async fn usage(
    State(domain): State<Domain>,
    caller: Caller,
    At(key): At<ApiKeyId>,
    query: Query,
) -> Result<Response, Problem> {
    let mut query = query.read();
    let now = caller.op().now;
    let until = query.parse("until").unwrap_or(now).min(later(now, TimeDelta::days(1)));
    let from = query.parse("from").unwrap_or(earlier(until, TimeDelta::days(30)));
    let step = match query.text("step").as_deref() {
        None | Some("day") => Step::Day,
        Some("hour") => Step::Hour,
        Some(_) => {
            query.refuse("step", "use `hour` or `day`");
            Step::Day
        }
    };
    if from >= until {
        query.refuse("from", "begin before `until`, and not in the future");
    }
    query.end()?;
    let points = domain.key_usage(caller.op(), key, from, until, step).await?;
    Ok(json::ok(&Page { items: points.into_iter().map(Used::from).collect(), next_cursor: None }))
}

impl From<UsagePoint> for Used {
    fn from(point: UsagePoint) -> Self {
        Self { at: point.at, valid: point.valid, refused: point.refused }
    }
}
