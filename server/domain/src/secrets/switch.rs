//! Disabling a version, and enabling it again. `current` may be disabled: then nothing is read until one decides.

use keywarden_model::{SecretId, VersionState};
use keywarden_store::Written;
use keywarden_store::secrets as rows;

use super::secret::{Address, claim_seen};
use crate::refused::carries_refused;
use crate::{Action, Domain, Op, Refused};

/// Why nothing was switched.
#[derive(Debug, thiserror::Error)]
pub enum SwitchVersionError {
    /// It is so already, or in a state that cannot be switched.
    #[error("this version is {0}: nothing was changed")]
    Is(VersionState),
    /// As everywhere.
    #[error(transparent)]
    Refused(#[from] Refused),
}
carries_refused!(SwitchVersionError);

impl Domain {
    /// Stops a version from being read.
    pub async fn disable_secret_version(
        &self,
        op: &Op,
        id: SecretId,
        number: i64,
    ) -> Result<(), SwitchVersionError> {
        self.switch_version(op, Action::DisableSecretVersion, id, number, VersionState::Disabled).await
    }

    /// Lets a version be read again.
    pub async fn enable_secret_version(
        &self,
        op: &Op,
        id: SecretId,
        number: i64,
    ) -> Result<(), SwitchVersionError> {
        self.switch_version(op, Action::EnableSecretVersion, id, number, VersionState::Enabled).await
    }

    async fn switch_version(
        &self,
        op: &Op,
        action: Action,
        id: SecretId,
        number: i64,
        to: VersionState,
    ) -> Result<(), SwitchVersionError> {
        let resource = self.secret_as_resource(&Address::Id(id)).await?;
        self.change(op, action, &resource, &[], move |tx, record| {
            Box::pin(async move {
                let it = claim_seen(tx, &record, &resource).await?;
                let version = it.version(tx, number).await?;
                let switches = matches!(version.state, VersionState::Disabled | VersionState::Enabled);
                if !switches || version.state == to {
                    return Err(SwitchVersionError::Is(version.state));
                }
                rows::set_state(tx, id, number, to.as_str()).await?;
                let event = record
                    .event(action.name(), "secret", id)
                    .project(it.secret.project)
                    .fact("version", number)
                    .fact("version_id", version.id)
                    .change("state", version.state, to);
                Ok(Written::new((), event.finish()?))
            })
        })
        .await
    }
}
