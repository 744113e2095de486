//! Making a backup.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;
use keywarden_model::time::micros;
use keywarden_model::{BackupId, RecipientId};
use keywarden_store::backup::{Carried, Snapshot};
use keywarden_store::backups::{self, BackupRow};
use keywarden_store::{Tx, Written, change, drills, instance, people::setup};
use keywarden_vault::backup::{Summary, Writer};
use keywarden_vault::recovery::Recipient;
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;

use super::drill::DrillKey;
use super::file::DraftFile;
use super::records::{KeyringPart, Manifest, RowsWriter, write_end, write_table};
use crate::audit::{Fact, Record};
use crate::authz::{Action, Resource};
use crate::refused::carries_refused;
use crate::system::records::Records;
use crate::{Actor, Domain, Fault, Op, Refused};

/// Records that wait to be encrypted and written.
const WAITING: usize = 8;

/// A backup that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backup {
    /// Its id in the records.
    pub id: BackupId,
    /// The instant of which it is.
    pub made_at: DateTime<Utc>,
    /// Where it is.
    pub file: PathBuf,
    /// Bytes.
    pub size: u64,
    /// SHA-256 of the file, in hexadecimal digits.
    pub digest: String,
    /// Whose recovery keys open it, without the key that opens it for a drill.
    pub recipients: Vec<RecipientId>,
}

/// Why there is no backup.
#[derive(Debug, thiserror::Error)]
pub enum BackUpError {
    /// The keyring's rows and this node's memory do not agree yet.
    #[error("the keyring changed meanwhile: try again")]
    Changed,
    /// The file cannot be written.
    #[error("cannot write `{}`: {cause}", path.display())]
    File {
        /// Where to.
        path: PathBuf,
        /// What is wrong.
        cause: io::Error,
    },
    /// Nobody could open it.
    #[error(
        "there is no recipient: make one with `keywarden recovery-key create` on another machine and add it \
         with `keywarden backup recipient add`"
    )]
    NoRecipient,
    /// A newer version made keys that this one does not know.
    #[error("a newer version of Keywarden has made keys that this one does not know: use that one")]
    NewerKeys,
    /// Another node made the one that was due.
    #[error("another backup was made meanwhile")]
    Overtaken,
    /// The gate, or ours.
    #[error(transparent)]
    Refused(#[from] Refused),
}
carries_refused!(BackUpError);

enum Part {
    Bytes(Vec<u8>),
    End,
}

/// What a snapshot is of.
struct Taken {
    manifest: Manifest,
    recipients: Vec<Recipient>,
    keyring: KeyringPart,
}

impl Domain {
    /// Writes everything, as of now, to a new file at `path`, encrypted to every recipient. The server goes on
    /// meanwhile.
    pub async fn back_up(&self, op: &Op, path: &Path) -> Result<Backup, BackUpError> {
        let _permit = self.authorize(op, Action::MakeBackup, &Resource::Organization).await?;
        self.back_up_since(op, path, None).await
    }

    /// As [`Domain::back_up`], unless a later one than `since` is there when it is done.
    pub(super) async fn back_up_since(
        &self,
        op: &Op,
        path: &Path,
        since: Option<i64>,
    ) -> Result<Backup, BackUpError> {
        let mut snapshot = self.store().snapshot().await?;
        let drill_key = self.fresh_drill_key()?;
        let taken = self.take(op, &mut snapshot, drill_key.as_ref()).await?;
        let ids: Vec<_> = taken.recipients.iter().map(Recipient::id).collect();
        let (made_at, counter) = (taken.manifest.made_at, taken.manifest.counter);
        let (mut draft, summary) = self.write(&mut snapshot, taken, path).await?;
        snapshot.end().await?;
        let failed = |cause| BackUpError::File { path: path.to_owned(), cause };
        let settled = spawn_blocking(move || draft.settle().map(|()| draft)).await;
        let draft = settled.map_err(|error| failed(io::Error::other(error)))?.map_err(failed)?;
        let backup = Backup {
            id: self.fresh(op),
            made_at,
            file: path.to_owned(),
            size: summary.size,
            digest: hex::encode(summary.digest),
            recipients: ids
                .into_iter()
                .filter(|id| Some(*id) != drill_key.as_ref().map(DrillKey::id))
                .collect(),
        };
        self.note_backup(op, &backup, summary, counter, since, drill_key.as_ref()).await?;
        draft.publish().map_err(failed)?;
        Ok(backup)
    }

