//! A key and its values, as they lie in the store, in the dictionary's types.

use chrono::{DateTime, Utc};
use keywarden_model::time::from_micros;
use keywarden_model::{
    AllowedCidrs, ApiKeyId, Description, EnvironmentId, KeyState, KeyValueId, Metadata, Name, ProjectId,
    RateLimit, RevokeReason, Scopes, Tags,
};
use keywarden_store::keys::{self as rows, KeyRow, ValueRow};
use keywarden_store::{Conn, Tx};
use serde::de::DeserializeOwned;

use super::judge::{KeyLife, ValueLife, is_living, key_state, state_of};
use crate::audit::Record;
use crate::authz::{NOBODY, Owner};
use crate::{Domain, Fault, Refused, Resource};

/// A key.
#[derive(Debug, Clone)]
pub struct Key {
    /// Its id.
    pub id: ApiKeyId,
    /// Its project.
    pub project: ProjectId,
    /// The project's slug.
    pub project_slug: String,
    /// Whether its project is archived: then it can be stopped, and nothing makes it work again.
    pub archived: bool,
    /// Its environment.
    pub environment: EnvironmentId,
    /// The environment's slug.
    pub environment_slug: String,
    /// The environment's label: what new values show.
    pub label: String,
    /// How long an old value works after a rotation, unless one says otherwise.
    pub overlap_seconds: i64,
    /// How long a value lives at most, in this environment.
    pub max_lifetime_seconds: Option<i64>,
    /// What people call it.
    pub name: Name,
    /// What it is for.
    pub description: Description,
    /// Whose it is.
    pub owner: Owner,
    /// What the owner is called.
    pub owner_name: String,
    /// What it may be used for.
    pub scopes: Scopes,
    /// From where it may be used; empty: from everywhere.
    pub allowed_cidrs: AllowedCidrs,
    /// How often it may be used.
    pub rate_limit: Option<RateLimit>,
    /// For finding it.
    pub tags: Tags,
    /// What verifiers get back with it.
    pub metadata: Metadata,
    /// Not valid before.
    pub not_before: Option<DateTime<Utc>>,
    /// Not valid from then on.
    pub expires_at: Option<DateTime<Utc>>,
    /// Stopped for a while since.
    pub suspended_at: Option<DateTime<Utc>>,
    /// Stopped for good: since when, and why.
    pub revoked: Option<(DateTime<Utc>, RevokeReason)>,
    /// Whether it began as a value that callers already held.
    pub imported: bool,
    /// When it was issued.
    pub created_at: DateTime<Utc>,
    /// By whom: an actor's id.
    pub created_by: String,
    /// When one of its values was last found valid.
    pub last_used_at: Option<DateTime<Utc>>,
    /// Grows with every change: what `ETag` and `If-Match` speak of.
    pub row_version: i64,
    /// Whether one of its values has not ended for its own part.
    goes_on: bool,
}

/// A value of a key.
#[derive(Debug, Clone)]
pub struct KeyValue {
    /// Its id.
    pub id: KeyValueId,
    /// The public part, shown everywhere; of an imported value, a keyed fingerprint.
    pub public_id: String,
    /// As people see it: `kwk_live_<public id>_…`; an imported one has no text that may be shown.
    pub shown: String,
    /// Whether callers held it before Keywarden knew it.
    pub imported: bool,
    /// Its state at the operation's instant.
    pub state: KeyState,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When another value took its place.
    pub superseded_at: Option<DateTime<Utc>>,
    /// When it stops, for its own part.
    pub stops_at: Option<DateTime<Utc>>,
    /// When it was last found valid.
    pub last_used_at: Option<DateTime<Utc>>,
    living: bool,
}

impl Key {
    fn from_row(row: KeyRow) -> Result<Self, Fault> {
        Ok(Self {
            id: row.id,
            project: row.project_id,
            project_slug: row.project_slug,
            archived: row.archived_at.is_some(),
            environment: row.environment_id,
            environment_slug: row.environment_slug,
            label: row.label,
            overlap_seconds: row.overlap_seconds,
            max_lifetime_seconds: row.max_lifetime_seconds,
            name: row.name.parse().map_err(damaged)?,
            description: row.description.parse().map_err(damaged)?,
            owner: owner(&row.owner_id)?,
            owner_name: row.owner_name,
            scopes: json(&row.scopes)?,
            allowed_cidrs: json(&row.allowed_cidrs)?,
            rate_limit: rate_limit(row.rate_limit, row.rate_window)?,
            tags: json(&row.tags)?,
            metadata: json(&row.metadata)?,
            not_before: row.not_before.map(from_micros),
            expires_at: row.expires_at.map(from_micros),
            suspended_at: row.suspended_at.map(from_micros),
            revoked: revoked(row.revoked_at, row.revoke_reason.as_deref())?,
            imported: row.imported,
            created_at: from_micros(row.created_at),
            created_by: row.created_by,
            last_used_at: row.last_used_at.map(from_micros),
            row_version: row.row_version,
            goes_on: true,
        })
    }

    /// With its own among these values, in their order.
    pub(super) fn with_values(
        row: KeyRow,
        values: &[ValueRow],
        now: DateTime<Utc>,
    ) -> Result<(Self, Vec<KeyValue>), Fault> {
        let key = Self::from_row(row)?;
        let life = key.life();
        let own = values.iter().filter(|value| value.key_id == key.id);
        let values: Vec<_> = own.map(|row| KeyValue::from_row(row, &life, now)).collect::<Result<_, _>>()?;
        let goes_on = values.iter().any(KeyValue::is_living);
        Ok((Self { goes_on, ..key }, values))
    }

