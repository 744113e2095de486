//! The drill itself.

use std::collections::BTreeMap;
use std::path::PathBuf;

use keywarden_store::backup::{Carried, count};
use keywarden_store::{StoreError, backups, drills, fsck};
use keywarden_vault::OpenError;
use keywarden_vault::recovery::RecoveryKey;
use tokio::task::spawn_blocking;

use super::scratch::{Scratch, opener};
use super::{Drill, DrillReport, Drills};
use crate::backup::{RestoreError, Verified, VerifyError, verify};
use crate::{Domain, Fault};

/// Values that are compared.
const SAMPLE: i64 = 100;
/// Tables into which a restore writes rows of its own.
const RESTORE_WRITES: [&str; 3] = ["events", "event_personal", "restores"];

/// Why a look ended early, in words.
#[derive(Debug, thiserror::Error)]
pub(super) enum Broken {
    #[error("the look broke off: {0}")]
    Fault(#[from] Fault),
    #[error("the file is not good: {0}")]
    File(#[from] VerifyError),
    #[error("the file is another one than was made: its SHA-256 is not the record's")]
    Other,
    #[error("its key is gone: a newer backup was made, or drills were switched off")]
    NoKey,
    #[error("it does not come back: {0}")]
    Restore(#[from] RestoreError),
    #[error("{0}")]
    Scratch(String),
}

impl From<StoreError> for Broken {
    fn from(error: StoreError) -> Self {
        Fault::from(error).into()
    }
}

impl Domain {
    /// Restores the backup, looks at everything, and takes it away again. Whatever goes wrong is in the report.
    pub(super) async fn look_into_backup(&self, drill: &Drill, drills: &Drills) -> DrillReport {
        let mut report = DrillReport::default();
        // A future of its own: it holds a whole restore.
        if let Err(why) = Box::pin(self.prove_backup(drill, drills, &mut report)).await {
            report.failures.push(why.to_string());
        }
        report
    }

    async fn prove_backup(
        &self,
        drill: &Drill,
        drills: &Drills,
        report: &mut DrillReport,
    ) -> Result<(), Broken> {
        let (file, digest, size, key) = self.what_opens(drill).await?;
        let (seen, key) = proven(file.clone(), key).await?;
        if hex::encode(seen.digest) != digest {
            return Err(Broken::Other);
        }
        let said = seen.rows.unwrap_or_default();
        report.rows = said.values().sum();
        let scratch = Scratch::make(self, drills, size).await?;
        report.seal = Some(scratch.under.clone());
        let proven = Box::pin(self.prove_in(&scratch, file, key, &said, report)).await;
        scratch.remove().await;
        proven
    }

    /// Brings it back there, and looks at everything.
    async fn prove_in(
        &self,
        scratch: &Scratch,
        file: PathBuf,
        key: RecoveryKey,
        said: &BTreeMap<String, u64>,
        report: &mut DrillReport,
    ) -> Result<(), Broken> {
        let house = &scratch.house;
        let restored = house.restore(opener(file), key, &scratch.seals).await?;
        if restored.rows != report.rows {
            report.failures.push(format!("{} rows came back of {}", restored.rows, report.rows));
        }
        let findings = house.fsck(&scratch.seals).await?;
        (report.events, report.opened) = (findings.events, findings.opened);
        report.failures.extend(findings.findings.iter().map(ToString::to_string));
        report.failures.extend(findings.skipped.iter().map(|it| format!("not looked at: {it}")));
        report.apart = findings.apart;
        report.failures.extend(house.miscounted(said).await?);
        report.failures.extend(self.other_head(house).await?);
        self.compare_values(house, report).await?;
        Ok(())
    }

    /// The file, its digest and size as the record has them, and the key.
    async fn what_opens(&self, drill: &Drill) -> Result<(PathBuf, String, u64, RecoveryKey), Broken> {
        let mut conn = self.store().read().await?;
        let backup = backups::find(&mut conn, drill.backup).await?;
        let key = drills::key(&mut conn).await?;
        drop(conn);
        let found = backup.zip(key).filter(|(backup, key)| backup.id == key.id);
        let (backup, key) = found.ok_or(Broken::NoKey)?;
        let key = self.open_drill_key(&key)?;
        Ok((PathBuf::from(backup.file), backup.digest, u64::try_from(backup.size).unwrap_or_default(), key))
    }

    /// Tables that do not have as many rows as the backup says.
    async fn miscounted(&self, said: &BTreeMap<String, u64>) -> Result<Vec<String>, Fault> {
        let mut wrong = Vec::new();
        let mut conn = self.store().read().await?;
        for table in Carried::all() {
            let there = u64::try_from(count(&mut conn, table).await?).unwrap_or_default();
            let told = said.get(table.name()).copied().unwrap_or_default();
            let fits = if RESTORE_WRITES.contains(&table.name()) { there >= told } else { there == told };
            if !fits {
                wrong.push(format!("`{}` has {there} rows, the backup says {told}", table.name()));
            }
        }
        Ok(wrong)
    }

    /// What is wrong with the newest event that came back: this house has it too, byte for byte.
    async fn other_head(&self, restored: &Self) -> Result<Option<String>, Fault> {
        let head = drills::event_head(&mut restored.store().read().await?).await?;
        let Some(head) = head else { return Ok(None) };
        let own = drills::event(&mut self.store().read().await?, &head.id).await?;
        Ok(match own {
            Some(own) if own == head => None,
            Some(_) => Some(format!("the newest event, `{}`, has other bytes than here", head.id)),
            None => Some(format!("the newest event, `{}`, is not in this house's record", head.id)),
        })
    }

    /// Opens some values there and here. One that was destroyed here since is passed over.
    async fn compare_values(&self, restored: &Self, report: &mut DrillReport) -> Result<(), Fault> {
        let drawn = fsck::some_versions(&mut restored.store().read().await?, SAMPLE).await?;
        for id in drawn {
            let there = fsck::sealed_version(&mut restored.store().read().await?, id).await?;
            let here = fsck::sealed_version(&mut self.store().read().await?, id).await?;
            let (Some(there), Some(here)) = (there, here) else { continue };
            match (restored.sealed_value(&there), self.sealed_value(&here)) {
                (Ok(there), Ok(here)) if there.expose() == here.expose() => {
                    report.compared = report.compared.saturating_add(1);
                }
                (Ok(_), Ok(_)) => report.failures.push(format!("`{id}` is another value than here")),
                // Its project's own seal opens it, which a look does not ask.
                (Err(OpenError::SealAway { .. }), _) => {}
                (Err(cause), _) => report.failures.push(format!("`{id}` does not open: {cause}")),
                (_, Err(cause)) => report.failures.push(format!("`{id}` does not open here: {cause}")),
            }
        }
        Ok(())
    }
}

/// The file, read whole and proven.
async fn proven(file: PathBuf, key: RecoveryKey) -> Result<(Verified, RecoveryKey), Broken> {
    let looking = spawn_blocking(move || verify(opener(file), Some(&key)).map(|seen| (seen, key)));
    Ok(looking.await.map_err(|error| Fault::Unexpected(error.to_string()))??)
}
