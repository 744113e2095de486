//! Rotation: a new value, while the old one works on for an overlap.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use keywarden_model::{
    ApiKeyId, KeyLabel, KeyValueId,
    time::{later, seconds},
};
use keywarden_store::keys as rows;
use keywarden_store::{ChangeKind, Written};
use keywarden_vault::{Purpose, SecretString};

use super::issue::{Fresh, Issued};
use super::key::{Key, KeyValue, claim};
use crate::once::Repeatable;
use crate::refused::carries_refused;
use crate::{Action, Domain, Fault, Op, Refused};

/// The longest overlap.
pub const LONGEST_OVERLAP: TimeDelta = TimeDelta::days(90);
/// Values of a key that work at the same time.
pub const MOST_VALUES: usize = 5;

/// How long the old value works on. Never past the key's own expiry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Overlap {
    /// As the environment says.
    #[default]
    Default,
    /// For so long; zero stops it at once.
    For(TimeDelta),
    /// Until then.
    Until(DateTime<Utc>),
}

/// The key with its new value, this once.
#[derive(Debug)]
pub struct Rotated {
    /// The key.
    pub id: ApiKeyId,
    /// The public part of the new value.
    pub public_id: String,
    /// The new value. It is not shown again.
    pub value: SecretString,
}

impl Repeatable for Rotated {
    fn thing(&self) -> String {
        self.id.to_string()
    }
    fn secret(&self) -> Option<&SecretString> {
        Some(&self.value)
    }
    fn again(thing: &str, secret: Option<SecretString>) -> Option<Self> {
        let Issued { id, public_id, value } = Issued::again(thing, secret)?;
        Some(Self { id, public_id, value })
    }
}

/// Why there is no new value.
#[derive(Debug, thiserror::Error)]
pub enum RotateError {
    /// The key's project is archived.
    #[error("this key's project is archived: nothing new is made in it")]
    Archived,
    /// The key's time is over.
    #[error("this key has expired: give it a later expiry first")]
    Expired,
    /// The overlap would end before it begins.
    #[error("the overlap would end in the past: choose a later date")]
    OverlapIsOver,
    /// The overlap is too long.
    #[error("an overlap lasts 90 days at most")]
    OverlapTooLong,
    /// As everywhere.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The key was revoked.
    #[error("this key is revoked: issue a new one")]
    Revoked,
    /// Too many values work already.
    #[error("{MOST_VALUES} values of this key work already: stop an old one first")]
    TooManyValues,
}
carries_refused!(RotateError);

/// What a rotation does to the old values. Pure.
fn plan(
    key: &Key,
    values: &[KeyValue],
    overlap: Overlap,
    now: DateTime<Utc>,
) -> Result<DateTime<Utc>, RotateError> {
    if key.revoked.is_some() {
        return Err(RotateError::Revoked);
    }
    if key.archived {
        return Err(RotateError::Archived);
    }
    if key.expires_at.is_some_and(|end| now >= end) {
        return Err(RotateError::Expired);
    }
    let ends = match overlap {
        Overlap::Default => {
            later(now, seconds(key.overlap_seconds).clamp(TimeDelta::zero(), LONGEST_OVERLAP))
        }
        Overlap::For(length) if length < TimeDelta::zero() => return Err(RotateError::OverlapIsOver),
        Overlap::For(length) if length > LONGEST_OVERLAP => return Err(RotateError::OverlapTooLong),
        Overlap::For(length) => later(now, length),
        Overlap::Until(end) if end < now => return Err(RotateError::OverlapIsOver),
        Overlap::Until(end) if end > later(now, LONGEST_OVERLAP) => return Err(RotateError::OverlapTooLong),
        Overlap::Until(end) => end,
    };
    let living = values.iter().filter(|value| value.is_living());
    let staying = living.filter(|value| value.superseded_at.is_some() || ends > now).count();
    if staying >= MOST_VALUES {
        return Err(RotateError::TooManyValues);
    }
    Ok(key.expires_at.map_or(ends, |end| ends.min(end)))
}

impl Domain {
    /// Gives a key a new value. The value that was current works on until the overlap ends; older ones keep their ends.
    pub async fn rotate_key(&self, op: &Op, id: ApiKeyId, overlap: Overlap) -> Result<Rotated, RotateError> {
        let (resource, owner) = self.key_as_resource(id).await?;
        let value: KeyValueId = self.fresh(op);
        let (keyring, mac_key) = (Arc::clone(self.keyring()), self.shared_key(Purpose::ApiKeyMac).await?);
        let by = op.actor.id();
        self.change(op, Action::RotateKey, &resource, &[], move |tx, record| {
            let (keyring, by) = (Arc::clone(&keyring), by.clone());
            Box::pin(async move {
                let now = record.now();
                let it = claim(tx, &record, id, owner).await?;
                let stops_at = plan(&it.key, &it.values, overlap, now)?;
                let mut event = record
                    .event(Action::RotateKey.name(), "key", id)
                    .project(it.key.project)
                    .fact("value", value);
                // One that has ended by itself (an imported value's last day is over) is superseded too: a key has one
                // value that is not.
                for old in it.values.iter().filter(|old| old.superseded_at.is_none()) {
                    let stops_at = old.stops_at.map_or(stops_at, |end| end.min(stops_at));
                    rows::supersede(tx, old.id, now, stops_at).await?;
                    event = event.fact("superseded", old.id).change("stops_at", old.stops_at, stops_at);
                }
                let label: KeyLabel =
                    it.key.label.parse().map_err(|cause| Fault::Damaged(format!("environments: {cause}")))?;
                let fresh = Fresh { id: value, key: id, label: &label, by: &by, mac_key };
                let (public_id, secret) = fresh.insert(tx, &record, &keyring).await?;
                tx.restrict(ChangeKind::Key, id, now).await?;
                Ok(Written::new(Rotated { id, public_id, value: secret }, event.finish()?))
            })
        })
        .await
    }
}