    /// What the key's life says about its values.
    pub fn life(&self) -> KeyLife {
        KeyLife {
            not_before: self.not_before,
            expires_at: self.expires_at,
            suspended: self.suspended_at.is_some(),
            revoked: self.revoked.map(|(_, reason)| reason),
        }
    }

    /// The state of the key as a whole: that of a value which has not stopped for its own part. Where all of them have, a
    /// key that would be active is deactivated: until it is rotated, nothing of it verifies.
    pub fn state(&self, now: DateTime<Utc>) -> KeyState {
        match key_state(&self.life(), now) {
            KeyState::Active if !self.goes_on => KeyState::Deactivated,
            state => state,
        }
    }

    /// The key as policies see it.
    pub fn resource(&self) -> Resource {
        Resource::ApiKey {
            id: self.id,
            project: self.project,
            environment: self.environment,
            owner: self.owner,
        }
    }
}

impl KeyValue {
    fn from_row(row: &ValueRow, key: &KeyLife, now: DateTime<Utc>) -> Result<Self, Fault> {
        let life = value_life(row.stops_at, row.revoked_at, row.revoke_reason.as_deref(), row.destroyed_at)?;
        let shown = if row.imported {
            format!("imported {}", row.public_id)
        } else {
            format!("kwk_{}_{}_…", row.label, row.public_id)
        };
        Ok(Self {
            id: row.id,
            public_id: row.public_id.clone(),
            shown,
            imported: row.imported,
            state: state_of(&life, key, now),
            created_at: from_micros(row.created_at),
            superseded_at: row.superseded_at.map(from_micros),
            stops_at: row.stops_at.map(from_micros),
            last_used_at: row.last_used_at.map(from_micros),
            living: is_living(&life, key, now),
        })
    }

    /// Whether it answers, or would once its key is resumed and has begun.
    pub const fn is_living(&self) -> bool {
        self.living
    }
}

pub(super) fn value_life(
    stops_at: Option<i64>,
    revoked_at: Option<i64>,
    reason: Option<&str>,
    destroyed_at: Option<i64>,
) -> Result<ValueLife, Fault> {
    Ok(ValueLife {
        stops_at: stops_at.map(from_micros),
        revoked: revoked(revoked_at, reason)?.map(|(_, reason)| reason),
        destroyed: destroyed_at.is_some(),
    })
}

pub(super) fn owner(text: &str) -> Result<Owner, Fault> {
    Owner::parse(text).ok_or_else(|| damaged("an owner is neither a person nor a team"))
}

pub(super) fn rate_limit(limit: Option<i64>, window: Option<i64>) -> Result<Option<RateLimit>, Fault> {
    let (Some(limit), Some(window)) = (limit, window) else { return Ok(None) };
    let (Ok(limit), Ok(window)) = (u32::try_from(limit), u32::try_from(window)) else {
        return Err(damaged("a rate limit is out of range"));
    };
    RateLimit::new(limit, window).map(Some).map_err(damaged)
}

pub(super) fn json<T: DeserializeOwned>(text: &str) -> Result<T, Fault> {
    serde_json::from_str(text).map_err(damaged)
}

pub(super) fn revoked(
    at: Option<i64>,
    reason: Option<&str>,
) -> Result<Option<(DateTime<Utc>, RevokeReason)>, Fault> {
    let Some(at) = at else { return Ok(None) };
    let reason = reason.unwrap_or(RevokeReason::Unspecified.as_str()).parse().map_err(damaged)?;
    Ok(Some((from_micros(at), reason)))
}

fn damaged(cause: impl std::fmt::Display) -> Fault {
    Fault::Damaged(format!("api_keys: {cause}"))
}

/// A key and its values, newest first, read inside a write that has taken its row.
pub(super) struct Claimed {
    pub(super) key: Key,
    pub(super) values: Vec<KeyValue>,
}

/// Takes the key's row for this write, in the version that the caller has seen where they said so. A key that changed
/// hands since the permit was given is not found: the permit was for the one that had this owner.
pub(super) async fn claim(
    tx: &mut Tx,
    record: &Record,
    id: ApiKeyId,
    owner: Owner,
) -> Result<Claimed, Refused> {
    let taken = match record.seen() {
        Some(version) if !rows::claim_version(tx, id, version).await? => return Err(Refused::Stale),
        Some(_) => true,
        None => rows::claim(tx, id).await?,
    };
    if taken { claimed(tx, id, owner, record.now()).await } else { Err(Refused::NotFound) }
}

/// As [`claim`], of a row that is taken already.
pub(super) async fn claimed(
    tx: &mut Tx,
    id: ApiKeyId,
    owner: Owner,
    now: DateTime<Utc>,
) -> Result<Claimed, Refused> {
    let found = load(tx, id, now).await?.filter(|(key, _)| key.owner == owner);
    let (key, values) = found.ok_or(Refused::NotFound)?;
    Ok(Claimed { key, values })
}

pub(super) async fn load(
    conn: &mut Conn,
    id: ApiKeyId,
    now: DateTime<Utc>,
) -> Result<Option<(Key, Vec<KeyValue>)>, Refused> {
    let Some(row) = rows::find(conn, id).await? else { return Ok(None) };
    let values = rows::values(conn, id).await?;
    Ok(Some(Key::with_values(row, &values, now)?))
}

impl Domain {
    /// The key as policies see it, before anything was asked; also one that is not there. Not for answering with.
    pub(super) async fn key_as_resource(&self, id: ApiKeyId) -> Result<(Resource, Owner), Refused> {
        let mut conn = self.store().read().await?;
        let Some(row) = rows::find(&mut conn, id).await? else { return Ok((Resource::no_key(id), NOBODY)) };
        let owner = owner(&row.owner_id)?;
        let resource =
            Resource::ApiKey { id, project: row.project_id, environment: row.environment_id, owner };
        Ok((resource, owner))
    }
}
