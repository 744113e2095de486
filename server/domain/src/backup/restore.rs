//! Bringing a backup back, into an empty store and under the seals found there.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use keywarden_model::time::micros;
use keywarden_model::{RecipientId, RestoreId};
use keywarden_store::backup::{Carried, Target, filled, first_not_empty};
use keywarden_store::backups::{self, RestoreRow};
use keywarden_store::{
    Basis, EventRow, SCHEMA_VERSION, StoreError, Tx, WriteError, Written, instance, keyring, project_seals,
};
use keywarden_vault::backup::{BackupError, Reader, glance};
use keywarden_vault::keyring::{RecoverError, rewrap};
use keywarden_vault::recovery::RecoveryKey;
use keywarden_vault::{Seal, SealDescription, WrapRecord};
use tokio::task::spawn_blocking;

use super::records::{self, Damage, KeyringPart, Manifest, ReadError};
use crate::audit::{Fact, Record};
use crate::system::records::{seal_row, wrap_row};
use crate::{Domain, Fault};

/// The most projects with a seal of their own that are told.
const MOST_NAMED: u32 = 10_000;

/// Everything is back; the doors are shut until the gap is accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// What the backup says of itself.
    pub manifest: Manifest,
    /// How many rows.
    pub rows: u64,
    /// Seals of projects, each with the slugs of those that name it: their secrets are back, and open by these seals alone.
    pub apart: BTreeMap<String, Vec<String>>,
}

/// Why nothing was restored: the store is as it was.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// The file.
    #[error(transparent)]
    Backup(#[from] BackupError),
    /// It is authentic, and not what this version reads.
    #[error(transparent)]
    Damage(#[from] Damage),
    /// Ours.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// A newer version made it.
    #[error("the backup has schema version {found}, this program knows {own}: use the newer program")]
    Newer {
        /// The backup's.
        found: i64,
        /// This program's.
        own: i64,
    },
    /// There is something where it should go.
    #[error("the database is not empty: its table `{0}` has rows; give a fresh one")]
    NotEmpty(&'static str),
    /// An older version made it.
    #[error(
        "the backup has schema version {found}, this program {own}: restore it with the program that made it, then \
         start this one"
    )]
    Older {
        /// The backup's.
        found: i64,
        /// This program's.
        own: i64,
    },
    /// The keyring's keys.
    #[error(transparent)]
    Recover(#[from] RecoverError),
}

impl From<StoreError> for RestoreError {
    fn from(error: StoreError) -> Self {
        Self::Fault(error.into())
    }
}

impl From<ReadError> for RestoreError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Damage(damage) => damage.into(),
            ReadError::Io(error) => BackupError::from_reading(error).into(),
        }
    }
}

/// The parts that are settled before the transaction.
struct Plan {
    manifest: Manifest,
    digest: [u8; 32],
    recipient: RecipientId,
    old_seals: Vec<String>,
    seals: Vec<SealDescription>,
    wraps: Vec<WrapRecord>,
}

impl Domain {
    /// Brings a backup back into this store, which must be empty, with the keyring under `seals`; all of it or nothing.
    /// `open` opens the file from its beginning, more than once. For the operator's shell, while no server runs.
    pub async fn restore<R, F>(
        &self,
        open: F,
        key: RecoveryKey,
        seals: &[Arc<dyn Seal>],
    ) -> Result<Restored, RestoreError>
    where
        R: Read + Send + 'static,
        F: Fn() -> io::Result<R> + Send + Sync + 'static,
    {
        let op = self.shell_op();
        let (open, key) = (Arc::new(open), Arc::new(key));
        let plan = Arc::new(self.plan(&*open, &key, seals).await?);
        if let Some(table) = first_not_empty(&mut self.store().read().await?).await? {
            return Err(RestoreError::NotEmpty(table));
        }
        // What it tells is of nobody: no subject's key is needed, and none is there yet.
        let record = Record::new(self.env(), &op, None, BTreeMap::new());
        let restore: RestoreId = self.fresh(&op);
        let told = Arc::clone(&plan);
        let written = self
            .store()
            .write(Basis::Own, move |tx: &mut Tx| {
                let (open, key) = (Arc::clone(&open), Arc::clone(&key));
                let (plan, record) = (Arc::clone(&told), record.clone());
                Box::pin(async move {
                    let rows = carry(tx, Reader::new(open().map_err(BackupError::Io)?, &key)?).await?;
                    keep_keyring(tx, &plan, record.now()).await?;
                    let events = note(tx, &plan, &record, restore, rows).await?;
                    filled(tx).await?;
                    Ok::<_, RestoreError>(events)
                })
            })
            .await;
        let rows = written.map_err(|error| match error {
            WriteError::Refused(error) => error,
            WriteError::Store(error) => error.into(),
            WriteError::Stale => Fault::Unexpected("a write without a permit was stale".into()).into(),
        })?;
        let mut apart: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for named in project_seals::naming(&mut self.store().read().await?, MOST_NAMED).await? {
            apart.entry(named.seal_id).or_default().push(named.project_slug);
        }
        Ok(Restored { manifest: plan.manifest.clone(), rows, apart })
    }

