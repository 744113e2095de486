//! Destroying what was deleted: once its window is over, when a job asks, and before that, where nothing protects it, when
//! somebody does. On any number of nodes each secret, and each version that was deleted by itself, goes once.

use keywarden_model::time::micros;
use keywarden_model::{SecretId, VersionState};
use keywarden_store::secrets as rows;
use keywarden_store::{EventRow, Tx, Written};

use super::secret::{Address, Deletion, Secret, Version, claim_seen, find, labels};
use crate::audit::{Fact, Record};
use crate::refused::carries_refused;
use crate::{Action, Domain, Fault, Op, Refused};

/// Secrets, and versions, in one run: the rest is for the next one.
const BATCH: u32 = 200;

#[derive(Debug, thiserror::Error)]
enum PurgeError {
    /// Restored, or purged by another node, since the look.
    #[error("it is not due")]
    NotDue,
    #[error(transparent)]
    Refused(#[from] Refused),
}
carries_refused!(PurgeError);

/// Why nothing was destroyed.
#[derive(Debug, thiserror::Error)]
pub enum PurgeSecretError {
    /// Only what is deleted is destroyed as a whole.
    #[error("this secret is not deleted: delete it first")]
    NotDeleted,
    /// The environment lets nothing be destroyed at once.
    #[error("this environment has purge protection: the secret is destroyed when its window is over")]
    Protected,
    /// As everywhere.
    #[error(transparent)]
    Refused(#[from] Refused),
}
carries_refused!(PurgeSecretError);

impl Domain {
    /// Destroys every version of a deleted secret before its window is over. Its path is free then.
    pub async fn purge_secret(&self, op: &Op, id: SecretId) -> Result<(), PurgeSecretError> {
        let resource = self.secret_as_resource(&Address::Id(id)).await?;
        let purged = self.change(op, Action::PurgeSecret, &resource, &[], move |tx, record| {
            Box::pin(async move {
                let it = claim_seen(tx, &record, &resource).await?;
                let deletion = it.secret.deletion.ok_or(PurgeSecretError::NotDeleted)?;
                if it.secret.purge_protection {
                    return Err(PurgeSecretError::Protected);
                }
                Ok(Written::new((), purged(tx, &record, &it.secret, deletion).await?))
            })
        });
        match purged.await {
            // The same request once more finds nothing because it was done.
            Err(PurgeSecretError::Refused(Refused::NotFound)) if self.was_done(op).await? => Ok(()),
            purged => purged,
        }
    }

    /// Destroys every version of the deleted secrets whose window is over; says how many secrets it were.
    pub async fn purge_secrets(&self, op: &Op) -> Result<u64, Fault> {
        let due = rows::due(&mut self.store().read().await?, micros(op.now), BATCH).await?;
        let mut purged = 0_u64;
        for id in due {
            purged = purged.saturating_add(went(self.purge_due_secret(op, id).await)?);
        }
        Ok(purged)
    }

    /// Destroys the versions that were deleted by themselves and whose window is over; says how many it were.
    pub async fn purge_secret_versions(&self, op: &Op) -> Result<u64, Fault> {
        let due = rows::due_versions(&mut self.store().read().await?, micros(op.now), BATCH).await?;
        let mut purged = 0_u64;
        for (id, number) in due {
            purged = purged.saturating_add(went(self.purge_secret_version(op, id, number).await)?);
        }
        Ok(purged)
    }

    async fn purge_secret_version(&self, op: &Op, id: SecretId, number: i64) -> Result<(), PurgeError> {
        self.change_unasked(op, "deleted versions whose window is over", &[], move |tx, record| {
            Box::pin(async move {
                if !rows::claim(tx, id).await? {
                    return Err(PurgeError::NotDue);
                }
                let row = find(tx, &Address::Id(id)).await?.ok_or(PurgeError::NotDue)?;
                let secret = Secret::from_row(row)?;
                let row = rows::version(tx, id, number).await?.ok_or(PurgeError::NotDue)?;
                let version = Version::from_row(row, false)?;
                let now = record.now();
                let due = version.deletion.filter(|deletion| deletion.purge_at <= now);
                let due = due.ok_or(PurgeError::NotDue)?;
                let labels = labels(rows::labels(tx, id).await?)?;
                let lost = labels.iter().filter(|(_, at)| **at == number).map(|(label, _)| label.into());
                rows::destroy_version(tx, id, number, now).await?;
                let event = record
                    .event("secret.purge-version", "secret", id)
                    .project(secret.project)
                    .fact("version", number)
                    .fact("version_id", version.id)
                    .fact("deleted_at", due.at)
                    .change("state", version.state, VersionState::Destroyed)
                    .fact("labels", Fact::list(lost));
                Ok(Written::new((), event.finish()?))
            })
        })
        .await
    }

    async fn purge_due_secret(&self, op: &Op, id: SecretId) -> Result<(), PurgeError> {
        self.change_unasked(op, "deleted secrets whose window is over", &[], move |tx, record| {
            Box::pin(async move {
                if !rows::claim(tx, id).await? {
                    return Err(PurgeError::NotDue);
                }
                let row = find(tx, &Address::Id(id)).await?.ok_or(PurgeError::NotDue)?;
                let secret = Secret::from_row(row)?;
                let due = secret.deletion.filter(|deletion| deletion.purge_at <= record.now());
                let due = due.ok_or(PurgeError::NotDue)?;
                Ok(Written::new((), purged(tx, &record, &secret, due).await?))
            })
        })
        .await
    }
}

/// Destroys what there is of a claimed, deleted secret, and tells it.
async fn purged(
    tx: &mut Tx,
    record: &Record,
    secret: &Secret,
    deletion: Deletion,
) -> Result<EventRow, Refused> {
    // Another node, whose clock runs ahead, may have deleted it.
    let at = record.now().max(deletion.at);
    let versions = rows::purge(tx, secret.id, at).await?;
    let event = record
        .event(Action::PurgeSecret.name(), "secret", secret.id)
        .project(secret.project)
        .change("purged_at", Fact::none(), at)
        .fact("deleted_at", deletion.at)
        .fact("versions_destroyed", versions);
    Ok(event.finish()?)
}

/// One more, or none: what is not due any more is somebody else's.
fn went(purged: Result<(), PurgeError>) -> Result<u64, Fault> {
    match purged {
        Ok(()) => Ok(1),
        Err(PurgeError::NotDue) => Ok(0),
        Err(PurgeError::Refused(Refused::Fault(fault))) => Err(fault),
        Err(PurgeError::Refused(refused)) => Err(Fault::Unexpected(refused.to_string())),
    }
}
