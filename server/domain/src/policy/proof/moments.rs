//! Moments that can be, near the one that a solver found: its addresses may be whole networks, and its days of the week and its
//! clocks others than its dates have.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use cedar_policy::{Context, Entities, EvalResult};
use chrono::{DateTime, Datelike, NaiveTime, TimeDelta, TimeZone, Utc};

use crate::authz::{Circumstances, SignInMethod, zone};

/// The moments that a request's context may stand for, the likeliest first: those of these days before the solver's own, which
/// may be two hundred years ahead. What a context knows besides, no moment has: a policy that asks for it fails, and shows nothing.
pub(super) fn moments(
    context: &Context,
    entities: &Entities,
    today: DateTime<Utc>,
) -> Option<Vec<Circumstances>> {
    let Some(EvalResult::Long(weekday)) = context.get("weekday") else { return None };
    let Some(EvalResult::String(method)) = context.get("signInMethod") else { return None };
    let Some(EvalResult::ExtensionValue(now)) = context.get("now") else { return None };
    let is = |name: &str| matches!(context.get(name), Some(EvalResult::Bool(true)));
    let now = instant(&now)?;
    let passkey_age = match context.get("passkeyAge") {
        Some(EvalResult::Long(age)) => Some(age),
        _ => None,
    };
    let addresses = match context.get("address") {
        Some(EvalResult::ExtensionValue(text)) => {
            // One address has one spelling, as decisions see it.
            addresses(&text)?.into_iter().map(|it| Some(it.to_canonical())).collect()
        }
        _ => vec![None],
    };
    let mut instants = Vec::new();
    for day in [today.date_naive(), now.date_naive()] {
        let at = day.and_time(now.time()).and_utc();
        instants.extend(days(at, weekday).chain([at]));
        instants.extend(clocks(context, entities).flat_map(|clock| clock.shows(at)));
    }
    let method = SignInMethod::named(&method)?;
    let mut moments: Vec<Circumstances> = Vec::new();
    for now in instants {
        // Each once.
        if moments.iter().any(|it| it.now == now) {
            continue;
        }
        moments.extend(addresses.iter().map(|address| Circumstances {
            recovering: is("recovering"),
            now,
            address: *address,
            passkey_age,
            method,
            reason: is("reasonGiven"),
        }));
    }
    Some(moments)
}

/// The same time of the next such day of the week, and of the one before that.
fn days(at: DateTime<Utc>, weekday: i64) -> impl Iterator<Item = DateTime<Utc>> {
    let from = i64::from(at.weekday().number_from_monday());
    let ahead = weekday.checked_sub(from).map(|it| it.rem_euclid(7));
    let both = ahead.into_iter().flat_map(|it| [it, it.saturating_sub(7)]);
    both.filter_map(move |days| at.checked_add_signed(TimeDelta::try_days(days)?))
}

/// What a solver's clock shows in a zone.
struct Clock {
    zone: chrono_tz::Tz,
    weekday: i64,
    time: NaiveTime,
}

impl Clock {
    /// When a clock there shows it: on the next such day, and on the one before that. Some days skip an hour.
    fn shows(&self, at: DateTime<Utc>) -> Vec<DateTime<Utc>> {
        let there = at.with_timezone(&self.zone).date_naive().and_time(NaiveTime::MIN).and_utc();
        let shown = days(there, self.weekday).filter_map(|day| {
            let wall = day.date_naive().and_time(self.time);
            Some(self.zone.from_local_datetime(&wall).earliest()?.to_utc())
        });
        shown.collect()
    }
}

/// The clocks of a request.
fn clocks<'a>(context: &Context, entities: &'a Entities) -> impl Iterator<Item = Clock> + 'a {
    let clock = match context.get("clock") {
        Some(EvalResult::EntityUid(uid)) => entities.get(&uid),
        _ => None,
    };
    let tags = clock.into_iter().flat_map(cedar_policy::Entity::tags);
    tags.filter_map(|(name, shown)| {
        let Ok(EvalResult::Record(shown)) = shown else { return None };
        let Some(EvalResult::Long(weekday)) = shown.get("weekday") else { return None };
        let Some(EvalResult::ExtensionValue(time)) = shown.get("time") else { return None };
        let millis: u32 = quoted(time).last()?.strip_suffix("ms")?.parse().ok()?;
        let nanos = (millis % 1_000).checked_mul(1_000_000)?;
        let time = NaiveTime::from_num_seconds_from_midnight_opt(millis / 1_000, nanos)?;
        Some(Clock { zone: zone(name)?, weekday: *weekday, time })
    })
}

