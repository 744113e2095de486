//! The latest instant that anybody wrote, so that a clock which was set back is noticed over restarts too.
//!
//! One clock that ran ahead must not lock every later start out: a node notes what time it is only while the database's
//! machine agrees. SQLite's machine is the node's own; there a clock that leapt forward is waited for as well.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use keywarden_model::time::from_micros;
use keywarden_store::{Basis, Engine, StoreError, Tx, WriteError, Written, instance};

use super::unseal::quiet;
use crate::audit::Record;
use crate::{Domain, Fault, Op};

/// How far the machine's clock may be from the others' before somebody is told.
pub const CLOCK_ALARM: TimeDelta = TimeDelta::seconds(30);
/// How far it may be behind what was written before a start is refused.
const TOO_FAR_BACK: TimeDelta = TimeDelta::minutes(5);
/// How long a clock that leapt forward has to run on before it is believed: a machine that slept is right, and one that
/// was set wrong is told of at once.
const BELIEVED_AFTER: Duration = Duration::from_hours(1);
/// Before this nobody can have run this program.
const EARLIEST: i64 = 1_750_000_000;

/// Why this machine's clock cannot be relied on.
#[derive(Debug, thiserror::Error)]
pub enum ClockError {
    /// It is behind what was written already.
    #[error(
        "this machine's clock says {}, but {} was written already: what has expired would become valid again; \
         set the clock, or, if it is right and what was written is not, start once with --accept-clock {}",
        shown(*.own), shown(*.written), shown(*.written)
    )]
    Behind {
        /// The machine's clock.
        own: DateTime<Utc>,
        /// What was written.
        written: DateTime<Utc>,
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
            return Err(ClockError::Behind { own, written });
        }
        Ok(written)
    }

    /// The latest instant that any node has noted.
    pub async fn clock_high_water(&self) -> Result<DateTime<Utc>, Fault> {
        let mut conn = self.store().read().await?;
        Ok(from_micros(instance::find(&mut conn).await?.clock_high_water))
    }

    /// Notes what time it is, unless this machine's clock seems to be ahead.
    pub async fn note_clock(&self) -> Result<(), Fault> {
        let mut conn = self.store().read().await?;
        let database = from_micros(instance::database_clock(&mut conn).await?);
        drop(conn);
        self.note_clock_beside(database).await
    }

    pub(super) async fn note_clock_beside(&self, database: DateTime<Utc>) -> Result<(), Fault> {
        let (now, tick) = (self.env().now(), self.env().monotonic());
        let alone = self.store().engine() == Engine::Sqlite;
        match self.marking().look(now, tick, database, alone) {
            Look::Ahead { by, told: false } => tracing::error!(
                seconds = by.num_seconds(),
                "this machine's clock is ahead; what time it is is not noted until it is right: set it"
            ),
            Look::Ahead { .. } => {}
            Look::Right { told } => {
                if told {
                    tracing::info!("this machine's clock is not ahead any more");
                }
                self.raise_clock(now).await?;
                self.marking().noted(now, tick);
            }
        }
        Ok(())
    }

    async fn raise_clock(&self, now: DateTime<Utc>) -> Result<(), Fault> {
        self.store()
            .write_silently("what time it is", move |tx| {
                Box::pin(async move { instance::raise_clock(tx, now).await })
            })
            .await
            .map_err(|error: WriteError<StoreError>| quiet(error))
    }

    /// At a start whose clock is [`ClockError::Behind`]: the operator says that it is right, and that `wrong`, which was
    /// written, is not. It counts to the second and for no other instant, so that whoever leaves it where their server is
    /// started from has said nothing of a clock that is set back later. The event tells of nobody: it needs no subject's
    /// key, and the keyring may be sealed.
    pub async fn accept_clock(&self, op: &Op, wrong: DateTime<Utc>) -> Result<(), ClockError> {
        let record = Record::new(self.env(), op, None, BTreeMap::new());
        let accepted = self.store().write(Basis::Own, move |tx: &mut Tx| {
            let record = record.clone();
            Box::pin(async move {
                let (row, now) = (instance::find(tx).await.map_err(Fault::from)?, record.now());
                let written = from_micros(row.clock_high_water);
                if written.timestamp() != wrong.timestamp() {
                    return Err(ClockError::Behind { own: now, written });
                }
                instance::set_clock(tx, now).await.map_err(Fault::from)?;
                let event = record.event("system.accept-clock", "organization", "organization");
                Ok(Written::new((), event.change("clock_high_water", written, now).finish()?))
            })
        });
        accepted.await.map_err(|error| match error {
            WriteError::Refused(error) => error,
            WriteError::Store(error) => Fault::from(error).into(),
            WriteError::Stale => Fault::Unexpected("a write without a permit was stale".into()).into(),
        })
    }
}

