//! The end of a suspension.

use keywarden_model::ApiKeyId;
use keywarden_store::keys as rows;
use keywarden_store::{ChangeKind, Written};

use super::key::claim;
use crate::refused::carries_refused;
use crate::{Action, Domain, Op, Refused};

/// Why the key was not resumed.
#[derive(Debug, thiserror::Error)]
pub enum ResumeError {
    /// Its project is archived.
    #[error("this key's project is archived: nothing in it works again")]
    Archived,
    /// It is not suspended.
    #[error("this key is not suspended")]
    NotSuspended,
    /// As everywhere.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// It was revoked.
    #[error("this key is revoked: it cannot be resumed")]
    Revoked,
}
carries_refused!(ResumeError);

impl Domain {
    /// Lets a suspended key go on.
    pub async fn resume_key(&self, op: &Op, id: ApiKeyId) -> Result<(), ResumeError> {
        let (resource, owner) = self.key_as_resource(id).await?;
        self.change(op, Action::ResumeKey, &resource, &[], move |tx, record| {
            Box::pin(async move {
                let now = record.now();
                let it = claim(tx, &record, id, owner).await?;
                if it.key.revoked.is_some() {
                    return Err(ResumeError::Revoked);
                }
                if it.key.archived {
                    return Err(ResumeError::Archived);
                }
                if it.key.suspended_at.is_none() {
                    return Err(ResumeError::NotSuspended);
                }
                rows::suspend(tx, id, None).await?;
                tx.restrict(ChangeKind::Key, id, now).await?;
                let event = record.event(Action::ResumeKey.name(), "key", id).project(it.key.project).change(
                    "suspended",
                    true,
                    false,
                );
                Ok(Written::new((), event.finish()?))
            })
        })
        .await
    }
}
