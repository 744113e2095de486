//! Doing a thing once, however often it is asked: idempotency keys (draft-ietf-httpapi-idempotency-key-header).
//!
//! The row is written in the mutation's own transaction. A result that holds a secret is kept for an hour, sealed so
//! that only who knows the key itself can open it; after that a replay learns the id and nothing else. That it was done
//! is remembered for good: whoever asks again, however late, gets no second secret. Of other results it is remembered for
//! seven days.
//!
//! What is remembered for good grows with what was made, and by less than that: without its secret a row and its indexes take
//! 280 bytes in SQLite and 350 in PostgreSQL, a million of them 280 and 350 MB. The events of what was made stay as well, and so
//! do the rows of keys and tokens; a row that went with them would make a second secret for a client that repeats itself.

use chrono::{DateTime, TimeDelta, Utc};
use keywarden_model::{
    AccessGrantId, AccessRequestId, ApiKeyId, BackupId, ChannelId, DrillId, EnvironmentId, InvitationId,
    PasskeyId, PolicyId, PolicyTestId, ProjectId, RecipientId, RewrapId, RoleBindingId, SecretId,
    ServiceTokenId, StandardId, TeamId, TrustRuleId, UserId, WorkloadId,
    time::{LAST, from_micros, later},
};
use keywarden_store::{Conn, Tx, idempotency};
use keywarden_vault::{Keyring, Purpose, SecretString};
use sha2::{Digest, Sha256};

use crate::{Env, Fault, Op};

/// How long a secret can be had again.
pub(crate) const SECRET_KEPT: TimeDelta = TimeDelta::hours(1);
/// How long a replay is recognised of what had no secret.
const KEPT: TimeDelta = TimeDelta::days(7);

/// A caller's idempotency key and what it was used for.
#[derive(Debug)]
pub struct Once {
    key: SecretString,
    request: [u8; 32],
    /// Whether a replay may have a secret again.
    secret_again: bool,
}

/// Why a text is no idempotency key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an idempotency key has 8 to 255 printable ASCII characters")]
pub struct OnceError;

impl Once {
    /// `key` as the caller gave it; `request` is everything that makes the request what it is (method, path, body).
    pub fn new(key: &str, request: &[&[u8]]) -> Result<Self, OnceError> {
        if !(8..=255).contains(&key.len()) || !key.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(OnceError);
        }
        // With the key, which is stored nowhere: whoever has the database cannot try what the body might have said.
        let mut hash = Sha256::new();
        for part in std::iter::once(key.as_bytes()).chain(request.iter().copied()) {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        Ok(Self {
            key: SecretString::new(key.to_owned()),
            request: hash.finalize().into(),
            secret_again: true,
        })
    }

    /// For whoever looks at the answer themselves: a secret is not kept, and a replay learns the id and nothing else.
    #[must_use]
    pub fn without_secret(self) -> Self {
        Self { secret_again: false, ..self }
    }

    fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.key.expose()).into()
    }
}

/// What a use-case answers, as a replay can have it again.
pub trait Repeatable: Sized {
    /// The typed id of what was made or changed.
    fn thing(&self) -> String;
    /// The secret that is shown this once.
    fn secret(&self) -> Option<&SecretString> {
        None
    }
    /// The same answer again; `None` when the secret is gone.
    fn again(thing: &str, secret: Option<SecretString>) -> Option<Self>;
}

/// The words of a thing that is kept as so many; the last one takes the rest.
pub(crate) fn words<const N: usize>(thing: &str) -> Option<[&str; N]> {
    thing.splitn(N, ' ').collect::<Vec<_>>().try_into().ok()
}

/// Why nothing was done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Replayed {
    /// It was done before, and its secret is not shown again.
    #[error("this was done before, as `{thing}`; its value is not shown again")]
    Done {
        /// What was made.
        thing: String,
    },
    /// The key was used for another request.
    #[error("this idempotency key was used for another request; use a fresh one")]
    OtherRequest,
}

