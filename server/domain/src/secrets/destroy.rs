//! Destroying a version: its data key, its value and its fingerprint go. Backups that still hold it are not reached.

use keywarden_model::{SecretId, VersionState};
use keywarden_store::Written;
use keywarden_store::secrets as rows;

use super::secret::{Address, claim_seen, current};
use crate::audit::Fact;
use crate::refused::carries_refused;
use crate::{Action, Domain, Op, Refused};

/// Why nothing was destroyed.
#[derive(Debug, thiserror::Error)]
pub enum DestroyVersionError {
    /// It is already.
    #[error("this version is destroyed already")]
    Already,
    /// Callers read it.
    #[error("this version is `current`: put a new value, move `current` or delete the secret first")]
    Current,
    /// The environment lets nothing be destroyed at once.
    #[error(
        "this environment has purge protection: delete the version, and it is destroyed when its window is over"
    )]
    Protected,
    /// As everywhere.
    #[error(transparent)]
    Refused(#[from] Refused),
}
carries_refused!(DestroyVersionError);

impl Domain {
    /// Destroys a version for good, with the labels that point at it; that of `current` once the secret is deleted.
    pub async fn destroy_secret_version(
        &self,
        op: &Op,
        id: SecretId,
        number: i64,
    ) -> Result<(), DestroyVersionError> {
        let resource = self.secret_as_resource(&Address::Id(id)).await?;
        self.change(op, Action::DestroySecretVersion, &resource, &[], move |tx, record| {
            Box::pin(async move {
                let it = claim_seen(tx, &record, &resource).await?;
                let version = it.version(tx, number).await?;
                if version.state == VersionState::Destroyed {
                    return Err(DestroyVersionError::Already);
                }
                if it.secret.purge_protection {
                    return Err(DestroyVersionError::Protected);
                }
                match current(&it.labels) == Some(number) {
                    // Nobody reads a deleted secret.
                    true if it.secret.deletion.is_some() => {
                        rows::destroy_current(tx, id, number, record.now()).await?;
                    }
                    true => return Err(DestroyVersionError::Current),
                    false => rows::destroy_version(tx, id, number, record.now()).await?,
                }
                let lost = it.labels.iter().filter(|(_, at)| **at == number).map(|(label, _)| label.into());
                let event = record
                    .event(Action::DestroySecretVersion.name(), "secret", id)
                    .project(it.secret.project)
                    .fact("version", number)
                    .fact("version_id", version.id)
                    .change("state", version.state, VersionState::Destroyed)
                    .fact("labels", Fact::list(lost));
                Ok(Written::new((), event.finish()?))
            })
        })
        .await
    }
}
