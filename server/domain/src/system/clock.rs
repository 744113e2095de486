//! The latest instant that anybody wrote, so that a clock which was set back is noticed over restarts too.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use keywarden_model::time::from_micros;
use keywarden_store::{StoreError, instance};

use super::unseal::quiet;
use crate::{Domain, Fault};

/// How far the machine's clock may be from the others' before somebody is told.
pub const CLOCK_ALARM: TimeDelta = TimeDelta::seconds(30);
/// How far it may be behind what was written before a start is refused.
const TOO_FAR_BACK: TimeDelta = TimeDelta::minutes(5);
/// Before this nobody can have run this program.
const EARLIEST: i64 = 1_750_000_000;

/// Why this machine's clock cannot be relied on.
#[derive(Debug, thiserror::Error)]
pub enum ClockError {
    /// It is behind what was written already.
    #[error(
        "this machine's clock says {own}, but {written} was written already: what has expired would become valid again; \
         set the clock"
    )]
    Behind {
        /// The machine's clock.
        own: String,
        /// What was written.
        written: String,
    },
    /// The records failed.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// It was never set.
    #[error("this machine's clock says {0}, which cannot be: set the clock")]
    Unset(String),
}

impl Domain {
    /// The latest instant that was written, unless `own` is too far behind it.
    pub async fn check_clock(&self, own: DateTime<Utc>) -> Result<DateTime<Utc>, ClockError> {
        if own.timestamp() < EARLIEST {
            return Err(ClockError::Unset(shown(own)));
        }
        let written = self.clock_high_water().await?;
        if written - own > TOO_FAR_BACK {
            return Err(ClockError::Behind { own: shown(own), written: shown(written) });
        }
        Ok(written)
    }

    /// The latest instant that any node has noted.
    pub async fn clock_high_water(&self) -> Result<DateTime<Utc>, Fault> {
        let mut conn = self.store().read().await?;
        Ok(from_micros(instance::find(&mut conn).await?.clock_high_water))
    }

    /// Notes what time it is.
    pub async fn note_clock(&self) -> Result<(), Fault> {
        let now = self.env().now();
        self.store()
            .write_silently("what time it is", move |tx| {
                Box::pin(async move { instance::raise_clock(tx, now).await })
            })
            .await
            .map_err(|error: keywarden_store::WriteError<StoreError>| quiet(error))
    }
}

fn shown(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}
