//! Moments: the absolute one in UTC and how far away it is, both always.

use chrono::{DateTime, Datelike as _, Utc};
use leptos::prelude::*;

use super::words;
use crate::{
    islands::distance::{Distance, Unit},
    text::Text,
};

/// A moment, or "never". The distance counts from the page's instant and is kept fresh by an island.
#[component]
pub fn Time(
    #[prop(into)] at: Option<DateTime<Utc>>,
    /// What to say if there is no such moment, instead of "never".
    #[prop(optional, into)]
    otherwise: Option<String>,
) -> impl IntoView {
    let words = words();
    let Some(at) = at else {
        let never = otherwise.unwrap_or_else(|| words.text.moment_never().to_owned());
        return view! { <span class="time-never">{never}</span> }.into_any();
    };
    let machine = at.format("%Y-%m-%dT%H:%M:%SZ").to_string();
    let exact = at.format("%Y-%m-%d %H:%M:%S UTC").to_string();
    view! {
        <time class="time" class:time-far=is_far(at, words.now) datetime=machine title=exact data-at=at.timestamp()>
            <span>{day(words.text, at, words.now)}</span>
            " "
            <span class="time-clock">{clock(at)}</span>
            " "
            <span class="time-distance">{relative(words.text, at, words.now)}</span>
        </time>
    }
    .into_any()
}

/// `25 Nov 14:00 UTC`; with its year where that is not this one.
pub fn absolute(t: Text, at: DateTime<Utc>, now: DateTime<Utc>) -> String {
    format!("{} {}", day(t, at, now), clock(at))
}

fn day(t: Text, at: DateTime<Utc>, now: DateTime<Utc>) -> String {
    if at.year() == now.year() { t.day(at) } else { t.day_of(at) }
}

/// `14:00 UTC`.
pub fn clock(at: DateTime<Utc>) -> String {
    at.format("%H:%M UTC").to_string()
}

/// So far away that a list needs no time of day; it is in the title, and on the thing's own page.
fn is_far(at: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    Distance::between(at.timestamp(), now.timestamp()).unit == Unit::Days
}

/// `3 h ago`, `in 12 d`.
pub fn relative(t: Text, at: DateTime<Utc>, now: DateTime<Utc>) -> String {
    let Distance { past, unit, count } = Distance::between(at.timestamp(), now.timestamp());
    let n = count.to_string();
    match (past, unit) {
        (_, Unit::Now) => t.moment_now().to_owned(),
        (true, Unit::Seconds) => t.moment_seconds_ago(&n),
        (true, Unit::Minutes) => t.moment_minutes_ago(&n),
        (true, Unit::Hours) => t.moment_hours_ago(&n),
        (true, Unit::Days) => t.moment_days_ago(&n),
        (false, Unit::Seconds) => t.moment_in_seconds(&n),
        (false, Unit::Minutes) => t.moment_in_minutes(&n),
        (false, Unit::Hours) => t.moment_in_hours(&n),
        (false, Unit::Days) => t.moment_in_days(&n),
    }
}
