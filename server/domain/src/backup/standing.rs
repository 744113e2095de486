//! How things stand: the latest backup, its recipients, and a restore that waits to be accepted.

use std::path::PathBuf;

use chrono::{DateTime, SubsecRound, Utc};
use keywarden_model::time::from_micros;
use keywarden_model::{RecipientId, RestoreId};
use keywarden_store::backups::{self, BackupRow, RecipientRow, RestoreRow};
use keywarden_store::{ChangeKind, StoreError, Written};

use super::restore::gap;
use super::{Backup, Drill};
use crate::authz::{Action, Resource};
use crate::refused::carries_refused;
use crate::{Domain, Fault, Op, Refused};

/// Backups that are shown.
const SHOWN: i64 = 20;

/// What the system page says of backups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backups {
    /// Whom they are encrypted to, the oldest first.
    pub recipients: Vec<RecipientStatus>,
    /// The latest, the last one first.
    pub latest: Vec<Backup>,
    /// The latest drills, the last one first.
    pub drills: Vec<Drill>,
    /// Whether the caller can ask for a drill now.
    pub may_drill: bool,
}

/// Whom backups are encrypted to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecipientStatus {
    /// Of the public key.
    pub id: RecipientId,
    /// Its name for people.
    pub name: String,
    /// Since when.
    pub added_at: DateTime<Utc>,
}

/// A restore that nobody has accepted: what happened after [`Gap::reached`] is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// Of which instant the backup is.
    pub made_at: DateTime<Utc>,
    /// When it was restored.
    pub restored_at: DateTime<Utc>,
    /// Up to when events that were kept elsewhere are applied.
    pub events_until: Option<DateTime<Utc>>,
    pub(super) id: RestoreId,
    /// The change counter of the backup.
    pub(super) counter: Option<i64>,
}

impl Gap {
    /// Where the gap begins: at the backup, or at the last event that was applied after it.
    pub fn reached(&self) -> DateTime<Utc> {
        self.events_until.map_or(self.made_at, |until| until.max(self.made_at))
    }
}

/// Why a gap was not accepted.
#[derive(Debug, thiserror::Error)]
pub enum AcceptError {
    /// There is none.
    #[error("no restore waits to be accepted")]
    None,
    /// Another instant was named.
    #[error("what was done after {} is lost: name that instant", gap(*.0))]
    Other(DateTime<Utc>),
    /// The gate, or ours.
    #[error(transparent)]
    Refused(#[from] Refused),
}
carries_refused!(AcceptError);

impl Domain {
    /// Recipients and the latest backups.
    pub async fn backups(&self, op: &Op) -> Result<Backups, Refused> {
        let _permit = self.authorize(op, Action::ViewSystem, &Resource::Organization).await?;
        let mut conn = self.store().read().await?;
        let recipients = backups::recipients(&mut conn).await?;
        let latest = backups::latest(&mut conn, SHOWN).await?;
        drop(conn);
        let drills = self.drills(SHOWN).await?;
        Ok(Backups {
            may_drill: self.may_drill(op, drills.first()).await?,
            drills,
            recipients: recipients.into_iter().map(recipient).collect::<Result<_, _>>()?,
            latest: latest.into_iter().map(backup).collect::<Result<_, _>>()?,
        })
    }

    /// The restore that keeps the doors shut, if there is one.
    pub async fn open_gap(&self) -> Result<Option<Gap>, Fault> {
        let row = backups::open_restore(&mut self.store().read().await?).await?;
        row.map(from_row).transpose()
    }

    /// Opens the doors after a restore: whoever names the instant where the gap begins, that of the backup or of the last
    /// event that was applied, knows that what was done, revoked and destroyed since then is undone. The instant is
    /// compared to the second.
    pub async fn accept_restore(&self, op: &Op, from: DateTime<Utc>) -> Result<Gap, AcceptError> {
        let _permit = self.authorize(op, Action::AcceptRestore, &Resource::Organization).await?;
        let there = self.open_gap().await?.ok_or(AcceptError::None)?;
        let reached = there.reached();
        if reached.trunc_subsecs(0) != from.trunc_subsecs(0) {
            return Err(AcceptError::Other(reached));
        }
        let made_at = there.made_at;
        let id = there.id;
        self.change(op, Action::AcceptRestore, &Resource::Organization, &[], move |tx, record| {
            Box::pin(async move {
                // Whatever any node remembers is of another house.
                tx.restrict(ChangeKind::Authority, "restore", record.now()).await?;
                match backups::accept_restore(tx, id, record.now()).await {
                    Err(StoreError::Stale(_)) => return Err(AcceptError::None),
                    other => other?,
                }
                let event = record
                    .event("backup.accept-restore", "restore", id)
                    .fact("made_at", made_at)
                    .fact("reached", reached);
                Ok(Written::new((), event.finish()?))
            })
        })
        .await?;
        Ok(there)
    }
}

fn damaged(table: &'static str, cause: impl std::fmt::Display) -> Fault {
    StoreError::Damaged { table, cause: cause.to_string() }.into()
}

fn recipient(row: RecipientRow) -> Result<RecipientStatus, Fault> {
    Ok(RecipientStatus {
        id: row.id.parse().map_err(|cause| damaged("backup_recipients", cause))?,
        name: row.name,
        added_at: from_micros(row.added_at),
    })
}

fn backup(row: BackupRow) -> Result<Backup, Fault> {
    Ok(Backup {
        id: row.id.parse().map_err(|cause| damaged("backups", cause))?,
        made_at: from_micros(row.made_at),
        file: PathBuf::from(row.file),
        size: u64::try_from(row.size).map_err(|cause| damaged("backups", cause))?,
        digest: row.digest,
        recipients: serde_json::from_str(&row.recipients).map_err(|cause| damaged("backups", cause))?,
    })
}

fn from_row(row: RestoreRow) -> Result<Gap, Fault> {
    Ok(Gap {
        made_at: from_micros(row.made_at),
        restored_at: from_micros(row.restored_at),
        events_until: row.events_until.map(from_micros),
        counter: row.counter,
        id: row.id.parse().map_err(|cause| damaged("restores", cause))?,
    })
}
