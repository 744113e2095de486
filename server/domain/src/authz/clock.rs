//! What clocks show at places on earth, for policies that speak of office hours there.
//!
//! A policy asks `context.clock.getTag("Europe/Berlin")` for the weekday and for the time on the wall there; both are worked out
//! from the moment of the question by the rules of the IANA's database that this program was built with, so that summer time
//! comes and goes by itself. Only the zones that policies in force name are worked out.

use cedar_policy::{Entity, RestrictedExpression};
use chrono::{DateTime, Datelike, Timelike, Utc};
use chrono_tz::Tz;

use super::rules::Types;

/// The one clock that there is.
pub(super) const ID: &str = "now";

/// The zone of that name, in the one spelling that it has: `Europe/Berlin`.
pub fn zone(name: &str) -> Option<Tz> {
    name.parse::<Tz>().ok().filter(|it| it.name() == name)
}

/// Every zone's name, in alphabetical order: for completing what somebody types.
pub fn zones() -> impl Iterator<Item = &'static str> {
    chrono_tz::TZ_VARIANTS.iter().map(|it| it.name())
}

/// The weekday there, 1 on Mondays, and what the clock on the wall shows in milliseconds since its midnight. When clocks are
/// put forward some times are not shown that day, and when they are put back some are shown twice.
pub(super) fn wall(zone: Tz, now: DateTime<Utc>) -> (i64, i64) {
    let there = now.with_timezone(&zone);
    let seconds = i64::from(there.num_seconds_from_midnight());
    let millis = i64::from(now.timestamp_subsec_millis()).min(999);
    (there.weekday().number_from_monday().into(), seconds.saturating_mul(1_000).saturating_add(millis))
}

/// The same in words, as people read it: `Monday 09:30`; `None` where there is no such zone.
pub(crate) fn shown(zone_name: &str, now: DateTime<Utc>) -> Option<String> {
    Some(now.with_timezone(&zone(zone_name)?).format("%A %H:%M").to_string())
}

/// The clock, with what it shows in these zones. Those that there are not, it does not show.
pub(super) fn entity<'a>(
    types: &Types,
    zones: impl Iterator<Item = &'a String>,
    now: DateTime<Utc>,
) -> Result<Entity, Box<dyn std::error::Error>> {
    let mut shown = Vec::new();
    for name in zones {
        let Some(zone) = zone(name) else { continue };
        let (weekday, time) = wall(zone, now);
        let record = RestrictedExpression::new_record([
            ("weekday".to_owned(), RestrictedExpression::new_long(weekday)),
            ("time".to_owned(), RestrictedExpression::new_duration(format!("{time}ms"))),
        ])?;
        shown.push((name.clone(), record));
    }
    Ok(Entity::new_with_tags(types.uid(&types.clock, ID), [], [], shown)?)
}
