//! The end of an old value, now.

use keywarden_model::{ApiKeyId, KeyState, KeyValueId, RevokeReason};
use keywarden_store::keys as rows;
use keywarden_store::{ChangeKind, Written};

use super::key::claim;
use crate::refused::carries_refused;
use crate::{Action, Domain, Op, Refused};

/// Why the value goes on.
#[derive(Debug, thiserror::Error)]
pub enum StopError {
    /// It is the current value.
    #[error("this is the key's current value: rotate first, or revoke the key")]
    Current,
    /// As everywhere.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// It has stopped.
    #[error("this value has stopped already")]
    Stopped,
}
carries_refused!(StopError);

impl Domain {
    /// Stops an old value at once; with a reason it is revoked, and tells its callers so. [`Domain::drain_board`] says
    /// who breaks. One that has stopped can still become *compromised*.
    pub async fn stop_old_value(
        &self,
        op: &Op,
        id: ApiKeyId,
        value: KeyValueId,
        reason: Option<RevokeReason>,
    ) -> Result<(), StopError> {
        let (resource, owner) = self.key_as_resource(id).await?;
        self.change(op, Action::StopOldKeyValue, &resource, &[], move |tx, record| {
            Box::pin(async move {
                let now = record.now();
                let it = claim(tx, &record, id, owner).await?;
                let old = it.values.iter().find(|it| it.id == value).ok_or(Refused::NotFound)?;
                let is_marked = matches!(old.state, KeyState::Compromised | KeyState::Destroyed);
                if !old.is_living() && (is_marked || reason != Some(RevokeReason::KeyCompromise)) {
                    return Err(StopError::Stopped);
                }
                if old.is_living() && old.superseded_at.is_none() {
                    return Err(StopError::Current);
                }
                let end = old.stops_at.map_or(now, |end| end.min(now));
                match reason {
                    Some(reason) => rows::revoke_value(tx, value, now, reason.as_str()).await?,
                    None => rows::stop_value(tx, value, end).await?,
                }
                tx.restrict(ChangeKind::Key, id, now).await?;
                let mut event = record
                    .event(Action::StopOldKeyValue.name(), "key", id)
                    .project(it.key.project)
                    .fact("value", value)
                    .change("stops_at", old.stops_at, end);
                if let Some(reason) = reason {
                    event = event.fact("reason", reason);
                }
                Ok(Written::new((), event.finish()?))
            })
        })
        .await
    }
}
