//! A stop for good.

use chrono::{DateTime, Utc};
use keywarden_model::{ApiKeyId, KeyState, RevokeReason};
use keywarden_store::keys as rows;
use keywarden_store::{ChangeKind, EventRow, Tx, Written};

use super::key::claim;
use crate::audit::Record;
use crate::authz::Owner;
use crate::refused::carries_refused;
use crate::{Action, Domain, Op, Refused};

/// Why the key was not revoked.
#[derive(Debug, thiserror::Error)]
pub enum RevokeError {
    /// It is already.
    #[error("this key is revoked already")]
    Already,
    /// As everywhere.
    #[error(transparent)]
    Refused(#[from] Refused),
}
carries_refused!(RevokeError);

impl Domain {
    /// Stops a key with all its values for good. A compromise makes its values *compromised*, also where it is learned of
    /// after the key was revoked for another reason.
    pub async fn revoke_key(
        &self,
        op: &Op,
        id: ApiKeyId,
        reason: RevokeReason,
        note: &str,
    ) -> Result<(), RevokeError> {
        let (resource, owner) = self.key_as_resource(id).await?;
        let note = note.to_owned();
        self.change(op, Action::RevokeKey, &resource, &[], move |tx, record| {
            let note = note.clone();
            Box::pin(async move {
                let now = record.now();
                let done = revoke(tx, &record, (id, owner), reason, &note, now).await?;
                let event = done.ok_or(RevokeError::Already)?;
                Ok(Written::new((), event))
            })
        })
        .await
    }
}

/// Revokes one key; `None` if it was revoked before, and not for less than it is now.
pub(super) async fn revoke(
    tx: &mut Tx,
    record: &Record,
    (id, owner): (ApiKeyId, Owner),
    reason: RevokeReason,
    note: &str,
    now: DateTime<Utc>,
) -> Result<Option<EventRow>, Refused> {
    let it = claim(tx, record, id, owner).await?;
    match it.key.revoked {
        None => rows::revoke(tx, id, now, reason.as_str()).await?,
        Some((_, before)) if before.is_outdone_by(reason) => rows::compromise(tx, id).await?,
        Some(_) => return Ok(None),
    }
    tx.restrict(ChangeKind::Key, id, now).await?;
    let to =
        if reason == RevokeReason::KeyCompromise { KeyState::Compromised } else { KeyState::Deactivated };
    let event = record
        .event(Action::RevokeKey.name(), "key", id)
        .project(it.key.project)
        .change("state", it.key.state(now), to)
        .fact("reason", reason)
        .text("note", note);
    Ok(Some(event.finish()?))
}
