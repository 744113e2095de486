//! A stop for a while.

use keywarden_model::ApiKeyId;
use keywarden_store::keys as rows;
use keywarden_store::{ChangeKind, Written};

use super::key::claim;
use crate::refused::carries_refused;
use crate::{Action, Domain, Op, Refused};

/// Why the key was not suspended.
#[derive(Debug, thiserror::Error)]
pub enum SuspendError {
    /// It is already.
    #[error("this key is suspended already")]
    Already,
    /// As everywhere.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// It was revoked.
    #[error("this key is revoked: it answers nobody any more")]
    Revoked,
}
carries_refused!(SuspendError);

impl Domain {
    /// Stops a key until it is resumed.
    pub async fn suspend_key(&self, op: &Op, id: ApiKeyId, reason: &str) -> Result<(), SuspendError> {
        let (resource, owner) = self.key_as_resource(id).await?;
        let reason = reason.to_owned();
        self.change(op, Action::SuspendKey, &resource, &[], move |tx, record| {
            let reason = reason.clone();
            Box::pin(async move {
                let now = record.now();
                let it = claim(tx, &record, id, owner).await?;
                if it.key.revoked.is_some() {
                    return Err(SuspendError::Revoked);
                }
                if it.key.suspended_at.is_some() {
                    return Err(SuspendError::Already);
                }
                rows::suspend(tx, id, Some(now)).await?;
                tx.restrict(ChangeKind::Key, id, now).await?;
                let event = record
                    .event(Action::SuspendKey.name(), "key", id)
                    .project(it.key.project)
                    .change("suspended", false, true)
                    .text("reason", reason);
                Ok(Written::new((), event.finish()?))
            })
        })
        .await
    }
}
