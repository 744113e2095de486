//! A secret and its versions as the rest of the house sees them, never with a value.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use keywarden_model::time::from_micros;
use keywarden_model::{
    Alias, ContentType, Description, EnvironmentId, ProjectId, SecretId, SecretKind, SecretLabel, SecretPath,
    SecretVersionId, Tags, VersionState,
};
use keywarden_store::secrets::{self as rows, LabelRow, SecretRow, VersionRow};
use keywarden_store::{Conn, StoreError, Tx};

use super::read::ReadSecretError;
use super::validity::Validity;
use crate::audit::Record;
use crate::authz::Owner;
use crate::keys::{Place, find_place};
use crate::{Domain, Fault, Refused, Resource};

/// How a secret is named.
#[derive(Debug, Clone)]
pub enum Address {
    /// By what clients of another system call it in an environment.
    Alias {
        /// The environment.
        place: Place,
        /// The name, and whose it is.
        alias: Alias,
    },
    /// By its id.
    Id(SecretId),
    /// By where it lives.
    Path {
        /// The environment.
        place: Place,
        /// Folders and name, in the one spelling.
        path: SecretPath,
    },
}

/// A secret.
#[derive(Debug, Clone)]
pub struct Secret {
    /// Its id.
    pub id: SecretId,
    /// Its project.
    pub project: ProjectId,
    /// The project's slug.
    pub project_slug: String,
    /// Its environment.
    pub environment: EnvironmentId,
    /// The environment's slug.
    pub environment_slug: String,
    /// Where it lives in there.
    pub path: SecretPath,
    /// What it is for.
    pub description: Description,
    /// For finding it.
    pub tags: Tags,
    /// Whose it is: whom to ask about it.
    pub owner: Owner,
    /// What the owner is called.
    pub owner_name: String,
    /// The number of its newest version.
    pub last_version: i64,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// By whom: an actor's id.
    pub created_by: String,
    /// Whether it is deleted.
    pub deletion: Option<Deletion>,
    /// Grows with each change; an edit names the one it saw.
    pub row_version: i64,
    /// Whether its environment, or a standard in force there, asks why a value is read.
    pub reads_need_reason: bool,
    pub(crate) archived: bool,
    pub(super) recovery_days: i64,
    /// Whether its environment lets nothing be destroyed before its window is over.
    pub purge_protection: bool,
}

/// Since when a secret or a version is deleted, and until when it can be restored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deletion {
    /// Since when.
    pub at: DateTime<Utc>,
    /// When its versions, or the version, are destroyed.
    pub purge_at: DateTime<Utc>,
}

impl Deletion {
    fn of(at: Option<i64>, purge_at: Option<i64>) -> Option<Self> {
        Some(Self { at: from_micros(at?), purge_at: from_micros(purge_at?) })
    }
}

/// A version of a secret.
#[derive(Debug, Clone)]
pub struct Version {
    /// Its id.
    pub id: SecretVersionId,
    /// 1 for the first.
    pub number: i64,
    /// What it is good for.
    pub state: VersionState,
    /// How its value reads.
    pub kind: SecretKind,
    /// What its value is for other programs.
    pub content_type: ContentType,
    /// Bytes of its value.
    pub size: i64,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// By whom: an actor's id.
    pub created_by: String,
    /// When `current` first pointed at it.
    pub promoted_at: Option<DateTime<Utc>>,
    /// When its value was destroyed.
    pub destroyed_at: Option<DateTime<Utc>>,
    /// Whether it is deleted by itself.
    pub deletion: Option<Deletion>,
    /// When its value may be read.
    pub validity: Validity,
    /// Whether references in its value are resolved when it is read.
    pub template: bool,
}

impl Secret {
    pub(super) fn from_row(row: SecretRow) -> Result<Self, Fault> {
        let deletion = Deletion::of(row.deleted_at, row.purge_at);
        Ok(Self {
            id: row.id,
            project: row.project_id,
            project_slug: row.project_slug,
            environment: row.environment_id,
            environment_slug: row.environment_slug,
            path: row.path.parse().map_err(damaged)?,
            description: row.description.parse().map_err(damaged)?,
            tags: serde_json::from_str(&row.tags).map_err(damaged)?,
            owner: Owner::parse(&row.owner_id)
                .ok_or_else(|| damaged("an owner is neither a person nor a team"))?,
            owner_name: row.owner_name,
            last_version: row.last_version,
            created_at: from_micros(row.created_at),
            created_by: row.created_by,
            deletion,
            row_version: row.row_version,
            reads_need_reason: row.reads_need_reason,
            archived: row.archived_at.is_some(),
            recovery_days: row.recovery_days,
            purge_protection: row.purge_protection,
        })
    }

    /// The secret as policies see it.
    pub fn resource(&self) -> Resource {
        Resource::Secret { id: self.id, project: self.project, environment: self.environment }
    }
}

