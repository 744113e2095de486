//! The audit record: found, read, taken away as CSV.

mod export;
mod list;
mod show;

use axum::{Router, routing::get};
use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use keywarden_domain::{Op, Refused, audit::Query};
use keywarden_model::time;

pub(super) use export::cell_of;
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

/// Why there is nothing to look for.
enum Unasked {
    /// The parameter of this name cannot be read. Left out, the list would be wider than its chips say.
    Filter(&'static str),
    Refused(Refused),
}

async fn query(house: &House, op: &Op, params: &Params, limit: u32) -> Result<Query, Unasked> {
    let project = match params.text("project") {
        "" => None,
        slug => Some(house.domain.project(op, slug).await.map_err(Unasked::Refused)?.id),
    };
    Ok(Query {
        action: params.some("action"),
        actor: params.some("actor"),
        // What is typed into the search field is a thing's id.
        resource: params.some("resource").or_else(|| params.some("q")),
        project,
        outcome: params.some("outcome"),
        since: read(params, "since", since)?,
        until: read(params, "until", until)?,
        before: read(params, "after", |text| text.parse().ok())?,
        limit,
    })
}

/// A filter that nobody can read must never widen to everything.
fn read<T>(
    params: &Params,
    name: &'static str,
    read: impl Fn(&str) -> Option<T>,
) -> Result<Option<T>, Unasked> {
    match params.text(name) {
        "" => Ok(None),
        text => read(text).map(Some).ok_or(Unasked::Filter(name)),
    }
}

/// A minute or second in UTC as browsers write it, or a whole RFC 3339 instant.
fn moment(text: &str) -> Option<DateTime<Utc>> {
    ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]
        .into_iter()
        .find_map(|form| NaiveDateTime::parse_from_str(text, form).ok())
        .map(|it| it.and_utc())
        .or_else(|| time::instant(text))
}

/// From a moment on, or from a day's beginning.
fn since(text: &str) -> Option<DateTime<Utc>> {
    moment(text).or_else(|| midnight(day(text)?))
}

/// Until a moment, or until a day's end.
fn until(text: &str) -> Option<DateTime<Utc>> {
    moment(text).or_else(|| midnight(day(text)?.succ_opt()?))
}

fn day(text: &str) -> Option<NaiveDate> {
    NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()
}

fn midnight(day: NaiveDate) -> Option<DateTime<Utc>> {
    Some(day.and_hms_opt(0, 0, 0)?.and_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(query: &str) -> Result<[Option<DateTime<Utc>>; 2], &'static str> {
        let params = Params::parse(query);
        match (read(&params, "since", since), read(&params, "until", until)) {
            (Ok(since), Ok(until)) => Ok([since, until]),
            (Err(Unasked::Filter(name)), _) | (_, Err(Unasked::Filter(name))) => Err(name),
            _ => unreachable!(),
        }
    }

    #[test]
    fn moments_are_read_as_browsers_and_machines_write_them() {
        assert_eq!(moment("2026-11-25T14:00").map(|it| it.timestamp()), Some(1_795_615_200));
        assert_eq!(moment("2026-11-25T15:00:00+01:00"), moment("2026-11-25T14:00"));
        assert_eq!(moment("2026-11-25T14:00:00"), moment("2026-11-25T14:00"));
        assert_eq!(moment("yesterday"), None);
    }

    #[test]
    fn a_day_counts_whole_and_what_nobody_can_read_is_said() {
        let whole = asked("since=2026-11-25&until=2026-11-25");
        assert_eq!(whole, Ok([moment("2026-11-25T00:00"), moment("2026-11-26T00:00")]));
        assert_eq!(asked("since=&until="), Ok([None, None]));
        for wrong in ["yesterday", "2026-13-01", "2026-11-25T25:00", "25.11.2026", "0"] {
            assert_eq!(asked(&format!("since={wrong}")), Err("since"), "{wrong}");
            assert_eq!(asked(&format!("until={wrong}")), Err("until"), "{wrong}");
        }
    }
}
