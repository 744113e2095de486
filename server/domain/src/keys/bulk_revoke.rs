//! Revoking many keys at once, after seeing what that breaks.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use keywarden_model::time::{earlier, from_micros};
use keywarden_model::{ApiKeyId, RevokeReason};
use keywarden_store::Written;
use keywarden_store::keys::{self as rows, list, usage};

use super::drain::{Caller, caller};
use super::key;
use super::list::{KeyLine, KeyQuery, line};
use super::meter::hour;
use super::revoke::revoke;
use crate::authz::{NOBODY, Owner};
use crate::once::Repeatable;
use crate::refused::carries_refused;
use crate::{Action, Domain, Op, Refused, Resource};

use keywarden_vault::SecretString;

/// Keys that can be revoked at once.
pub const MOST_AT_ONCE: u32 = 1_000;
/// Callers that would break are looked for so far back.
const LOOK_BACK: TimeDelta = TimeDelta::days(7);
/// More rows of callers than this are not looked through.
const MOST_CALLERS: i64 = 5_000;

/// A caller that would break.
#[derive(Debug, Clone)]
pub struct Affected {
    /// Who.
    pub caller: Caller,
    /// Keys of these that it used.
    pub keys: Vec<ApiKeyId>,
    /// Last.
    pub last_at: DateTime<Utc>,
}

/// What would be revoked, and what that breaks.
#[derive(Debug)]
pub struct BulkPreview {
    /// The keys; give their ids to [`Domain::bulk_revoke`].
    pub keys: Vec<KeyLine>,
    /// Callers whose uses of values that work on were valid within seven days, latest first.
    pub affected: Vec<Affected>,
    /// True if more keys than [`MOST_AT_ONCE`] match: these are the first.
    pub more: bool,
    /// True if there are callers that were not looked at.
    pub more_affected: bool,
}

/// What was revoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BulkRevoked {
    /// Revoked now.
    pub revoked: u32,
    /// Revoked by somebody else meanwhile.
    pub already: u32,
}

impl Repeatable for BulkRevoked {
    fn thing(&self) -> String {
        format!("{} {}", self.revoked, self.already)
    }
    fn again(thing: &str, _: Option<SecretString>) -> Option<Self> {
        let (revoked, already) = thing.split_once(' ')?;
        Some(Self { revoked: revoked.parse().ok()?, already: already.parse().ok()? })
    }
}

/// Why nothing was revoked.
#[derive(Debug, thiserror::Error)]
pub enum BulkRevokeError {
    /// No key was named.
    #[error("no key is chosen")]
    Nothing,
    /// As everywhere. One key that may not be revoked is enough to revoke none.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// Too many.
    #[error("at most 1,000 keys can be revoked at once: narrow the filter")]
    TooMany,
}
carries_refused!(BulkRevokeError);

impl Domain {
    /// What would be revoked by this filter: keys that stand, and that the caller may revoke.
    pub async fn preview_bulk_revoke(&self, op: &Op, query: &KeyQuery) -> Result<BulkPreview, Refused> {
        let filter = self.key_filter(op, query, Action::RevokeKey).await?;
        let filter = list::Filter { stands: true, ..filter };
        let mut conn = self.store().read().await?;
        let mut found =
            list::list(&mut conn, &filter, list::Order::Name, false, None, MOST_AT_ONCE + 1).await?;
        let more = found.len() > MOST_AT_ONCE as usize;
        found.truncate(MOST_AT_ONCE as usize);
        let ids: Vec<_> = found.iter().map(|row| row.id).collect();
        let values = rows::values_of_many(&mut conn, &ids).await?;
        let keys =
            found.into_iter().map(|row| line(row, &values, op.now)).collect::<Result<Vec<KeyLine>, _>>()?;
        // Who shows a value that has stopped is refused already.
        let living: Vec<_> =
            keys.iter().flat_map(|it| &it.values).filter(|it| it.is_living()).map(|it| it.id).collect();
        let mut seen =
            usage::callers(&mut conn, &ids, &living, hour(earlier(op.now, LOOK_BACK)), MOST_CALLERS + 1)
                .await?;
        let most = usize::try_from(MOST_CALLERS).unwrap_or(usize::MAX);
        let more_affected = seen.len() > most;
        seen.truncate(most);
        Ok(BulkPreview { keys, affected: affected(&seen), more, more_affected })
    }