/// Looks whether the operation was done before; if so, its answer.
pub(crate) async fn look<T: Repeatable>(
    conn: &mut Conn,
    op: &Op,
    keyring: &Keyring,
) -> Result<Option<Result<T, Replayed>>, Fault> {
    let Some(once) = &op.once else { return Ok(None) };
    let Some(row) = idempotency::find(conn, &caller(op), &once.hash(), op.now).await? else {
        return Ok(None);
    };
    if row.request_hash != once.request {
        return Ok(Some(Err(Replayed::OtherRequest)));
    }
    let fresh = once.secret_again && op.now < later(from_micros(row.created_at), SECRET_KEPT);
    let secret = match row.sealed.filter(|_| fresh) {
        Some(sealed) => {
            let opened = keyring.open_for(
                Purpose::Idempotency,
                once.key.expose().as_bytes(),
                &context(op, once),
                &sealed,
            )?;
            let text = String::from_utf8(opened.expose().to_vec())
                .map_err(|_| Fault::Damaged("idempotency".into()))?;
            Some(SecretString::new(text))
        }
        None => None,
    };
    Ok(Some(T::again(&row.resource_id, secret).ok_or(Replayed::Done { thing: row.resource_id })))
}

/// Notes in the mutation's transaction that it is done.
pub(crate) async fn note<T: Repeatable>(
    tx: &mut Tx,
    noted: &Noted,
    keyring: &Keyring,
    env: &Env,
    done: &T,
) -> Result<(), Fault> {
    let sealed = match done.secret().filter(|_| noted.secret_again) {
        Some(secret) => Some(env.with_rng(|rng| {
            let plaintext = secret.expose().as_bytes();
            keyring.seal_for(
                Purpose::Idempotency,
                noted.key.expose().as_bytes(),
                &noted.context,
                plaintext,
                rng,
            )
        })?),
        None => None,
    };
    let row = idempotency::Insert {
        caller: &noted.caller,
        key_hash: noted.hash,
        request_hash: noted.request,
        resource_id: &done.thing(),
        sealed,
        created_at: noted.now,
        expires_at: if done.secret().is_some() { LAST } else { later(noted.now, KEPT) },
    };
    Ok(idempotency::insert(tx, row).await?)
}

/// What [`note`] needs of an operation, owned so that a closure can hold it.
#[derive(Debug)]
pub(crate) struct Noted {
    caller: String,
    context: Vec<u8>,
    hash: [u8; 32],
    key: SecretString,
    now: DateTime<Utc>,
    request: [u8; 32],
    secret_again: bool,
}

impl Noted {
    pub(crate) fn of(op: &Op) -> Option<Self> {
        let once = op.once.as_ref()?;
        Some(Self {
            caller: caller(op),
            context: context(op, once),
            hash: once.hash(),
            key: SecretString::new(once.key.expose().to_owned()),
            now: op.now,
            request: once.request,
            secret_again: once.secret_again,
        })
    }
}

fn caller(op: &Op) -> String {
    op.actor.to_string()
}

fn context(op: &Op, once: &Once) -> Vec<u8> {
    [caller(op).as_bytes(), b"\0", &once.hash()].concat()
}

impl Repeatable for () {
    fn thing(&self) -> String {
        String::new()
    }
    fn again(_: &str, _: Option<SecretString>) -> Option<Self> {
        Some(())
    }
}

macro_rules! repeatable_ids {
    ($($id:ident),*) => {$(
        impl Repeatable for $id {
            fn thing(&self) -> String {
                self.to_string()
            }
            fn again(thing: &str, _: Option<SecretString>) -> Option<Self> {
                thing.parse().ok()
            }
        }
    )*};
}
repeatable_ids!(
    AccessGrantId,
    AccessRequestId,
    ApiKeyId,
    BackupId,
    ChannelId,
    DrillId,
    EnvironmentId,
    InvitationId,
    PasskeyId,
    PolicyId,
    PolicyTestId,
    ProjectId,
    RecipientId,
    RewrapId,
    RoleBindingId,
    SecretId,
    ServiceTokenId,
    StandardId,
    TeamId,
    TrustRuleId,
    UserId,
    WorkloadId
);
