use chrono::{DateTime, TimeDelta, Utc};
use keywarden_domain::{
    Domain,
    system::{CLOCK_ALARM, ClockError},
};
use keywarden_store::{MigrateError, OpenError, SCHEMA_VERSION, Store};

use super::Check;
use crate::{
    config::{Config, Database},
    wire,
};

const DATABASE: &str = "database";
const CLOCK: &str = "clock";
const SET: &str = "set this machine's clock (NTP)";
const ACCEPT: &str = "set this machine's clock (NTP); if it is right, another ran ahead once: start a server once with \
                      `keywarden serve --accept-clock` and the instant that was written";

/// The database answers and has this version's schema. Nothing is made or migrated.
pub(super) async fn database(config: &Config) -> (Check, Option<Store>) {
    let shown = config.database.shown();
    if let Database::Sqlite(path) = &config.database
        && !path.exists()
    {
        return (Check::fine(DATABASE, format!("{shown} will be made on first start")), None);
    }
    match Store::inspect(&wire::location(&config.database)).await {
        Ok(store) => {
            (Check::fine(DATABASE, format!("{shown} answers, schema {SCHEMA_VERSION}")), Some(store))
        }
        Err(OpenError::Migrate(MigrateError::Empty)) => {
            (Check::fine(DATABASE, format!("{shown} is empty: the first start makes its schema")), None)
        }
        Err(OpenError::Migrate(cause @ MigrateError::TooOld { .. })) => {
            let advice = "start `keywarden serve`: it copies an SQLite file first and migrates under a lock";
            (Check::warning(DATABASE, cause.to_string(), advice), None)
        }
        Err(cause) => {
            let advice = "is KEYWARDEN_DATABASE_URL right, and does the database run?";
            (Check::failed(DATABASE, cause.to_string(), advice), None)
        }
    }
}

/// The clock is not behind what was written.
pub(super) async fn clock(domain: Option<&Domain>, now: DateTime<Utc>) -> Check {
    let Some(domain) = domain else { return Check::fine(CLOCK, shown(now)) };
    match domain.check_clock(now).await {
        Ok(written) if written - now > CLOCK_ALARM => Check::warning(CLOCK, behind(written - now, now), SET),
        Ok(_) => Check::fine(CLOCK, shown(now)),
        Err(cause @ ClockError::Behind { .. }) => Check::failed(CLOCK, cause.to_string(), ACCEPT),
        Err(cause) => Check::failed(CLOCK, cause.to_string(), SET),
    }
}

fn behind(by: TimeDelta, now: DateTime<Utc>) -> String {
    format!("{} is {} s behind what was written", shown(now), by.num_seconds())
}

fn shown(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}