impl Version {
    pub(super) fn from_row(row: VersionRow, deleted: bool) -> Result<Self, Fault> {
        let state = match row.state.parse().map_err(damaged)? {
            VersionState::Disabled | VersionState::Enabled if deleted => VersionState::SoftDeleted,
            state => state,
        };
        Ok(Self {
            id: row.id,
            number: row.number,
            state,
            kind: row.kind.parse().map_err(damaged)?,
            content_type: row.content_type.parse().map_err(damaged)?,
            size: row.size,
            created_at: from_micros(row.created_at),
            created_by: row.created_by,
            promoted_at: row.promoted_at.map(from_micros),
            destroyed_at: row.destroyed_at.map(from_micros),
            deletion: Deletion::of(row.deleted_at, row.purge_at),
            validity: Validity::of(row.not_before, row.expires_at),
            template: row.template,
        })
    }

    /// Whether its value is read at `now`, by whoever may.
    pub fn is_read(&self, now: DateTime<Utc>) -> bool {
        self.readable(now).is_ok()
    }

    /// Why its value is not read at `now`.
    pub(super) fn readable(&self, now: DateTime<Utc>) -> Result<(), ReadSecretError> {
        let number = self.number;
        if self.state != VersionState::Enabled {
            return Err(ReadSecretError::Shut { number, state: self.state });
        }
        match self.validity.outside(now) {
            Some(outside) => Err(ReadSecretError::Outside { number, outside }),
            None => Ok(()),
        }
    }
}

pub(super) fn damaged(cause: impl std::fmt::Display) -> Fault {
    Fault::Damaged(format!("secrets: {cause}"))
}

/// Labels and the versions they point at.
pub(super) type Labels = BTreeMap<SecretLabel, i64>;

pub(super) fn labels(rows: impl IntoIterator<Item = LabelRow>) -> Result<Labels, Fault> {
    rows.into_iter().map(|row| Ok((row.label.parse().map_err(damaged)?, row.number))).collect()
}

/// The version that `current` points at.
pub(super) fn current(labels: &Labels) -> Option<i64> {
    labels.get(&SecretLabel::current()).copied()
}

/// A secret that is not purged. A path leads to it only in its one spelling.
pub(super) async fn find(conn: &mut Conn, address: &Address) -> Result<Option<SecretRow>, StoreError> {
    let found = match address {
        Address::Alias { place, alias } => {
            let Some(place) = find_place(conn, place).await? else { return Ok(None) };
            rows::aliases::find(conn, place.environment_id, alias).await?
        }
        Address::Id(id) => rows::find(conn, *id).await?,
        Address::Path { place, path } => {
            let Some(place) = find_place(conn, place).await? else { return Ok(None) };
            let found = rows::find_by_path(conn, place.environment_id, &path.folded()).await?;
            found.filter(|row| row.path == path.as_str())
        }
    };
    Ok(found.filter(|row| row.purged_at.is_none()))
}

/// A secret and its labels, read inside a write that has taken its row.
pub(super) struct Claimed {
    pub(super) secret: Secret,
    pub(super) labels: Labels,
}

impl Claimed {
    /// The version that was there before this write took the row.
    pub(super) fn seen_version(&self) -> i64 {
        self.secret.row_version.saturating_sub(1)
    }

    /// One of its versions.
    pub(super) async fn version(&self, tx: &mut Tx, number: i64) -> Result<Version, Refused> {
        let row = rows::version(tx, self.secret.id, number).await?.ok_or(Refused::NotFound)?;
        Ok(Version::from_row(row, self.secret.deletion.is_some())?)
    }
}

/// Takes the secret's row for this write. One that is not where the permit was given for is not found.
pub(super) async fn claim(tx: &mut Tx, permitted: &Resource) -> Result<Claimed, Refused> {
    let Resource::Secret { id, .. } = *permitted else { return Err(Refused::NotFound) };
    if !rows::claim(tx, id).await? {
        return Err(Refused::NotFound);
    }
    let row = find(tx, &Address::Id(id)).await?.ok_or(Refused::NotFound)?;
    let secret = Secret::from_row(row)?;
    if secret.resource() != *permitted {
        return Err(Refused::NotFound);
    }
    let labels = labels(rows::labels(tx, id).await?)?;
    Ok(Claimed { secret, labels })
}

/// As [`claim`], in the version that the caller has seen where they said so.
pub(super) async fn claim_seen(
    tx: &mut Tx,
    record: &Record,
    permitted: &Resource,
) -> Result<Claimed, Refused> {
    let it = claim(tx, permitted).await?;
    if record.seen().is_some_and(|seen| seen != it.seen_version()) { Err(Refused::Stale) } else { Ok(it) }
}

impl Domain {
    /// The secret as policies see it, before anything was asked; also one that is not there. Not for answering with.
    pub(crate) async fn secret_as_resource(&self, address: &Address) -> Result<Resource, Refused> {
        let id = if let Address::Id(id) = address { *id } else { SecretId::NIL };
        Ok(self.found_secret(address).await?.unwrap_or(Resource::no_secret(id)))
    }

    /// As [`Domain::secret_as_resource`], if it is there: where that decides what is asked.
    pub(super) async fn found_secret(&self, address: &Address) -> Result<Option<Resource>, Refused> {
        let mut conn = self.store().read().await?;
        let row = find(&mut conn, address).await?;
        Ok(row.map(|row| {
            let (project, environment) = (row.project_id, row.environment_id);
            Resource::Secret { id: row.id, project, environment }
        }))
    }
}
