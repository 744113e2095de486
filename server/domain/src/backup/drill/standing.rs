//! Which drill is wanted, which is done: asked for by people, by the shell and by the clock.

use std::path::Path;

use chrono::{DateTime, TimeDelta, Utc};
use keywarden_model::time::{from_micros, later};
use keywarden_model::{BackupId, DrillId};
use keywarden_store::backups::{self, BackupRow};
use keywarden_store::{EventRow, StoreError, Tx, WriteError, Written, drills as rows};

use super::{Drill, DrillReport, DrillState, DrillsDue};
use crate::audit::{Fact, Record};
use crate::authz::{Action, Resource};
use crate::backup::make::noting;
use crate::refused::carries_refused;
use crate::{Actor, Domain, Fault, Op, Refused};

/// A drill that is longer under way was cut off.
const LONGEST: TimeDelta = TimeDelta::hours(6);
/// How long another node may take to see a drill of a file that only it has.
const ELSEWHERE: TimeDelta = TimeDelta::minutes(2);
/// The job whose drills begin by themselves.
const JOB: &str = "drill-backups";

/// Why no drill was begun.
#[derive(Debug, thiserror::Error)]
pub enum DrillError {
    /// Nothing that could be opened.
    #[error(
        "no backup can be opened for a drill: make one first; those from before drills were on have no key for it"
    )]
    NoKey,
    /// Drills are switched off.
    #[error("drills are switched off: KEYWARDEN_BACKUP_DRILL says `off`")]
    Off,
    /// The gate, or ours.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// One drill at a time.
    #[error("a drill is under way already")]
    UnderWay,
}
carries_refused!(DrillError);

impl Domain {
    /// Asks for a drill of the newest backup; a node that has the file begins it within a minute.
    pub async fn ask_for_drill(&self, op: &Op) -> Result<DrillId, DrillError> {
        self.note_drill(op, DrillState::Asked).await
    }

    /// Drills the newest backup here and now, and says what came of it.
    pub async fn drill(&self, op: &Op) -> Result<Drill, DrillError> {
        let id = self.note_drill(op, DrillState::Running).await?;
        let drill = self.drills(1).await?.into_iter().find(|it| it.id == id);
        let drill = drill.ok_or_else(|| Fault::Unexpected("the drill is not there".into()))?;
        self.run_drill(&drill).await?;
        let ended = self.drills(1).await?.into_iter().find(|it| it.id == id);
        Ok(ended.ok_or_else(|| Fault::Unexpected("the drill is not there".into()))?)
    }

    /// Begins what is wanted or due, ends what was cut off; forgets the key where drills are switched off.
    pub async fn drill_if_due(&self, op: &Op) -> Result<(), Fault> {
        let Some(settings) = self.settings().drills.clone() else { return self.forget_drill_keys(op).await };
        let last = self.drills(1).await?.pop();
        let file = |row: &BackupRow| Path::new(&row.file).exists();
        match &last {
            Some(drill) if drill.state == DrillState::Running => {
                let began = drill.started_at.unwrap_or(drill.asked_at);
                if later(began, LONGEST) > op.now {
                    return Ok(());
                }
                let failures = vec!["it was cut off: the node that was at it ended".to_owned()];
                return self.end_drill(drill, DrillReport { failures, ..DrillReport::default() }).await;
            }
            Some(drill) if drill.state == DrillState::Asked => {
                let backup = backups::find(&mut self.store().read().await?, drill.backup).await?;
                let is_here = backup.as_ref().is_some_and(file);
                if (is_here || later(drill.asked_at, ELSEWHERE) <= op.now)
                    && self.begin_drill(drill, op.now).await?
                {
                    return self.run_drill(drill).await;
                }
                return Ok(());
            }
            _ => {}
        }
        let mut conn = self.store().read().await?;
        let Some(key) = rows::key(&mut conn).await? else { return Ok(()) };
        let made = backups::latest(&mut conn, looked_at(settings.due)).await?;
        drop(conn);
        let Some(newest) = made.iter().find(|row| row.id == key.id) else { return Ok(()) };
        let is_here = file(newest) || later(from_micros(newest.made_at), ELSEWHERE) <= op.now;
        if !is_here || !is_due(settings.due, last.as_ref(), &made, &key.id, op.now) {
            return Ok(());
        }
        match self.drill(op).await {
            Ok(_) | Err(DrillError::NoKey | DrillError::Off | DrillError::UnderWay) => Ok(()),
            Err(DrillError::Refused(refused)) => Err(only_ours(refused)),
        }
    }

    /// The latest drills, the last one first.
    pub(in crate::backup) async fn drills(&self, limit: i64) -> Result<Vec<Drill>, Fault> {
        let found = rows::latest(&mut self.store().read().await?, limit).await?;
        found.into_iter().map(Drill::from_row).collect()
    }

