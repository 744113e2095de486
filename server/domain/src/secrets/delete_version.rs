//! Deleting one version: it is read no more, and comes back as it was until its window is over. Its labels stay where they
//! are, so that a restored version is found again by them; none moves by itself.

use keywarden_model::{SecretId, VersionState};
use keywarden_store::Written;
use keywarden_store::secrets as rows;

use super::delete::over;
use super::secret::{Address, Deletion, claim_seen, current};
use crate::audit::Fact;
use crate::refused::carries_refused;
use crate::{Action, Domain, Op, Refused};

/// Why no version was deleted.
#[derive(Debug, thiserror::Error)]
pub enum DeleteVersionError {
    /// Callers who name no version read it.
    #[error("this version is `current`: put a new value or move `current` first, or delete the secret")]
    Current,
    /// The whole secret is deleted.
    #[error("this secret is deleted: restore it first")]
    Deleted,
    /// It is deleted already, or destroyed.
    #[error("this version is {0}: nothing was changed")]
    Is(VersionState),
    /// As everywhere.
    #[error(transparent)]
    Refused(#[from] Refused),
}
carries_refused!(DeleteVersionError);

/// Why no version was restored.
#[derive(Debug, thiserror::Error)]
pub enum RestoreVersionError {
    /// The whole secret is deleted.
    #[error("this secret is deleted: restore it first")]
    Deleted,
    /// It is there, or destroyed.
    #[error("this version is {0}: only a deleted one is restored")]
    Is(VersionState),
    /// As everywhere; a version whose window is over is not found.
    #[error(transparent)]
    Refused(#[from] Refused),
}
carries_refused!(RestoreVersionError);

impl Domain {
    /// Deletes a version. How long it can be restored, its environment says at this moment.
    pub async fn delete_secret_version(
        &self,
        op: &Op,
        id: SecretId,
        number: i64,
    ) -> Result<Deletion, DeleteVersionError> {
        let resource = self.secret_as_resource(&Address::Id(id)).await?;
        self.change(op, Action::DeleteSecretVersion, &resource, &[], move |tx, record| {
            Box::pin(async move {
                let it = claim_seen(tx, &record, &resource).await?;
                let version = it.version(tx, number).await?;
                if it.secret.deletion.is_some() {
                    return Err(DeleteVersionError::Deleted);
                }
                if !matches!(version.state, VersionState::Disabled | VersionState::Enabled) {
                    return Err(DeleteVersionError::Is(version.state));
                }
                if current(&it.labels) == Some(number) {
                    return Err(DeleteVersionError::Current);
                }
                let now = record.now();
                let deletion = Deletion { at: now, purge_at: over(now, it.secret.recovery_days)? };
                rows::delete_version(tx, id, number, now, deletion.purge_at).await?;
                let stay = it.labels.iter().filter(|(_, at)| **at == number).map(|(label, _)| label.into());
                let event = record
                    .event(Action::DeleteSecretVersion.name(), "secret", id)
                    .project(it.secret.project)
                    .fact("version", number)
                    .fact("version_id", version.id)
                    .change("state", version.state, VersionState::SoftDeleted)
                    .fact("purge_at", deletion.purge_at)
                    .fact("labels", Fact::list(stay));
                Ok(Written::new(deletion, event.finish()?))
            })
        })
        .await
    }

    /// Restores a deleted version: it is enabled, or disabled, as it was.
    pub async fn restore_secret_version(
        &self,
        op: &Op,
        id: SecretId,
        number: i64,
    ) -> Result<(), RestoreVersionError> {
        let resource = self.secret_as_resource(&Address::Id(id)).await?;
        self.change(op, Action::RestoreSecretVersion, &resource, &[], move |tx, record| {
            Box::pin(async move {
                let it = claim_seen(tx, &record, &resource).await?;
                let version = it.version(tx, number).await?;
                if it.secret.deletion.is_some() {
                    return Err(RestoreVersionError::Deleted);
                }
                let deletion = version.deletion.ok_or(RestoreVersionError::Is(version.state))?;
                // Over is over, whether the job has come by or not.
                if deletion.purge_at <= record.now() {
                    return Err(Refused::NotFound.into());
                }
                rows::restore_version(tx, id, number).await?;
                let after = it.version(tx, number).await?;
                let event = record
                    .event(Action::RestoreSecretVersion.name(), "secret", id)
                    .project(it.secret.project)
                    .fact("version", number)
                    .fact("version_id", version.id)
                    .fact("deleted_at", deletion.at)
                    .change("state", VersionState::SoftDeleted, after.state);
                Ok(Written::new((), event.finish()?))
            })
        })
        .await
    }
}
