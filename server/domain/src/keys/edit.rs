//! Changing what a key may do, whose it is and how it is described.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use keywarden_model::{
    AllowedCidrs, ApiKeyId, Description, KeyValueId, Metadata, Name, RateLimit, Scopes, Tags,
};
use keywarden_store::keys as rows;
use keywarden_store::{ChangeKind, StoreError, Written};

use super::key::{Claimed, Key, claimed};
use super::terms::{TermError, Terms};
use crate::audit::{Draft, Record};
use crate::authz::Owner;
use crate::change::Besides;
use crate::policy::Moved;
use crate::refused::carries_refused;
use crate::standards::InForce;
use crate::{Action, Domain, Op, Refused, owner};

/// What is to change; `None` leaves a field as it is, `Some(None)` empties it.
#[derive(Debug, Clone, Default)]
pub struct KeyPatch {
    /// What people call it.
    pub name: Option<Name>,
    /// What it is for.
    pub description: Option<Description>,
    /// Whose it is.
    pub owner: Option<Owner>,
    /// What it may be used for.
    pub scopes: Option<Scopes>,
    /// Not valid before.
    pub not_before: Option<Option<DateTime<Utc>>>,
    /// Not valid from then on.
    pub expires_at: Option<Option<DateTime<Utc>>>,
    /// From where it may be used.
    pub allowed_cidrs: Option<AllowedCidrs>,
    /// How often.
    pub rate_limit: Option<Option<RateLimit>>,
    /// For finding it.
    pub tags: Option<Tags>,
    /// What verifiers get back with it.
    pub metadata: Option<Metadata>,
}