    async fn take(
        &self,
        op: &Op,
        snapshot: &mut Snapshot,
        drill_key: Option<&DrillKey>,
    ) -> Result<Taken, BackUpError> {
        let conn = snapshot.conn()?;
        let counter = change::counter(conn).await?.value; // the first reading: the snapshot is of this instant
        let made_at = op.now.max(self.env().now());
        let schema = instance::schema(conn).await?;
        let deployment = setup::organization(conn).await?.map(|it| it.id.to_string());
        let records = Records::load(conn).await?;
        let recipients = backups::recipients(conn).await?;
        snapshot.knows_every_table().await?;
        if records.unknown > 0 {
            return Err(BackUpError::NewerKeys);
        }
        let damaged =
            |cause: &dyn std::fmt::Display| Fault::Damaged(format!("a recipient of backups: {cause}"));
        let recipients =
            recipients.iter().map(|row| row.text.parse::<Recipient>().map_err(|cause| damaged(&cause)));
        let mut recipients: Vec<Recipient> = recipients.collect::<Result<_, _>>()?;
        if recipients.is_empty() {
            return Err(BackUpError::NoRecipient);
        }
        recipients.extend(drill_key.map(|key| key.recipient().clone()));
        let (keyring, env, lent) = (Arc::clone(self.keyring()), self.env().clone(), recipients.clone());
        let wraps = spawn_blocking(move || keyring.wrap_for(&lent, &mut env.fork())).await;
        let wraps = wraps.map_err(|error| Fault::Unexpected(error.to_string()))?.map_err(Fault::from)?;
        let keys: Vec<_> = records.keys.iter().map(|key| (key.id, key.purpose)).collect();
        let wrapped = |key, to| wraps.iter().any(|wrap| wrap.key_id == key && wrap.recipient == to);
        if !keys.iter().all(|(key, _)| recipients.iter().all(|to| wrapped(*key, to.id()))) {
            return Err(BackUpError::Changed);
        }
        let manifest = Manifest {
            deployment,
            made_at,
            counter,
            schema: schema.version,
            engine: self.store().engine().to_string(),
            program: env!("CARGO_PKG_VERSION").to_owned(),
        };
        let seals = records.seals.into_iter().map(|seal| seal.id).collect();
        Ok(Taken { manifest, recipients, keyring: KeyringPart { seals, keys, wraps } })
    }

    /// Rows come from the store here; encrypting and writing happen on a thread that may wait for a disk.
    async fn write(
        &self,
        snapshot: &mut Snapshot,
        taken: Taken,
        path: &Path,
    ) -> Result<(DraftFile, Summary), BackUpError> {
        let (parts, mut waiting) = mpsc::channel(WAITING);
        let (place, env) = (path.to_owned(), self.env().clone());
        let (manifest, recipients) = (taken.manifest.write(), taken.recipients);
        let writing = spawn_blocking(move || {
            let draft = DraftFile::begin(&place)?;
            let mut writer = Writer::new(draft, &manifest, &recipients, &mut env.fork())?;
            while let Some(part) = waiting.blocking_recv() {
                match part {
                    Part::Bytes(bytes) => writer.write_all(&bytes)?,
                    Part::End => return writer.finish(),
                }
            }
            Err(io::Error::other("it was given up"))
        });
        let read = read_all(snapshot, &taken.keyring, parts).await;
        let written = writing.await.map_err(io::Error::other).flatten();
        read?; // the store's error says more than that nothing more came
        written.map_err(|cause| BackUpError::File { path: path.to_owned(), cause })
    }

