//! Applying what was collected, one taking at a time; and opening the doors, if that was asked for and all is well.

use std::io::{self, BufRead};
use std::sync::Arc;

use chrono::{DateTime, SubsecRound as _, Utc};
use keywarden_model::EventId;
use keywarden_store::{Written, backups};

use super::Narrowing;
use super::collect::{Collected, Step, collect};
use super::narrowing::{NotTaken, PROTECTED};
use super::report::{EventsReport, count, name};
use crate::audit::Fact;
use crate::authz::{Action, Resource};
use crate::backup::{AcceptError, Gap};
use crate::refused::carries_refused;
use crate::{Domain, Op, Refused};

/// What the operator wants beside.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ApplyEvents {
    /// Up to when the events have to reach; without it, as far as they do.
    pub complete_until: Option<DateTime<Utc>>,
    /// Open the doors if everything that was to be taken away is: what was done after the last event is given up.
    pub accept_gap: bool,
}

/// Why no event was applied, or not all.
#[derive(Debug, thiserror::Error)]
pub enum EventsError {
    /// One event is told in two ways.
    #[error("the event `{0}` is told in two ways, here and in a file or in two lines: this file was changed")]
    Altered(EventId),
    /// There is nothing in the files.
    #[error("there is no event in the files")]
    Empty,
    /// It is another house's.
    #[error(
        "nothing in the files tells that they are of this Keywarden: no event of the backup is in them, and nobody and \
         nothing that they name is here"
    )]
    Foreign,
    /// A file cannot be read.
    #[error("cannot read the events: {0}")]
    Io(#[from] io::Error),
    /// A line is none.
    #[error("line {line}: {cause}")]
    Line {
        /// The line's number in its file.
        line: u64,
        /// Why.
        cause: String,
    },
    /// The doors are open, or were never shut.
    #[error("no restore waits to be accepted: events are applied while the doors are shut after one")]
    None,
    /// As everywhere.
    #[error(transparent)]
    Refused(#[from] Refused),
}
carries_refused!(EventsError);

impl Domain {
    /// Applies what events took away that came after the backup which was restored here. Nothing is given by it. Killed in
    /// between, it goes on where it was when it is asked again.
    pub async fn apply_events<R>(
        &self,
        op: &Op,
        files: Vec<R>,
        wanted: ApplyEvents,
    ) -> Result<EventsReport, EventsError>
    where
        R: BufRead + Send + 'static,
    {
        let _permit = self.authorize(op, Action::AcceptRestore, &Resource::Organization).await?;
        let gap = self.open_gap().await?.ok_or(EventsError::None)?;
        let Collected { steps, mut report } = collect(self.store(), files, &gap).await?;
        for step in steps {
            self.take_away(step, &mut report).await?;
        }
        report.until = report.until.max(gap.reached());
        let wanted_until = wanted.complete_until.unwrap_or(report.until);
        report.complete = report.until.trunc_subsecs(0) >= wanted_until.trunc_subsecs(0);
        self.note_events(&gap, &report).await?;
        if wanted.accept_gap && report.is_whole() {
            match self.accept_restore(op, report.until).await {
                Ok(_) => report.accepted = true,
                Err(AcceptError::None | AcceptError::Other(_)) => {}
                Err(AcceptError::Refused(refused)) => return Err(refused.into()),
            }
        }
        Ok(report)
    }

    /// One taking, and what is told of it.
    async fn take_away(&self, step: Step, report: &mut EventsReport) -> Result<(), EventsError> {
        let taken = match self.take_one(step.narrowing, step.event).await {
            // Nobody reads it any more, at least.
            Err(NotTaken::Protected(less)) => match self.take_one(less, step.event).await {
                Ok(()) | Err(NotTaken::Already) => Err(NotTaken::Kept(PROTECTED)),
                refused => refused,
            },
            taken => taken,
        };
        match taken {
            Ok(()) => name(&mut report.applied, &step.action, &step.thing),
            Err(NotTaken::Already) => name(&mut report.done, &step.action, &step.thing),
            Err(NotTaken::Refused(refused)) => return Err(refused.into()),
            Err(kept) => name(&mut report.kept, &format!("{}: {kept}", step.action), &step.thing),
        }
        Ok(())
    }

    /// Takes something, with its event, in a transaction of its own.
    async fn take_one(&self, narrowing: Narrowing, event: EventId) -> Result<(), NotTaken> {
        let op = self.system_op("restore");
        self.change_unasked(&op, "events that were kept elsewhere", &[], move |tx, record| {
            Box::pin(async move {
                let mut told = narrowing.take(tx, &record, event).await?.into_iter();
                let first = told.next().ok_or(NotTaken::Already)?;
                Ok(Written::new((), first).and_all(told))
            })
        })
        .await
    }

    async fn note_events(&self, gap: &Gap, report: &EventsReport) -> Result<(), EventsError> {
        let op = self.system_op("restore");
        let (id, told) = (gap.id, Arc::new(report.clone()));
        let digest = hex::decode(&report.digest).ok().and_then(|it| it.try_into().ok());
        let digest: [u8; 32] = digest.unwrap_or_default(); // it was written from one
        self.change_unasked(&op, "events that were kept elsewhere", &[], move |tx, record| {
            let report = Arc::clone(&told);
            Box::pin(async move {
                backups::note_events(tx, id, report.until).await?;
                let event = record
                    .event("backup.apply-events", "restore", id)
                    .fact("digest", Fact::digest(&digest))
                    .fact("events", report.events)
                    .fact("applied", count(&report.applied))
                    .fact("done", count(&report.done))
                    .fact("kept", count(&report.kept))
                    .fact("look", count(&report.look))
                    .fact("lost", count(&report.lost))
                    .fact("unknown", count(&report.unknown))
                    .fact("missing", u64::try_from(report.missing.len()).unwrap_or(u64::MAX))
                    .fact("until", report.until);
                Ok::<_, EventsError>(Written::new((), event.finish()?))
            })
        })
        .await
    }
}