    /// Revokes exactly these keys, all or none.
    pub async fn bulk_revoke(
        &self,
        op: &Op,
        mut ids: Vec<ApiKeyId>,
        reason: RevokeReason,
        note: &str,
    ) -> Result<BulkRevoked, BulkRevokeError> {
        ids.sort_unstable(); // two of these lock rows in one order
        ids.dedup();
        if ids.len() > MOST_AT_ONCE as usize {
            return Err(BulkRevokeError::TooMany);
        }
        let keys = self.keys_as_resources(&ids).await?;
        let resources: Vec<_> = keys.iter().map(|(_, _, resource)| *resource).collect();
        if resources.is_empty() {
            return Err(BulkRevokeError::Nothing);
        }
        let whole = match resources.iter().filter_map(Resource::project).min() {
            one if resources.iter().all(|it| it.project() == one) => one,
            _ => None,
        };
        let note = note.to_owned();
        let owners: Vec<_> = keys.iter().map(|(id, owner, _)| (*id, *owner)).collect();
        self.change(op, Action::RevokeKey, resources.as_slice(), &[], move |tx, record| {
            let (owners, note) = (owners.clone(), note.clone());
            Box::pin(async move {
                let now = record.now();
                let mut events = Vec::with_capacity(owners.len());
                for (id, owner) in &owners {
                    events.extend(revoke(tx, &record, (*id, *owner), reason, &note, now).await?);
                }
                let revoked = u32::try_from(events.len()).unwrap_or(u32::MAX);
                let asked = u32::try_from(owners.len()).unwrap_or(u32::MAX);
                let done = BulkRevoked { revoked, already: asked.saturating_sub(revoked) };
                let event = record
                    .event("key.bulk-revoke", "organization", "organization")
                    .project(whole)
                    .fact("revoked", done.revoked)
                    .fact("already", done.already)
                    .fact("reason", reason)
                    .text("note", note)
                    .finish()?;
                Ok(events.into_iter().fold(Written::new(done, event), Written::and))
            })
        })
        .await
    }

    async fn keys_as_resources(&self, ids: &[ApiKeyId]) -> Result<Vec<(ApiKeyId, Owner, Resource)>, Refused> {
        let mut conn = self.store().read().await?;
        let found = rows::find_many(&mut conn, ids).await?;
        let resource = |row: &rows::KeyRow| {
            let owner = key::owner(&row.owner_id)?;
            let (project, environment) = (row.project_id, row.environment_id);
            Ok((row.id, owner, Resource::ApiKey { id: row.id, project, environment, owner }))
        };
        let mut keys = found.iter().map(resource).collect::<Result<Vec<_>, Refused>>()?;
        let absent = ids.iter().find(|id| found.iter().all(|row| row.id != **id));
        keys.extend(absent.map(|id| (*id, NOBODY, Resource::no_key(*id))));
        Ok(keys)
    }
}

fn affected(seen: &[usage::Caller]) -> Vec<Affected> {
    let mut callers: BTreeMap<Caller, Affected> = BTreeMap::new();
    for it in seen {
        let who = caller(it);
        let last_at = from_micros(it.last_at);
        let entry =
            callers.entry(who.clone()).or_insert_with(|| Affected { caller: who, keys: Vec::new(), last_at });
        entry.last_at = entry.last_at.max(last_at);
        if !entry.keys.contains(&it.key_id) {
            entry.keys.push(it.key_id);
        }
    }
    let mut affected: Vec<_> = callers.into_values().collect();
    affected.sort_by_key(|it| std::cmp::Reverse(it.last_at));
    affected
}