    /// Whether the button is shown: a drill could begin, and the caller may ask for it.
    pub(in crate::backup) async fn may_drill(&self, op: &Op, last: Option<&Drill>) -> Result<bool, Refused> {
        let under_way = last.is_some_and(|drill| drill.ended_at.is_none());
        if self.settings().drills.is_none() || under_way {
            return Ok(false);
        }
        let has_key = rows::key(&mut self.store().read().await?).await?.is_some();
        Ok(has_key && self.would(op, Action::DrillBackup, &Resource::Organization).await?)
    }

    async fn note_drill(&self, op: &Op, state: DrillState) -> Result<DrillId, DrillError> {
        let by_itself = matches!(op.actor, Actor::System(_));
        if !by_itself {
            let _permit = self.authorize(op, Action::DrillBackup, &Resource::Organization).await?;
        }
        if self.settings().drills.is_none() {
            return Err(DrillError::Off);
        }
        let id: DrillId = self.fresh(op);
        let body =
            noting(move |tx, record| Box::pin(async move { noted(tx, &record, id, state, by_itself).await }));
        if by_itself {
            self.change_unasked(op, "a drill that was due", &[], body).await
        } else {
            self.change(op, Action::DrillBackup, &Resource::Organization, &[], body).await
        }
    }

    /// Takes a drill that was asked for; another node may have been faster.
    async fn begin_drill(&self, drill: &Drill, now: DateTime<Utc>) -> Result<bool, Fault> {
        let id = drill.id;
        let states = (DrillState::Asked.name(), DrillState::Running.name());
        let began = self.store().write_silently("a drill begins: its end is told", move |tx| {
            Box::pin(async move { rows::begin(tx, id, states, now).await })
        });
        began.await.map_err(|error: WriteError<StoreError>| only_ours(error.into()))
    }

    async fn run_drill(&self, drill: &Drill) -> Result<(), Fault> {
        let Some(settings) = self.settings().drills.clone() else { return Ok(()) };
        let report = self.look_into_backup(drill, &settings).await;
        self.end_drill(drill, report).await
    }

    async fn end_drill(&self, drill: &Drill, report: DrillReport) -> Result<(), Fault> {
        let op = self.system_op(JOB);
        let drill = drill.clone();
        let passed = report.failures.is_empty();
        if passed {
            tracing::info!(drill = %drill.id, backup = %drill.backup, rows = report.rows, "a backup came back whole");
        } else {
            let failures = report.failures.join("; ");
            tracing::error!(drill = %drill.id, backup = %drill.backup, failures, "a backup did not come back whole");
        }
        let ended = self.change_unasked(&op, "a drill has ended", &[], move |tx, record| {
            let (drill, report) = (drill.clone(), report.clone());
            Box::pin(async move { ended(tx, &record, &drill, &report).await })
        });
        ended.await.map_err(only_ours)
    }

    async fn forget_drill_keys(&self, op: &Op) -> Result<(), Fault> {
        let Some(key) = rows::key(&mut self.store().read().await?).await? else { return Ok(()) };
        let forgotten = self.change_unasked(op, "drills are switched off", &[], move |tx, record| {
            let backup = key.id.clone();
            Box::pin(async move {
                rows::forget_keys(tx).await?;
                let event = record.event("backup.forget-drill-key", "backup", backup);
                Ok(Written::new((), event.finish()?))
            })
        });
        forgotten.await.map_err(only_ours)
    }
}

fn only_ours(refused: Refused) -> Fault {
    match refused {
        Refused::Fault(fault) => fault,
        other => Fault::Unexpected(other.to_string()),
    }
}

/// Writes a drill of the newest backup down, unless one is under way; one that begins by itself, unless there was one.
async fn noted(
    tx: &mut Tx,
    record: &Record,
    id: DrillId,
    state: DrillState,
    by_itself: bool,
) -> Result<Written<DrillId>, DrillError> {
    // Locks the house's row: of two that come at once, one is first.
    keywarden_store::keyring::hold(tx).await?;
    let key = rows::key(tx).await?.ok_or(DrillError::NoKey)?;
    let last = rows::latest(tx, 1).await?.pop();
    let under_way = last.as_ref().is_some_and(|last| last.ended_at.is_none());
    let again = by_itself && last.as_ref().is_some_and(|last| last.backup_id == key.id);
    if under_way || again {
        return Err(DrillError::UnderWay);
    }
    let backup: BackupId =
        key.id.parse().map_err(|_| Fault::Damaged("drill_keys: an id that is none".into()))?;
    let began = (state == DrillState::Running).then(|| record.now());
    rows::note(tx, id, backup, state.name(), record.now(), began).await?;
    let event = record.event(Action::DrillBackup.name(), "drill", id).fact("backup", backup);
    Ok(Written::new(id, event.finish()?))
}

