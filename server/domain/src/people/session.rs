//! What a session is: the cookie's secret, what its row holds, and how long it lasts.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use keywarden_model::{PasskeyId, SessionId, UserId, time::later};
use keywarden_store::people::sessions;
use keywarden_vault::Purpose;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::{Actor, Domain, Env, Fault, LastRefusal, Op, Person, Settings};

/// How long a session may enrol a passkey after a recovery code or link opened it.
pub const RECOVERING: TimeDelta = TimeDelta::minutes(30);

/// The secret in the cookie: 128 random bits. The store knows only its SHA-256.
pub struct SessionKey(Zeroizing<[u8; 16]>);

keywarden_vault::never_implements!(SessionKey: Clone, PartialEq, fmt::Display, AsRef<[u8]>, std::ops::Deref);

impl SessionKey {
    /// From a cookie.
    pub fn new(bits: [u8; 16]) -> Self {
        Self(Zeroizing::new(bits))
    }

    pub(super) fn random(env: &Env) -> Self {
        Self::new(env.bytes())
    }

    /// For the cookie, and for nothing else.
    pub fn expose(&self) -> &[u8; 16] {
        &self.0
    }

    pub(crate) fn hash(&self) -> [u8; 32] {
        Sha256::digest(*self.0).into()
    }
}

impl fmt::Debug for SessionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionKey")
    }
}

/// Somebody is in: who, and the cookie to give them. The cookie before it has stopped working.
#[derive(Debug)]
#[must_use = "without the new cookie the person is signed out"]
pub struct SignedIn {
    /// Who, in which session.
    pub person: Person,
    /// The cookie's secret.
    pub key: Arc<SessionKey>,
}

/// What a door did to the browser's session: put into the response, from where the server makes the cookie.
#[derive(Debug, Clone)]
pub enum SessionChange {
    /// It has ended.
    Ended,
    /// A new cookie takes the place of the old one.
    Opened(Arc<SessionKey>),
}

impl From<SignedIn> for SessionChange {
    fn from(it: SignedIn) -> Self {
        Self::Opened(it.key)
    }
}

/// What a session's row holds, sealed.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Contents {
    pub(super) passkey: Option<PasskeyId>,
    pub(super) asserted_at: Option<DateTime<Utc>>,
    pub(super) synced: bool,
    pub(super) recovering: bool,
    pub(super) address: Option<IpAddr>,
    pub(super) agent: Option<String>,
    /// It is a terminal's: held by a token, not by a cookie.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) terminal: bool,
}

impl Contents {
    /// Opened by a passkey that signed just now.
    pub(super) fn proven(op: &Op, passkey: PasskeyId, synced: bool) -> Self {
        Self {
            passkey: Some(passkey),
            asserted_at: Some(op.now),
            synced,
            recovering: false,
            address: op.source.address,
            agent: op.source.agent.clone(),
            terminal: false,
        }
    }

    /// Opened by a recovery code or link.
    pub(super) fn recovering(op: &Op) -> Self {
        Self {
            passkey: None,
            asserted_at: None,
            synced: false,
            recovering: true,
            address: op.source.address,
            agent: op.source.agent.clone(),
            terminal: false,
        }
    }

    pub(super) fn person(&self, session: SessionId, id: UserId) -> Person {
        Person {
            id,
            session,
            passkey: self.passkey,
            asserted_at: self.asserted_at,
            synced: self.synced,
            recovering: self.recovering,
        }
    }
}

fn context(session: SessionId, user: UserId) -> Vec<u8> {
    format!("sessions.sealed/{session}/{user}").into_bytes()
}

/// A session as it will be.
#[derive(Debug)]
pub(super) struct Opening {
    pub(super) row: sessions::Insert,
    pub(super) signed_in: SignedIn,
}

impl Domain {
    pub(super) fn seal_session(
        &self,
        session: SessionId,
        user: UserId,
        contents: &Contents,
    ) -> Result<Vec<u8>, Fault> {
        let plaintext =
            serde_json::to_vec(contents).map_err(|cause| Fault::Unexpected(format!("session: {cause}")))?;
        let context = context(session, user);
        Ok(self.env().with_rng(|rng| self.keyring().seal(Purpose::Session, &context, &plaintext, rng))?)
    }

    pub(super) fn open_session(&self, row: &sessions::Row) -> Result<Contents, Fault> {
        opened(self.keyring(), row)
    }

    /// Prepares a new session; it counts once its row is written.
    pub(super) fn opening(&self, op: &Op, user: UserId, contents: &Contents) -> Result<Opening, Fault> {
        let id: SessionId = self.fresh(op);
        let key = SessionKey::random(self.env());
        let lasts = if contents.recovering { RECOVERING } else { longest(self.settings()) };
        let row = sessions::Insert {
            id_hash: key.hash(),
            id,
            user,
            sealed: self.seal_session(id, user, contents)?,
            expires_at: later(op.now, lasts),
        };
        Ok(Opening { row, signed_in: SignedIn { person: contents.person(id, user), key: Arc::new(key) } })
    }
}

impl Domain {
    /// Prepares what a session becomes when its person has proven themselves anew: the same session, another cookie.
    pub(super) fn proven_anew(
        &self,
        person: &Person,
        contents: &Contents,
    ) -> Result<(SignedIn, sessions::Replace), Fault> {
        let (id, user) = (person.session, person.id);
        let key = SessionKey::random(self.env());
        let sealed = self.seal_session(id, user, contents)?;
        let row = sessions::Replace { id, user, id_hash: key.hash(), sealed };
        Ok((SignedIn { person: contents.person(id, user), key: Arc::new(key) }, row))
    }
}

/// What a row holds; pure, for use inside a write.
pub(super) fn opened(keyring: &keywarden_vault::Keyring, row: &sessions::Row) -> Result<Contents, Fault> {
    let opened = keyring.open(Purpose::Session, &context(row.id, row.user_id), &row.sealed)?;
    serde_json::from_slice(opened.expose())
        .map_err(|cause| Fault::Damaged(format!("session {}: {cause}", row.id)))
}

/// No session outlives this; the limits of its person's role, which may change meanwhile, end it before.
pub(super) fn longest(settings: &Settings) -> TimeDelta {
    delta(settings.session.1.max(settings.admin_session.1))
}

pub(super) fn delta(span: Duration) -> TimeDelta {
    TimeDelta::from_std(span).unwrap_or(TimeDelta::MAX)
}

/// The same operation, done by this person: for events of somebody who has just proven who they are.
pub(crate) fn done_by(op: &Op, person: &Person) -> Op {
    alike(op, Actor::Person(person.clone()))
}

/// The same operation with another actor, and without its idempotency key.
pub(super) fn alike(op: &Op, actor: Actor) -> Op {
    Op {
        actor,
        source: op.source.clone(),
        request: op.request,
        now: op.now,
        once: None,
        reason: None,
        seen: None,
        refusal: LastRefusal::default(),
    }
}