/// Why nothing changed.
#[derive(Debug, thiserror::Error)]
pub enum EditKeyError {
    /// Its project is archived.
    #[error("this key's project is archived: nothing in it is changed any more")]
    Archived,
    /// As everywhere.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// It was revoked.
    #[error("this key is revoked: it cannot be changed any more")]
    Revoked,
    /// Somebody changed it since it was read.
    #[error("this key was changed meanwhile: look at it again")]
    Stale,
    /// The new terms do not stand.
    #[error(transparent)]
    Terms(#[from] TermError),
}
carries_refused!(EditKeyError);

impl KeyPatch {
    fn apply(&self, key: &Key) -> Terms {
        Terms {
            name: self.name.clone().unwrap_or_else(|| key.name.clone()),
            description: self.description.clone().unwrap_or_else(|| key.description.clone()),
            owner: self.owner.unwrap_or(key.owner),
            scopes: self.scopes.clone().unwrap_or_else(|| key.scopes.clone()),
            allowed_cidrs: self.allowed_cidrs.clone().unwrap_or_else(|| key.allowed_cidrs.clone()),
            rate_limit: self.rate_limit.unwrap_or(key.rate_limit),
            tags: self.tags.clone().unwrap_or_else(|| key.tags.clone()),
            metadata: self.metadata.clone().unwrap_or_else(|| key.metadata.clone()),
            not_before: self.not_before.unwrap_or(key.not_before),
            expires_at: self.expires_at.unwrap_or(key.expires_at),
        }
    }
}

impl Domain {
    /// Changes a key's attributes. A key that has expired gets more time for a new value only: rotate it afterwards. With `if_version`, only if nobody changed it since it had that
    /// [`Key::row_version`].
    pub async fn edit_key(
        &self,
        op: &Op,
        id: ApiKeyId,
        if_version: Option<i64>,
        patch: KeyPatch,
    ) -> Result<(), EditKeyError> {
        let (resource, owner) = self.key_as_resource(id).await?;
        let moved = self.moved(&resource, patch.tags.as_ref(), patch.owner).await?;
        let regrants = self.regrants(resource.project(), &moved).await?;
        let concerned = Besides { what: resource, also: regrants.questions() };
        let patch = Arc::new(patch);
        self.change(op, Action::EditKey, &concerned, &[], move |tx, record| {
            let (patch, regrants) = (Arc::clone(&patch), regrants.clone());
            Box::pin(async move {
                let now = record.now();
                let taken = match if_version {
                    Some(version) => rows::claim_version(tx, id, version).await?,
                    None => rows::claim(tx, id).await?,
                };
                if !taken {
                    return Err(EditKeyError::Stale);
                }
                let it = claimed(tx, id, owner, now).await?;
                if it.key.revoked.is_some() {
                    return Err(EditKeyError::Revoked);
                }
                if it.key.archived {
                    return Err(EditKeyError::Archived);
                }
                let terms = patch.apply(&it.key);
                if (terms.not_before, terms.expires_at) != (it.key.not_before, it.key.expires_at) {
                    let since = it.values.first().map_or(it.key.created_at, |newest| newest.created_at);
                    terms.check_times(since, it.key.max_lifetime_seconds, now)?;
                    check_begin(it.key.not_before, terms.not_before, now)?;
                    for (value, end) in ends(&it, &terms, now) {
                        rows::stop_value(tx, value, end).await?;
                    }
                }
                let since = it.values.first().map_or(it.key.created_at, |newest| newest.created_at);
                let Key { project, environment_slug, label, .. } = &it.key;
                let held = InForce::of(tx, *project, environment_slug, label).await?;
                held.hold_key(Some(&it.key.stand(since)), &terms.stand(since), now)
                    .map_err(TermError::Standard)?;
                if terms.owner != it.key.owner {
                    terms.check_owner(tx).await??;
                }
                let attributes = terms.attributes()?;
                let environment = it.key.environment;
                if rows::name_is_taken(tx, environment, &attributes.folded_name, Some(id)).await? {
                    return Err(TermError::NameTaken.into());
                }
                rows::update(tx, id, &attributes).await.map_err(|error| match error {
                    StoreError::Conflict(_) => EditKeyError::Terms(TermError::NameTaken),
                    other => other.into(),
                })?;
                tx.restrict(ChangeKind::Key, id, now).await?;
                let moved = Moved::of((&it.key.tags, it.key.owner), (&terms.tags, terms.owner));
                let readers = regrants.note(tx, (it.key.project, &id), &moved, now).await?;
                Ok(Written::new((), told(&record, &it.key, &terms).read_by(&readers).finish()?))
            })
        })
        .await
    }
}

/// A key that has begun does not begin anew: to stop it for a while is another verb.
fn check_begin(
    before: Option<DateTime<Utc>>,
    after: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Result<(), TermError> {
    let is_to_come = |begin: Option<DateTime<Utc>>| begin.is_some_and(|begin| begin > now);
    if is_to_come(after) && !is_to_come(before) { Err(TermError::HasBegun) } else { Ok(()) }
}

/// Values that get another end with the key's own. No old one outlives its key; and what ended with its key has ended for
/// good, so that more time is for the value of a rotation to come.
fn ends(
    it: &Claimed,
    terms: &Terms,
    now: DateTime<Utc>,
) -> impl Iterator<Item = (KeyValueId, DateTime<Utc>)> {
    let ended = it.key.expires_at.filter(|end| *end <= now);
    it.values.iter().filter_map(move |value| {
        let end = ended.or(terms.expires_at.filter(|_| value.superseded_at.is_some()))?;
        value.stops_at.is_none_or(|stops| stops > end).then_some((value.id, end))
    })
}

fn told(record: &Record, before: &Key, after: &Terms) -> Draft {
    let mut event = record
        .event(Action::EditKey.name(), "key", before.id)
        .project(before.project)
        .change("owner", owner::fact(before.owner), owner::fact(after.owner))
        .change("scopes", &before.scopes, &after.scopes)
        .change("allowed_cidrs", &before.allowed_cidrs, &after.allowed_cidrs)
        .change("rate_limit", before.rate_limit, after.rate_limit)
        .tags(Some(&before.tags), &after.tags)
        .change("not_before", before.not_before, after.not_before)
        .change("expires_at", before.expires_at, after.expires_at);
    if before.name != after.name {
        event = event.text("name_before", &before.name).text("name", &after.name);
    }
    if before.description != after.description {
        event = event.text("description_before", &before.description).text("description", &after.description);
    }
    if before.metadata != after.metadata {
        event = event
            .text("metadata_before", before.metadata.to_text())
            .text("metadata", after.metadata.to_text());
    }
    event
}
