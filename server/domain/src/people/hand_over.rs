//! Handing over: what somebody owns, which values that still open something they have seen, and giving their keys and
//! secrets to somebody else.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use keywarden_model::time::from_micros;
use keywarden_model::{ApiKeyId, ProjectId, SecretId, ServiceTokenId, UserId, WorkloadId};
use keywarden_store::people::{owned, seen, users};
use keywarden_store::{ChangeKind, Written};

use crate::authz::Owner;
use crate::change::Besides;
use crate::refused::carries_refused;
use crate::{Action, Domain, Op, Refused, Resource, owner};

/// Keys that are given at once, and secrets with them, fewer than a form has fields; and of each kind of thing as many are
/// listed.
pub const MOST_KEYS: usize = 200;

/// The first of what there is to settle; what comes after it is listed once that is done.
#[derive(Debug, Clone)]
pub struct Portion<T> {
    /// [`MOST_KEYS`] at most.
    pub first: Vec<T>,
    /// How many there are in all.
    pub of: u64,
}

impl<T> Portion<T> {
    fn from_rows<R: Into<T>>((rows, total): (Vec<R>, i64)) -> Self {
        Self { first: rows.into_iter().map(Into::into).collect(), of: u64::try_from(total).unwrap_or(0) }
    }
}

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
}

/// A key of which somebody saw a value that still works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenKey {
    /// The key.
    pub key: ConcernedKey,
    /// When they last saw such a value.
    pub seen_at: DateTime<Utc>,
    /// Whether one of them is the key's current value: a rotation ends that. The old ones are stopped one by one.
    pub current: bool,
}

/// A service token that somebody issued and that still works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenToken {
    /// The token.
    pub id: ServiceTokenId,
    /// The part of its value that everybody may see.
    pub public_id: String,
    /// Whom it speaks for: id and name.
    pub workload: (WorkloadId, String),
    /// When it was issued.
    pub created_at: DateTime<Utc>,
    /// Until when it works.
    pub expires_at: DateTime<Utc>,
    /// When it was last shown.
    pub last_used_at: Option<DateTime<Utc>>,
}

/// A secret whose current value somebody put or may have read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenSecret {
    /// The secret.
    pub secret: OwnedSecret,
    /// Its current version.
    pub number: i64,
    /// When they last put or read it.
    pub seen_at: DateTime<Utc>,
}

/// A secret that is somebody's concern.
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
    pub owns: Portion<ConcernedKey>,
    /// Secrets that they are asked about: give them to somebody, who is asked from then on.
    pub secrets: Portion<OwnedSecret>,
    /// Keys whose values were shown to them and still work: rotate them. The last seen first.
    pub has_seen: Portion<SeenKey>,
    /// Service tokens that were shown to them and still work: revoke them. Newest first.
    pub tokens: Portion<SeenToken>,
    /// Secrets whose current value they know: put another. The last seen first.
    pub has_read: Portion<SeenSecret>,
}

/// Why nothing was handed over.
#[derive(Debug, thiserror::Error)]
pub enum HandOverError {
    /// Nothing, or too much.
    #[error("choose something, and at most {MOST_KEYS} keys and as many secrets")]
    Count,
    /// One of the keys is not theirs (any more). Nothing was given.
    #[error("the key `{0}` is not theirs any more: look again")]
    NotTheirs(ApiKeyId),
    /// The receiver is no active person and no team.
    #[error("choose an active person or a team to give it to")]
    Receiver,
    /// As everywhere.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// One of the secrets is not theirs (any more). Nothing was given.
    #[error("the secret `{0}` is not theirs any more: look again")]
    SecretNotTheirs(SecretId),
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
        let most = u32::try_from(MOST_KEYS).unwrap_or(u32::MAX);
        Ok(HandOver {
            name: found.name,
            owns: Portion::from_rows(owned::keys(&mut conn, user, most).await?),
            secrets: Portion::from_rows(owned::secrets(&mut conn, user, most).await?),
            has_seen: Portion::from_rows(seen::keys(&mut conn, user, op.now, most).await?),
            tokens: Portion::from_rows(seen::tokens(&mut conn, user, op.now, most).await?),
            has_read: Portion::from_rows(seen::secrets(&mut conn, user, most).await?),
        })
    }

    /// Gives these keys and secrets of a person to somebody else: all, or none.
    pub async fn hand_over(
        &self,
        op: &Op,
        from: UserId,
        to: Owner,
        keys: &[ApiKeyId],
        secrets: &[SecretId],
    ) -> Result<UserId, HandOverError> {
        let (keys, secrets) = (each_once(keys), each_once(secrets));
        let nothing = keys.is_empty() && secrets.is_empty();
        if nothing || keys.len() > MOST_KEYS || secrets.len() > MOST_KEYS {
            return Err(HandOverError::Count);
        }
        let (things, now) = (Arc::new((keys, secrets)), op.now);
        let regrants = self.regrants_of_owners().await?;
        let concerned = Besides { what: Resource::Person(from), also: regrants.questions() };
        self.change(op, Action::HandOverUser, &concerned, &[], move |tx, record| {
            let (things, regrants) = (Arc::clone(&things), regrants.clone());
            Box::pin(async move {
                let (keys, secrets) = &*things;
                let receiver = to.to_string();
                if to == Owner::Person(from) || !owned::can_own(tx, &receiver).await? {
                    return Err(HandOverError::Receiver);
                }
                let event = record
                    .event(Action::HandOverUser.name(), "user", from)
                    .fact("to", owner::fact(to))
                    .fact("keys", u64::try_from(keys.len()).unwrap_or(u64::MAX))
                    .fact("secrets", u64::try_from(secrets.len()).unwrap_or(u64::MAX));
                regrants.note_owners(tx, from, now).await?;
                let mut written = Written::new(from, event.finish()?);
                for key in keys {
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
                for secret in secrets {
                    let given = owned::give_secret(tx, *secret, from, (to.kind(), &receiver)).await?;
                    let project = given.ok_or(HandOverError::SecretNotTheirs(*secret))?;
                    let event = record
                        .event(Action::EditSecret.name(), "secret", secret)
                        .project(project)
                        .change("owner", from, owner::fact(to));
                    written = written.and(event.finish()?);
                }
                Ok(written)
            })
        })
        .await
    }
}

fn each_once<T: Copy + Ord>(things: &[T]) -> Vec<T> {
    let mut things = things.to_vec();
    things.sort_unstable();
    things.dedup();
    things
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
        }
    }
}

impl From<seen::Key> for SeenKey {
    fn from(row: seen::Key) -> Self {
        Self { key: row.key.into(), seen_at: from_micros(row.seen_at), current: row.current > 0 }
    }
}

impl From<seen::Token> for SeenToken {
    fn from(row: seen::Token) -> Self {
        Self {
            id: row.id,
            public_id: row.public_id,
            workload: (row.workload_id, row.workload_name),
            created_at: from_micros(row.created_at),
            expires_at: from_micros(row.expires_at),
            last_used_at: row.last_used_at.map(from_micros),
        }
    }
}

impl From<seen::Secret> for SeenSecret {
    fn from(row: seen::Secret) -> Self {
        Self { secret: row.secret.into(), number: row.number, seen_at: from_micros(row.seen_at) }
    }
}
