//! Deleting a secret: it is read no more, and can be restored until its window is over.

use chrono::{DateTime, TimeDelta, Utc};
use keywarden_store::Written;
use keywarden_store::secrets as rows;
use keywarden_vault::SecretString;

use super::put::{Expected, is_expected};
use super::secret::{Address, Deletion, claim, damaged};
use crate::audit::Fact;
use crate::once::Repeatable;
use crate::refused::carries_refused;
use crate::{Action, Domain, Fault, Op, Refused};

/// Why nothing was deleted.
#[derive(Debug, thiserror::Error)]
pub enum DeleteSecretError {
    /// It is already.
    #[error("this secret is deleted already")]
    Already,
    /// As everywhere.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// Somebody changed it since it was read.
    #[error("this secret was changed meanwhile: look at it again")]
    Stale,
}
carries_refused!(DeleteSecretError);

impl Repeatable for Deletion {
    fn thing(&self) -> String {
        format!("{} {}", self.at.timestamp_micros(), self.purge_at.timestamp_micros())
    }
    fn again(thing: &str, _: Option<SecretString>) -> Option<Self> {
        let (at, purge_at) = thing.split_once(' ')?;
        let instant = |text: &str| text.parse().ok().and_then(DateTime::<Utc>::from_timestamp_micros);
        Some(Self { at: instant(at)?, purge_at: instant(purge_at)? })
    }
}

impl Domain {
    /// Deletes a secret. How long it can be restored, its environment says at this moment.
    pub async fn delete_secret(
        &self,
        op: &Op,
        address: &Address,
        expected: Option<Expected>,
    ) -> Result<Deletion, DeleteSecretError> {
        let resource = self.secret_as_resource(address).await?;
        self.change(op, Action::DeleteSecret, &resource, &[], move |tx, record| {
            Box::pin(async move {
                let it = claim(tx, &resource).await?;
                if it.secret.deletion.is_some() {
                    return Err(DeleteSecretError::Already);
                }
                if !is_expected(tx, it.secret.id, &it.labels, expected).await? {
                    return Err(DeleteSecretError::Stale);
                }
                let now = record.now();
                let deletion = Deletion { at: now, purge_at: over(now, it.secret.recovery_days)? };
                rows::delete(tx, it.secret.id, now, deletion.purge_at).await?;
                let event = record
                    .event(Action::DeleteSecret.name(), "secret", it.secret.id)
                    .project(it.secret.project)
                    .change("deleted_at", Fact::none(), now)
                    .fact("purge_at", deletion.purge_at);
                Ok(Written::new(deletion, event.finish()?))
            })
        })
        .await
    }
}

/// When a window of so many days that opens now is over.
pub(crate) fn over(now: DateTime<Utc>, days: i64) -> Result<DateTime<Utc>, Fault> {
    let window = TimeDelta::try_days(days).filter(|window| *window > TimeDelta::zero());
    let over = window.and_then(|window| now.checked_add_signed(window));
    over.ok_or_else(|| damaged(format_args!("a recovery window of {days} days")))
}
