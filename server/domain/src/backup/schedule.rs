//! Backups that nobody has to think of.

use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::TimeDelta;
use keywarden_model::time::{from_micros, micros};
use keywarden_store::backups;
use tokio::task::spawn_blocking;

use super::BackUpError;
use crate::{Domain, Fault, Op, Refused};

/// Rows that are looked through for what is too many.
pub(super) const KNOWN: i64 = 10_000;

/// When backups are made by themselves, and how many are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// Where they are written.
    pub folder: PathBuf,
    /// How long after the last one.
    pub every: Duration,
    /// So many in the folder; the oldest are deleted.
    pub keep: usize,
}

impl Schedule {
    /// Whether a backup is one of those of which the oldest are deleted.
    pub(super) fn keeps(&self, file: &Path) -> bool {
        file.parent() == Some(&*self.folder)
    }
}

impl Domain {
    /// Makes a backup if one is due, and deletes those that are too many. Without a recipient there is nothing to do:
    /// the system page says so.
    pub async fn back_up_if_due(&self, op: &Op) -> Result<(), Fault> {
        let Some(schedule) = self.settings().backups.clone() else { return Ok(()) };
        let mut conn = self.store().read().await?;
        let last = backups::latest(&mut conn, 1).await?.pop().map(|last| last.made_at);
        let nobody = backups::recipients(&mut conn).await?.is_empty();
        drop(conn);
        let every = TimeDelta::from_std(schedule.every).unwrap_or(TimeDelta::MAX);
        let due = last
            .is_none_or(|last| from_micros(last).checked_add_signed(every).is_some_and(|at| at <= op.now));
        if nobody || !due {
            return Ok(());
        }
        let name = format!("keywarden-{}.kwbackup", op.now.format("%Y%m%dT%H%M%SZ"));
        let made = self.back_up_since(op, &schedule.folder.join(name), Some(last.unwrap_or(0))).await;
        match made {
            Ok(backup) => {
                tracing::info!(backup = %backup.id, size = backup.size, digest = backup.digest, "made a backup");
            }
            Err(BackUpError::Overtaken) => return Ok(()),
            Err(error) => {
                self.tell_of_failed_backup(op).await?;
                return Err(match error {
                    BackUpError::Refused(Refused::Fault(fault)) => fault,
                    other => Fault::Unexpected(other.to_string()),
                });
            }
        }
        self.delete_old(&schedule, micros(op.now)).await
    }

    /// Only what the records say was made, and only in the folder.
    async fn delete_old(&self, schedule: &Schedule, now: i64) -> Result<(), Fault> {
        let rows = backups::latest(&mut self.store().read().await?, KNOWN).await?;
        let made = rows.into_iter().filter(|row| row.made_at <= now).map(|row| PathBuf::from(row.file));
        let too_many: Vec<_> = made.filter(|path| schedule.keeps(path)).skip(schedule.keep.max(1)).collect();
        let deleted = spawn_blocking(move || {
            too_many.iter().filter(|path| path.exists()).try_for_each(std::fs::remove_file)
        });
        match deleted.await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(Fault::Unexpected(format!("cannot delete an old backup: {error}"))),
            Err(error) => Err(Fault::Unexpected(error.to_string())),
        }
    }
}
