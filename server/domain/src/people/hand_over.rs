//! Handing over: what somebody owns, which values they have seen lately, and giving their keys to somebody else.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use keywarden_model::time::{earlier, from_micros};
use keywarden_model::{ApiKeyId, ProjectId, SecretId, UserId};
use keywarden_store::people::{owned, users};
use keywarden_store::{ChangeKind, Written};

use crate::authz::Owner;
use crate::refused::carries_refused;
use crate::{Action, Domain, Op, Refused, Resource, owner};

/// How far back "lately" reaches.
pub const LATELY: TimeDelta = TimeDelta::days(90);
/// Keys that are given at once.
pub const MOST_KEYS: usize = 500;

/// A key that is somebody's concern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConcernedKey {
    /// The key.
    pub id: ApiKeyId,
    /// Its name.
    pub name: String,
    /// Its project: id and name.
    pub project: (ProjectId, String),
    /// Its environment's name.
    pub environment: String,
    /// When it was last used.
    pub last_used_at: Option<DateTime<Utc>>,
    /// When the person last saw a value of it, if they did.
    pub seen_at: Option<DateTime<Utc>>,
}

/// A secret that somebody owns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnedSecret {
    /// The secret.
    pub id: SecretId,
    /// Folders and name.
    pub path: String,
    /// Its project's name.
    pub project: String,
    /// Its environment's name.
    pub environment: String,
}

/// What has to be settled when somebody leaves.
#[derive(Debug, Clone)]
pub struct HandOver {
    /// What they are called.
    pub name: String,
    /// Keys that they own: give them to somebody.
    pub owns: Vec<ConcernedKey>,
    /// Secrets that they are asked about: somebody else should be.
    pub secrets: Vec<OwnedSecret>,
    /// Keys whose values were shown to them lately: rotate them. Newest first.
    pub has_seen: Vec<ConcernedKey>,
}

/// Why nothing was handed over.
#[derive(Debug, thiserror::Error)]
pub enum HandOverError {
    /// No key, or too many.
    #[error("choose 1 to {MOST_KEYS} keys")]
    Count,
    /// One of the keys is not theirs (any more). Nothing was given.
    #[error("the key `{0}` is not theirs any more: look again")]
    NotTheirs(ApiKeyId),
    /// The receiver is no active person and no team.
    #[error("choose an active person or a team to give the keys to")]
    Receiver,
    /// As everywhere.
    #[error(transparent)]
    Refused(#[from] Refused),
}
carries_refused!(HandOverError);

impl Domain {
    /// The facts of a hand-over, for whoever may perform it.
    pub async fn hand_over_facts(&self, op: &Op, user: UserId) -> Result<HandOver, Refused> {
        if !self.would(op, Action::HandOverUser, &Resource::Person(user)).await? {
            return Err(Refused::NotFound);
        }
        let mut conn = self.store().read().await?;
        let found = users::find(&mut conn, user).await?.ok_or(Refused::NotFound)?;
        let owns = owned::keys(&mut conn, user).await?;
        let secrets = owned::secrets(&mut conn, user).await?;
        let has_seen = owned::seen(&mut conn, user, earlier(op.now, LATELY)).await?;
        Ok(HandOver {
            name: found.name,
            owns: owns.into_iter().map(ConcernedKey::from).collect(),
            secrets: secrets.into_iter().map(OwnedSecret::from).collect(),
            has_seen: has_seen.into_iter().map(ConcernedKey::from).collect(),
        })
    }

    /// Gives these keys of a person to somebody else: all, or none.
    pub async fn hand_over(
        &self,
        op: &Op,
        from: UserId,
        to: Owner,
        keys: &[ApiKeyId],
    ) -> Result<UserId, HandOverError> {
        let mut keys = keys.to_vec();
        keys.sort_unstable();
        keys.dedup();
        if keys.is_empty() || keys.len() > MOST_KEYS {
            return Err(HandOverError::Count);
        }
        let (keys, now) = (Arc::new(keys), op.now);
        self.change(op, Action::HandOverUser, &Resource::Person(from), &[], move |tx, record| {
            let keys = Arc::clone(&keys);
            Box::pin(async move {
                let receiver = to.to_string();
                if to == Owner::Person(from) || !owned::can_own(tx, &receiver).await? {
                    return Err(HandOverError::Receiver);
                }
                let event = record
                    .event(Action::HandOverUser.name(), "user", from)
                    .fact("to", owner::fact(to))
                    .fact("keys", u64::try_from(keys.len()).unwrap_or(u64::MAX));
                let mut written = Written::new(from, event.finish()?);
                for key in keys.iter() {
                    let given = owned::give(tx, *key, from, (to.kind(), &receiver)).await?;
                    let project = given.ok_or(HandOverError::NotTheirs(*key))?;
                    tx.restrict(ChangeKind::Key, key, now).await?;
                    let event = record.event(Action::EditKey.name(), "key", key).project(project).change(
                        "owner",
                        from,
                        owner::fact(to),
                    );
                    written = written.and(event.finish()?);
                }
                Ok(written)
            })
        })
        .await
    }
}

impl From<owned::Secret> for OwnedSecret {
    fn from(row: owned::Secret) -> Self {
        let owned::Secret { id, path, project_name, environment_name } = row;
        Self { id, path, project: project_name, environment: environment_name }
    }
}

impl From<owned::Key> for ConcernedKey {
    fn from(row: owned::Key) -> Self {
        Self {
            id: row.id,
            name: row.name,
            project: (row.project_id, row.project_name),
            environment: row.environment_name,
            last_used_at: row.last_used_at.map(from_micros),
            seen_at: row.seen_at.map(from_micros),
        }
    }
}