async fn ended(
    tx: &mut Tx,
    record: &Record,
    drill: &Drill,
    report: &DrillReport,
) -> Result<Written<()>, Refused> {
    let state = if report.failures.is_empty() { DrillState::Passed } else { DrillState::Failed };
    let text = serde_json::to_string(report).unwrap_or_default();
    if !rows::end(tx, drill.id, state.name(), &text, record.now()).await? {
        return Err(Refused::NotFound);
    }
    Ok(Written::new((), told(record, drill, state, report)?))
}

fn told(record: &Record, drill: &Drill, state: DrillState, report: &DrillReport) -> Result<EventRow, Fault> {
    let event = record
        .event(format!("{}-{}", Action::DrillBackup.name(), state.name()), "drill", drill.id)
        .fact("backup", drill.backup)
        .fact("compared", report.compared)
        .fact("events", report.events)
        .fact("failures", report.failures.len() as u64)
        .fact("opened", report.opened)
        .fact("rows", report.rows);
    let event = match &report.seal {
        Some(seal) => event.fact("seal", Fact::word(seal.name())),
        None => event,
    };
    if report.failures.is_empty() { event } else { event.text("why", report.failures.join("; ")) }.finish()
}

/// Backups that have to be looked at to know whether a drill is due.
fn looked_at(due: DrillsDue) -> i64 {
    match due {
        DrillsDue::Backups(number) => i64::from(number).max(1),
        DrillsDue::Never | DrillsDue::Since(_) => 1,
    }
}

/// Whether a drill of the newest backup, `newest`, begins by itself. `made` are the latest backups.
fn is_due(
    due: DrillsDue,
    last: Option<&Drill>,
    made: &[BackupRow],
    newest: &str,
    now: DateTime<Utc>,
) -> bool {
    if last.is_some_and(|last| last.backup.to_string() == newest) {
        return false;
    }
    match due {
        DrillsDue::Never => false,
        DrillsDue::Backups(number) => {
            let since = |row: &&BackupRow| last.is_none_or(|last| from_micros(row.made_at) > last.made_at);
            made.iter().filter(since).count() >= number.max(1) as usize
        }
        DrillsDue::Since(span) => last.is_none_or(|last| {
            let span = TimeDelta::from_std(span).unwrap_or(TimeDelta::MAX);
            last.asked_at.checked_add_signed(span).is_some_and(|at| at <= now)
        }),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn backup(number: u8) -> BackupRow {
        let made_at = i64::from(number) * 1_000_000;
        BackupRow {
            id: id(number).to_string(),
            made_at,
            counter: 0,
            file: String::new(),
            size: 0,
            digest: String::new(),
            recipients: "[]".into(),
        }
    }

    fn id(number: u8) -> BackupId {
        keywarden_model::TypedId::from_parts(from_micros(0), number.into())
    }

    fn drill(number: u8, asked_at: i64) -> Drill {
        Drill {
            id: keywarden_model::TypedId::from_parts(from_micros(0), 1),
            backup: id(number),
            made_at: from_micros(i64::from(number) * 1_000_000),
            state: DrillState::Passed,
            asked_at: from_micros(asked_at),
            started_at: None,
            ended_at: None,
            report: None,
        }
    }

    #[test]
    fn a_drill_is_due_after_so_many_backups_or_so_long_and_never_twice_of_one() {
        let made: Vec<_> = [4, 3, 2, 1].map(backup).into();
        let newest = id(4).to_string();
        let due = |due, last: Option<&Drill>, now| is_due(due, last, &made, &newest, from_micros(now));
        for any in [DrillsDue::Backups(1), DrillsDue::Since(Duration::ZERO), DrillsDue::Never] {
            assert!(!due(any, Some(&drill(4, 0)), i64::MAX / 4), "{any:?}");
        }
        assert!(due(DrillsDue::Backups(4), None, 0) && !due(DrillsDue::Backups(5), None, 0));
        assert!(due(DrillsDue::Backups(3), Some(&drill(1, 0)), 0));
        assert!(!due(DrillsDue::Backups(3), Some(&drill(2, 0)), 0));
        let hour = DrillsDue::Since(Duration::from_hours(1));
        assert!(due(hour, None, 0));
        assert!(
            !due(hour, Some(&drill(1, 0)), 3_599_999_999) && due(hour, Some(&drill(1, 0)), 3_600_000_000)
        );
        assert!(!due(DrillsDue::Never, None, 0));
    }
}