    async fn note_backup(
        &self,
        op: &Op,
        backup: &Backup,
        summary: Summary,
        counter: i64,
        since: Option<i64>,
        drill_key: Option<&DrillKey>,
    ) -> Result<BackupId, BackUpError> {
        let drill_id = drill_key.map(DrillKey::id);
        let drill_key = drill_key.map(|key| self.seal_drill_key(backup.id, key)).transpose()?;
        let ids: Vec<_> = backup.recipients.iter().map(ToString::to_string).collect();
        let row = BackupRow {
            id: backup.id.to_string(),
            made_at: micros(backup.made_at),
            counter,
            file: backup.file.display().to_string(),
            size: i64::try_from(summary.size).unwrap_or(i64::MAX),
            digest: backup.digest.clone(),
            recipients: serde_json::to_string(&ids).unwrap_or_default(),
        };
        let (id, ids) = (backup.id, backup.recipients.clone());
        let body = noting(move |tx, record| {
            let (row, ids, drill_key) = (row.clone(), ids.clone(), drill_key.clone());
            Box::pin(async move {
                let last = backups::latest(tx, 1).await?.pop().map(|last| last.made_at);
                if since.is_some() && last > since {
                    return Err(BackUpError::Overtaken);
                }
                backups::note(tx, &row).await?;
                // Of two that are made at once, the later one can be drilled.
                if last.is_none_or(|last| last <= row.made_at) {
                    match &drill_key {
                        Some(key) => drills::keep_key(tx, key).await?,
                        None => {
                            drills::forget_keys(tx).await?;
                        }
                    }
                }
                let event = record
                    .event("backup.make", "backup", id)
                    .fact("counter", row.counter)
                    .fact("digest", Fact::digest(&summary.digest))
                    .fact("recipients", Fact::list(ids.into_iter().map(Fact::from)))
                    .fact("size", row.size)
                    .text("file", &row.file);
                let event = match drill_id {
                    Some(drill) => event.fact("drill_recipient", drill),
                    None => event,
                };
                Ok(Written::new(id, event.finish()?))
            })
        });
        if matches!(op.actor, Actor::System(_)) {
            self.change_unasked(op, "a backup that was due", &[], body).await
        } else {
            self.change(op, Action::MakeBackup, &Resource::Organization, &[], body).await
        }
    }
}

/// Says of a closure what it is, for there are two ways to run it.
pub(super) fn noting<F, T, E>(body: F) -> F
where
    F: for<'t> Fn(&'t mut Tx, Record) -> BoxFuture<'t, Result<Written<T>, E>> + Clone + Send + Sync + 'static,
{
    body
}

async fn read_all(
    snapshot: &mut Snapshot,
    keyring: &KeyringPart,
    parts: mpsc::Sender<Part>,
) -> Result<(), BackUpError> {
    let mut rows_of = BTreeMap::new();
    // Whoever stopped listening says why.
    if parts.send(Part::Bytes(keyring.write())).await.is_err() {
        return Ok(());
    }
    for table in Carried::all() {
        let mut rows = snapshot.rows(table).await?;
        let mut record = RowsWriter::default();
        let mut bytes = write_table(table.name(), rows.columns());
        let mut number = 0_u64;
        loop {
            let page = rows.next(snapshot).await?;
            if page.is_empty() {
                break;
            }
            for row in page {
                number = number.saturating_add(1);
                record.add(row);
                if record.is_long() {
                    bytes.extend(record.take().unwrap_or_default());
                    if parts.send(Part::Bytes(std::mem::take(&mut bytes))).await.is_err() {
                        return Ok(());
                    }
                }
            }
        }
        bytes.extend(record.take().unwrap_or_default());
        rows_of.insert(table.name(), number);
        if parts.send(Part::Bytes(bytes)).await.is_err() {
            return Ok(());
        }
    }
    for last in [Part::Bytes(write_end(&rows_of)), Part::End] {
        if parts.send(last).await.is_err() {
            return Ok(());
        }
    }
    Ok(())
}
