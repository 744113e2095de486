//! The audit record: found, read, taken away as CSV.

mod export;
mod list;
mod show;

use axum::{Router, routing::get};
use chrono::{DateTime, NaiveDateTime, Utc};
use keywarden_domain::{Op, Refused, audit::Query};

pub(super) use list::{outcome, who};

use crate::{context::House, form::Params};

pub(crate) fn routes() -> Router<House> {
    Router::new()
        .route("/audit", get(list::list))
        .route("/audit.csv", get(export::csv))
        .route("/audit/{id}", get(show::show))
}

/// The filters of both the list and its export, by parameter.
const FILTERS: [&str; 7] = ["action", "actor", "resource", "project", "outcome", "since", "until"];

async fn query(house: &House, op: &Op, params: &Params, limit: u32) -> Result<Query, Refused> {
    let project = match params.text("project") {
        "" => None,
        slug => Some(house.domain.project(op, slug).await?.id),
    };
    Ok(Query {
        action: params.some("action"),
        actor: params.some("actor"),
        // What is typed into the search field is a thing's id.
        resource: params.some("resource").or_else(|| params.some("q")),
        project,
        outcome: params.some("outcome"),
        since: moment(params.text("since")),
        until: moment(params.text("until")),
        before: params.read("after"),
        limit,
    })
}

/// A minute in UTC as browsers write it, or a whole RFC 3339 instant.
fn moment(text: &str) -> Option<DateTime<Utc>> {
    NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M")
        .map(|it| it.and_utc())
        .ok()
        .or_else(|| DateTime::parse_from_rfc3339(text).map(|it| it.to_utc()).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_as_browsers_and_machines_write_them() {
        assert_eq!(moment("2026-11-25T14:00").map(|it| it.timestamp()), Some(1_795_615_200));
        assert_eq!(moment("2026-11-25T15:00:00+01:00"), moment("2026-11-25T14:00"));
        assert_eq!(moment("yesterday"), None);
    }
}