    async fn plan<R: Read>(
        &self,
        open: &(impl Fn() -> io::Result<R> + Sync),
        key: &Arc<RecoveryKey>,
        seals: &[Arc<dyn Seal>],
    ) -> Result<Plan, RestoreError> {
        let seen = glance(open().map_err(BackupError::Io)?)?;
        let (manifest, part) = begin(&mut Reader::new(open().map_err(BackupError::Io)?, key)?)?;
        let (found, own) = (manifest.schema, SCHEMA_VERSION);
        match found.cmp(&own) {
            std::cmp::Ordering::Greater => return Err(RestoreError::Newer { found, own }),
            std::cmp::Ordering::Less => return Err(RestoreError::Older { found, own }),
            std::cmp::Ordering::Equal => {}
        }
        let descriptions = seals.iter().map(|seal| seal.describe().clone()).collect();
        let old_seals = part.seals.iter().map(ToString::to_string).collect();
        let (lent, seals, env) = (Arc::clone(key), seals.to_vec(), self.env().clone());
        let wraps = spawn_blocking(move || rewrap(&part.keys, &part.wraps, &lent, &seals, &mut env.fork()));
        let wraps = wraps.await.map_err(|error| Fault::Unexpected(error.to_string()))??;
        let recipient = key.recipient().id();
        Ok(Plan { manifest, digest: seen.digest, recipient, old_seals, seals: descriptions, wraps })
    }
}

/// What every backup begins with.
pub(super) fn begin(reader: &mut Reader<impl Read>) -> Result<(Manifest, KeyringPart), RestoreError> {
    let manifest = Manifest::read(reader.descriptor())?;
    match records::read(reader)? {
        records::Record::Keyring(part) => Ok((manifest, part)),
        _ => Err(Damage("it does not begin with the keyring").into()),
    }
}

/// Every row, in the transaction; how many there were.
async fn carry(tx: &mut Tx, mut reader: Reader<impl Read + Send>) -> Result<u64, RestoreError> {
    begin(&mut reader)?;
    let mut into: Option<(Carried, Target)> = None;
    let mut counted: BTreeMap<String, u64> = BTreeMap::new();
    loop {
        match records::read(&mut reader)? {
            records::Record::Table { name, columns } => {
                let table =
                    Carried::named(&name).ok_or(Damage("it has a table that this version does not know"))?;
                let target = Target::of(tx, table, &columns).await?;
                let target = target.ok_or(Damage("a table has other columns than this version's"))?;
                if counted.insert(name, 0).is_some() {
                    return Err(Damage("a table comes twice").into());
                }
                into = Some((table, target));
            }
            records::Record::Rows(rows) => {
                let (table, target) = into.as_ref().ok_or(Damage("rows belong to no table"))?;
                if let Some(number) = counted.get_mut(table.name()) {
                    *number = number.saturating_add(rows.len() as u64);
                }
                target.put(tx, rows).await?;
            }
            records::Record::End(said) if said == counted => return Ok(said.values().sum()),
            records::Record::End(_) => return Err(Damage("it has other rows than it says").into()),
            records::Record::Keyring(_) => return Err(Damage("the keyring comes twice").into()),
        }
    }
}

async fn keep_keyring(tx: &mut Tx, plan: &Plan, now: DateTime<Utc>) -> Result<(), StoreError> {
    for seal in &plan.seals {
        keyring::add_seal(tx, &seal_row(seal, now)).await?;
    }
    for wrap in &plan.wraps {
        keyring::put_wrap(tx, &wrap_row(wrap)).await?;
    }
    instance::raise_clock(tx, now).await
}

async fn note(
    tx: &mut Tx,
    plan: &Plan,
    record: &Record,
    restore: RestoreId,
    rows: u64,
) -> Result<Written<u64>, RestoreError> {
    let row = RestoreRow {
        id: restore.to_string(),
        made_at: micros(plan.manifest.made_at),
        digest: hex::encode(plan.digest),
        restored_at: micros(record.now()),
        counter: Some(plan.manifest.counter),
        events_until: None,
    };
    backups::note_restore(tx, &row).await?;
    let event = record
        .event("backup.restore", "restore", restore)
        .fact("digest", Fact::digest(&plan.digest))
        .fact("made_at", plan.manifest.made_at)
        .fact("recipient", plan.recipient)
        .fact("rows", rows);
    let written = Written::new(rows, event.finish()?);
    // The old seals are where the old house was; the new ones wrap everything here.
    let gone = plan.old_seals.iter().map(|seal| record.event("seal.remove", "seal", seal));
    let new = plan.seals.iter().map(|seal| record.event("seal.add", "seal", &seal.id));
    let seals: Vec<EventRow> = gone.chain(new).map(crate::audit::Draft::finish).collect::<Result<_, _>>()?;
    Ok(written.and_all(seals))
}

/// The gap that a restore leaves, in words.
pub(super) fn gap(made_at: DateTime<Utc>) -> String {
    made_at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}
