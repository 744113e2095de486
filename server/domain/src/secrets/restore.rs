//! Taking a deletion back.

use keywarden_model::SecretId;
use keywarden_store::Written;
use keywarden_store::secrets as rows;

use super::secret::{Address, claim_seen};
use crate::audit::Fact;
use crate::refused::carries_refused;
use crate::{Action, Domain, Op, Refused};

/// Why nothing was restored.
#[derive(Debug, thiserror::Error)]
pub enum RestoreSecretError {
    /// It is there.
    #[error("this secret is not deleted")]
    NotDeleted,
    /// As everywhere; a secret whose window is over is not found.
    #[error(transparent)]
    Refused(#[from] Refused),
}
carries_refused!(RestoreSecretError);

impl Domain {
    /// Restores a deleted secret as it was: its versions, their states, its labels.
    pub async fn restore_secret(&self, op: &Op, id: SecretId) -> Result<(), RestoreSecretError> {
        let resource = self.secret_as_resource(&Address::Id(id)).await?;
        self.change(op, Action::RestoreSecret, &resource, &[], move |tx, record| {
            Box::pin(async move {
                let it = claim_seen(tx, &record, &resource).await?;
                let deletion = it.secret.deletion.ok_or(RestoreSecretError::NotDeleted)?;
                // Over is over, whether the job has come by or not.
                if deletion.purge_at <= record.now() {
                    return Err(Refused::NotFound.into());
                }
                rows::restore(tx, id, record.now()).await?;
                let event = record
                    .event(Action::RestoreSecret.name(), "secret", id)
                    .project(it.secret.project)
                    .change("deleted_at", deletion.at, Fact::none());
                Ok(Written::new((), event.finish()?))
            })
        })
        .await
    }
}
