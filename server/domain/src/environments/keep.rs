//! How long an environment keeps deleted secrets.

use keywarden_model::{EnvironmentId, ProjectId};
use keywarden_store::{StoreError, Written, environments as rows, projects};

use crate::refused::carries_refused;
use crate::{Action, Domain, Fault, Op, Refused, Resource};

/// The window, in days.
const WINDOW: std::ops::RangeInclusive<i64> = 7..=90;

/// How long deleted secrets can be restored, and whether anything may be destroyed sooner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    recovery_days: i64,
    purge_protection: bool,
}

/// Why a number of days is no window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("use a recovery window of 7 to 90 days")]
pub struct RetentionError;

impl Retention {
    /// Checks the window.
    pub fn new(recovery_days: i64, purge_protection: bool) -> Result<Self, RetentionError> {
        WINDOW
            .contains(&recovery_days)
            .then_some(Self { recovery_days, purge_protection })
            .ok_or(RetentionError)
    }

    /// Days.
    pub fn recovery_days(self) -> i64 {
        self.recovery_days
    }

    /// Whether nothing is destroyed before they are over.
    pub fn purge_protection(self) -> bool {
        self.purge_protection
    }
}

/// Why nothing changed.
#[derive(Debug, thiserror::Error)]
pub enum KeepSecretsError {
    /// Its project is archived.
    #[error("this project is archived: it cannot be edited")]
    Archived,
    /// Somebody else edited it since it was read.
    #[error("this environment was edited meanwhile: look at it again")]
    ChangedMeanwhile,
    /// Purge protection is there to stay, and a shorter window would go round it.
    #[error("purge protection is on: it cannot be switched off, nor the window be made shorter")]
    Protected,
    /// As everywhere.
    #[error(transparent)]
    Refused(#[from] Refused),
}
carries_refused!(KeepSecretsError);

impl Domain {
    /// Sets how long the environment's secrets are kept once they are deleted from now on.
    pub async fn keep_secrets(
        &self,
        op: &Op,
        id: EnvironmentId,
        retention: Retention,
        row_version: i64,
    ) -> Result<(), KeepSecretsError> {
        let mut conn = self.store().read().await.map_err(Fault::from)?;
        let found = rows::find(&mut conn, id).await?;
        drop(conn);
        let project = found.map_or(ProjectId::NIL, |row| row.project_id);
        let resource = Resource::Environment { id, project };
        self.change(op, Action::EditEnvironment, &resource, &[], move |tx, record| {
            Box::pin(async move {
                let before = rows::find(tx, id).await?.ok_or(Refused::NotFound)?;
                let home = projects::find(tx, project).await?.ok_or(Refused::NotFound)?;
                if home.archived_at.is_some() {
                    return Err(KeepSecretsError::Archived);
                }
                let (days, protection) = (retention.recovery_days, retention.purge_protection);
                if before.purge_protection && (!protection || days < before.secret_recovery_days) {
                    return Err(KeepSecretsError::Protected);
                }
                rows::keep_secrets(tx, id, days, protection, row_version).await.map_err(
                    |error| match error {
                        StoreError::Stale(_) => KeepSecretsError::ChangedMeanwhile,
                        other => other.into(),
                    },
                )?;
                let event = record
                    .event("environment.edit", "environment", id)
                    .project(project)
                    .change("secret_recovery_days", before.secret_recovery_days, days)
                    .change("purge_protection", before.purge_protection, protection);
                Ok(Written::new((), event.finish()?))
            })
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_of_7_to_90_days() {
        for wrong in [0, 6, 91, -1, i64::MIN, i64::MAX] {
            assert_eq!(Retention::new(wrong, false), Err(RetentionError), "{wrong}");
        }
        assert!(Retention::new(7, true).is_ok() && Retention::new(90, false).is_ok());
    }
}