/// What stands in quotation marks: the arguments of the calls that make a value.
fn quoted(text: &str) -> Vec<&str> {
    text.split('"').skip(1).step_by(2).collect()
}

/// From `datetime("1970-01-01").offset(duration("12ms"))`, as solvers have it, or `datetime("2026-11-30T08:00:00Z")`.
fn instant(text: &str) -> Option<DateTime<Utc>> {
    let last = *quoted(text).last()?;
    match last.strip_suffix("ms") {
        Some(millis) => DateTime::from_timestamp_millis(millis.parse().ok()?),
        None => DateTime::parse_from_rfc3339(last).ok().map(|it| it.to_utc()),
    }
}

/// From `ip("10.0.0.0/8")`: the last address of it, the first and the one that is written.
fn addresses(text: &str) -> Option<Vec<IpAddr>> {
    let text = *quoted(text).first()?;
    let (address, prefix) = text.split_once('/').map_or((text, None), |(it, prefix)| (it, Some(prefix)));
    let address: IpAddr = address.parse().ok()?;
    let Some(prefix) = prefix else { return Some(vec![address]) };
    let prefix: u32 = prefix.parse().ok()?;
    let (first, last) = match address {
        IpAddr::V4(it) => {
            let hosts = u32::MAX.checked_shr(prefix).unwrap_or_default();
            let bits = u32::from(it);
            (Ipv4Addr::from(bits & !hosts).into(), Ipv4Addr::from(bits | hosts).into())
        }
        IpAddr::V6(it) => {
            let hosts = u128::MAX.checked_shr(prefix).unwrap_or_default();
            let bits = u128::from(it);
            (Ipv6Addr::from(bits & !hosts).into(), Ipv6Addr::from(bits | hosts).into())
        }
    };
    let mut all: Vec<IpAddr> = vec![last, first, address];
    all.dedup();
    Some(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_solvers_values_are_read() {
        let at = instant(r#"(datetime("1970-01-01")).offset(duration("1600000000000ms"))"#).unwrap();
        assert_eq!(at.to_rfc3339(), "2020-09-13T12:26:40+00:00");
        assert_eq!(instant(r#"datetime("1970-01-01")"#), None);
        let all = |text: &str| addresses(text).unwrap().iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(all(r#"ip("10.1.2.3/8")"#), ["10.255.255.255", "10.0.0.0", "10.1.2.3"]);
        assert_eq!(all(r#"ip("10.1.2.3/32")"#), ["10.1.2.3"]);
        assert_eq!(all(r#"ip("0.0.0.0/0")"#), ["255.255.255.255", "0.0.0.0"]);
        assert_eq!(all(r#"ip("2001:db8::/32")"#), ["2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db8::"]);
    }

    #[test]
    fn a_clock_shows_what_it_should_on_a_day_that_follows() {
        let now = DateTime::parse_from_rfc3339("2026-11-30T12:00:00Z").unwrap().to_utc();
        let clock = Clock {
            zone: zone("Europe/Berlin").unwrap(),
            weekday: 7,
            time: NaiveTime::from_hms_opt(9, 30, 0).unwrap(),
        };
        let told: Vec<_> = clock.shows(now).iter().map(DateTime::to_rfc3339).collect();
        assert_eq!(told, ["2026-12-06T08:30:00+00:00", "2026-11-29T08:30:00+00:00"]);
        // Clocks are put forward from two to three that night.
        let now = DateTime::parse_from_rfc3339("2027-03-28T00:00:00Z").unwrap().to_utc();
        let clock = Clock { time: NaiveTime::from_hms_opt(2, 30, 0).unwrap(), ..clock };
        let told: Vec<_> = clock.shows(now).iter().map(DateTime::to_rfc3339).collect();
        assert_eq!(told, ["2027-03-21T01:30:00+00:00"]);
    }
}
