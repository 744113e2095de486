//! More time for callers that have not changed over yet.

use chrono::{DateTime, Utc};
use keywarden_model::{ApiKeyId, KeyValueId, time::later};
use keywarden_store::keys as rows;
use keywarden_store::{ChangeKind, Written};

use super::key::{Key, KeyValue, claim};
use super::rotate::LONGEST_OVERLAP;
use crate::refused::carries_refused;
use crate::standards::{Breach, InForce};
use crate::{Action, Domain, Op, Refused};

/// Why an old value gets no more time.
#[derive(Debug, thiserror::Error)]
pub enum ExtendError {
    /// The key's project is archived.
    #[error("this key's project is archived: nothing in it is changed any more")]
    Archived,
    /// It is the current value, which has no end of its own.
    #[error("this is the key's current value: it has no overlap to extend")]
    Current,
    /// As everywhere.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// It would work for longer than a standard that is in force lets keys live.
    #[error(transparent)]
    Standard(#[from] Breach),
    /// It has stopped: what was refused once stays refused.
    #[error("this value has stopped already: its callers need the new one")]
    Stopped,
    /// Not later than now, or too late.
    #[error("choose an end between now and 90 days from now, and not after the key's expiry")]
    When,
}
carries_refused!(ExtendError);

fn check(key: &Key, value: &KeyValue, until: DateTime<Utc>, now: DateTime<Utc>) -> Result<(), ExtendError> {
    if key.archived {
        return Err(ExtendError::Archived);
    }
    if !value.is_living() {
        return Err(ExtendError::Stopped);
    }
    // An imported value has a last day also before the first rotation.
    if value.superseded_at.is_none() && value.stops_at.is_none() {
        return Err(ExtendError::Current);
    }
    let within =
        until > now && until <= later(now, LONGEST_OVERLAP) && key.expires_at.is_none_or(|end| until <= end);
    if within { Ok(()) } else { Err(ExtendError::When) }
}

impl Domain {
    /// Lets an old value, or an imported one, work until another moment, later or earlier.
    pub async fn extend_key_overlap(
        &self,
        op: &Op,
        id: ApiKeyId,
        value: KeyValueId,
        until: DateTime<Utc>,
    ) -> Result<(), ExtendError> {
        let (resource, owner) = self.key_as_resource(id).await?;
        self.change(op, Action::ExtendKeyOverlap, &resource, &[], move |tx, record| {
            Box::pin(async move {
                let now = record.now();
                let it = claim(tx, &record, id, owner).await?;
                let old = it.values.iter().find(|it| it.id == value).ok_or(Refused::NotFound)?;
                check(&it.key, old, until, now)?;
                let held = InForce::of(tx, it.key.project, &it.key.environment_slug, &it.key.label).await?;
                held.hold_value(old.created_at, old.stops_at, until)?;
                rows::stop_value(tx, value, until).await?;
                tx.restrict(ChangeKind::Key, id, now).await?;
                let event = record
                    .event(Action::ExtendKeyOverlap.name(), "key", id)
                    .project(it.key.project)
                    .fact("value", value)
                    .change("stops_at", old.stops_at, until);
                Ok(Written::new((), event.finish()?))
            })
        })
        .await
    }
}