/// What this node noted last, and whether it said that its clock is ahead.
#[derive(Debug, Default)]
pub(crate) struct Marking(Mutex<Marked>);

#[derive(Debug, Default)]
struct Marked {
    last: Option<(DateTime<Utc>, Instant)>,
    told: bool,
}

/// How the clock looks. `told`: whether it was told to be ahead at the look before.
#[derive(Debug, PartialEq, Eq)]
enum Look {
    Ahead { by: TimeDelta, told: bool },
    Right { told: bool },
}

impl Marking {
    /// Whether `now` may be noted, beside what the database's machine says; where that machine is this one (`alone`),
    /// also beside what was noted last and how long ago that is.
    fn look(&self, now: DateTime<Utc>, tick: Instant, database: DateTime<Utc>, alone: bool) -> Look {
        let mut marked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut by = now.signed_duration_since(database);
        if let Some((at, then)) = marked.last.filter(|_| alone) {
            let passed = tick.saturating_duration_since(then);
            if passed < BELIEVED_AFTER {
                let since = now.signed_duration_since(at);
                let passed = TimeDelta::from_std(passed).unwrap_or_default();
                by = by.max(since.checked_sub(&passed).unwrap_or(since));
            }
        }
        let ahead = by > CLOCK_ALARM;
        let told = std::mem::replace(&mut marked.told, ahead);
        if ahead { Look::Ahead { by, told } } else { Look::Right { told } }
    }

    fn noted(&self, now: DateTime<Utc>, tick: Instant) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).last = Some((now, tick));
    }
}

fn shown(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + second, 0).unwrap()
    }

    fn ahead(by: i64, told: bool) -> Look {
        Look::Ahead { by: TimeDelta::seconds(by), told }
    }

    #[test]
    fn a_clock_ahead_of_the_databases_is_told_of_once_and_noted_again_when_it_is_right() {
        let (marking, tick) = (Marking::default(), Instant::now());
        assert_eq!(marking.look(at(30), tick, at(0), false), Look::Right { told: false });
        assert_eq!(marking.look(at(31), tick, at(0), false), ahead(31, false));
        assert_eq!(marking.look(at(32), tick, at(1), false), ahead(31, true));
        assert_eq!(marking.look(at(2), tick, at(2), false), Look::Right { told: true });
        assert_eq!(marking.look(at(0), tick, at(900), false), Look::Right { told: false }, "behind is safe");
    }

    #[test]
    fn a_leap_that_no_other_machine_knows_of_is_believed_after_an_hour() {
        let (marking, tick) = (Marking::default(), Instant::now());
        let later = |seconds| tick + Duration::from_secs(seconds);
        marking.noted(at(0), tick);
        assert_eq!(marking.look(at(40), later(10), at(40), true), Look::Right { told: false });
        assert_eq!(marking.look(at(41), later(10), at(41), true), ahead(31, false));
        // Another machine says that it is right.
        assert_eq!(marking.look(at(41), later(10), at(41), false), Look::Right { told: true });
        let leapt = |passed: i64| at(86_400 + passed);
        assert_eq!(marking.look(leapt(3_599), later(3_599), leapt(3_599), true), ahead(86_400, false));
        assert_eq!(marking.look(leapt(3_600), later(3_600), leapt(3_600), true), Look::Right { told: true });
        // What this node goes by is ahead of the machine, which was set right: that is never believed.
        assert_eq!(marking.look(leapt(3_700), later(3_700), at(3_700), true), ahead(86_400, false));
    }
}
