//! Sessions in use: who is behind a cookie, which sessions a person has, and ending them.

use std::net::IpAddr;

use chrono::{DateTime, TimeDelta, Utc};
use keywarden_model::time::from_micros;
use keywarden_model::{PasskeyId, RequestId, SessionId, UserId};
use keywarden_store::people::sessions;
use keywarden_store::{ChangeKind, StoreError, Tx, Written};

use super::session::{Contents, RECOVERING, SessionKey, alike, delta};
use super::terminals::TERMINAL_LASTS;
use crate::tokens::silent;
use crate::{Action, Actor, Domain, Fault, LastRefusal, Op, Person, Refused, Resource, Source};

/// How exactly it is known when a session was last used; within a short idle limit more exactly.
const TOUCH: TimeDelta = TimeDelta::minutes(1);

/// How long a session may be idle, and how long it may last.
#[derive(Debug, Clone, Copy)]
struct Limits {
    idle: TimeDelta,
    absolute: TimeDelta,
}

impl Limits {
    fn allow(self, row: &sessions::Row, now: DateTime<Utc>) -> bool {
        let (created, seen) = (from_micros(row.created_at), from_micros(row.last_seen_at));
        now < from_micros(row.expires_at) && now - created < self.absolute && now - seen < self.idle
    }
}

/// A session, as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnSession {
    /// Its id.
    pub id: SessionId,
    /// Whether it is the one that asks.
    pub current: bool,
    /// When it began.
    pub signed_in_at: DateTime<Utc>,
    /// When it was last used, to the minute.
    pub last_seen_at: DateTime<Utc>,
    /// Where it began.
    pub address: Option<IpAddr>,
    /// What the client called itself.
    pub agent: Option<String>,
    /// The passkey that signed last.
    pub passkey: Option<PasskeyId>,
    /// Whether it may only enrol a passkey.
    pub recovering: bool,
    /// Whether it is a terminal's.
    pub terminal: bool,
}

impl Domain {
    /// Who is behind a cookie, at this instant; `None` when the session was ended or timed out, or its person was
    /// deactivated. Asks the store every time: a session ended on one node is ended on all.
    pub async fn resolve_session(
        &self,
        key: &SessionKey,
        now: DateTime<Utc>,
    ) -> Result<Option<Person>, Fault> {
        self.resolve(key.hash(), false, now).await
    }

    /// Who is behind a session's secret: a cookie's, or a terminal's.
    pub(super) async fn resolve(
        &self,
        hash: [u8; 32],
        terminal: bool,
        now: DateTime<Utc>,
    ) -> Result<Option<Person>, Fault> {
        let person = self.find_behind(hash, terminal, now).await?;
        match person {
            Some(_) => self.lately().note(hash),
            None => self.lately().forget(hash),
        }
        Ok(person)
    }

    async fn find_behind(
        &self,
        hash: [u8; 32],
        terminal: bool,
        now: DateTime<Utc>,
    ) -> Result<Option<Person>, Fault> {
        let mut conn = self.store().read().await?;
        let row = sessions::find(&mut conn, hash).await?;
        drop(conn);
        let Some(row) = row.filter(|row| row.state == "active") else { return Ok(None) };
        let contents = self.opened_soon(|| self.open_session(&row)).await?;
        let person = contents.person(row.id, row.user_id);
        if contents.terminal != terminal {
            return Ok(None);
        }
        let limits = self.limits(&row, &contents, now).await?;
        if !limits.allow(&row, now) {
            return Ok(None);
        }
        if now - from_micros(row.last_seen_at) >= TOUCH.min(limits.idle.checked_div(4).unwrap_or(TOUCH)) {
            let (session, user) = (person.session, person.id);
            self.store()
                .write_silently("a session is in use; to the minute", move |tx| {
                    Box::pin(async move { sessions::touch(tx, session, user, now).await })
                })
                .await
                .map_err(silent)?;
        }
        Ok(Some(person))
    }

    /// Idle and absolute limits are those of the roles that the person holds now. A terminal is not given up when it is idle.
    async fn limits(
        &self,
        row: &sessions::Row,
        contents: &Contents,
        now: DateTime<Utc>,
    ) -> Result<Limits, Fault> {
        if contents.recovering {
            return Ok(Limits { idle: RECOVERING, absolute: RECOVERING });
        }
        let asking = Op {
            actor: Actor::Person(contents.person(row.id, row.user_id)),
            source: Source::default(),
            request: RequestId::NIL,
            now,
            once: None,
            reason: None,
            seen: None,
            refusal: LastRefusal::default(),
        };
        let settings = self.settings();
        let privileged = self.is_privileged(&asking).await?;
        let (idle, absolute) = if privileged { settings.admin_session } else { settings.session };
        let absolute = delta(absolute);
        Ok(if contents.terminal {
            Limits { idle: absolute, absolute: absolute.min(TERMINAL_LASTS) }
        } else {
            Limits { idle: delta(idle), absolute }
        })
    }

    /// The sessions of the person who asks, newest first; those that timed out are not among them.
    pub async fn list_own_sessions(&self, op: &Op) -> Result<Vec<OwnSession>, Refused> {
        let asking = op.actor.person().ok_or(Refused::NotFound)?;
        let _seen = self.authorize(op, Action::ViewOwnAccount, &Resource::Person(asking.id)).await?;
        let mut conn = self.store().read().await?;
        let rows = sessions::of(&mut conn, asking.id, op.now).await?;
        drop(conn);
        let mut own = Vec::with_capacity(rows.len());
        for row in rows {
            let contents = self.open_session(&row)?;
            if !self.limits(&row, &contents, op.now).await?.allow(&row, op.now) {
                continue;
            }
            own.push(OwnSession {
                id: row.id,
                current: row.id == asking.session,
                signed_in_at: from_micros(row.created_at),
                last_seen_at: from_micros(row.last_seen_at),
                address: contents.address,
                agent: contents.agent,
                passkey: contents.passkey,
                recovering: contents.recovering,
                terminal: contents.terminal,
            });
        }
        Ok(own)
    }

    /// Signs out the session that asks.
    pub async fn sign_out(&self, op: &Op) -> Result<(), Refused> {
        let session = op.actor.person().ok_or(Refused::NotFound)?.session;
        self.end_own_session(op, session).await
    }

    /// Ends one of the person's own sessions.
    pub async fn end_own_session(&self, op: &Op, session: SessionId) -> Result<(), Refused> {
        let person = op.actor.person().ok_or(Refused::NotFound)?;
        let (user, now) = (person.id, op.now);
        let resource = Resource::Person(user);
        self.change(op, Action::EndOwnSession, &resource, &[], move |tx, record| {
            Box::pin(async move {
                if !sessions::end(tx, session, user).await? {
                    return Err(Refused::NotFound);
                }
                tx.restrict(ChangeKind::Session, session, now).await?;
                let event = record.event(Action::EndOwnSession.name(), "session", session);
                Ok(Written::new((), event.finish()?))
            })
        })
        .await
    }

    /// Ends all of the person's own sessions but the one that asks.
    pub async fn end_all_other_sessions(&self, op: &Op) -> Result<(), Refused> {
        let person = op.actor.person().ok_or(Refused::NotFound)?;
        let (user, own, now) = (person.id, person.session, op.now);
        let resource = Resource::Person(user);
        self.change(op, Action::EndOwnSession, &resource, &[], move |tx, record| {
            Box::pin(async move {
                let ended = end_all(tx, user, Some(own), now).await?;
                let event = record
                    .event(Action::EndOwnSession.name(), "user", user)
                    .fact("ended_sessions", ended)
                    .fact("but", own);
                Ok::<_, Refused>(Written::new((), event.finish()?))
            })
        })
        .await
    }

    /// Ends every session of another person.
    pub async fn end_sessions_of(&self, op: &Op, user: UserId) -> Result<(), Refused> {
        let now = op.now;
        let resource = Resource::Person(user);
        self.change(op, Action::EndOthersSession, &resource, &[], move |tx, record| {
            Box::pin(async move {
                let ended = end_all(tx, user, None, now).await?;
                let event =
                    record.event(Action::EndOthersSession.name(), "user", user).fact("ended_sessions", ended);
                Ok::<_, Refused>(Written::new((), event.finish()?))
            })
        })
        .await
    }

    /// Ends the session behind a cookie that is being replaced or removed; nothing to do if it has ended already.
    pub async fn forget_session(&self, key: &SessionKey, op: &Op) -> Result<(), Refused> {
        let mut conn = self.store().read().await?;
        let row = sessions::find(&mut conn, key.hash()).await?;
        drop(conn);
        let Some(row) = row else { return Ok(()) };
        let (session, user, now) = (row.id, row.user_id, op.now);
        let person = self.open_session(&row)?.person(session, user);
        let op = alike(op, Actor::Person(person));
        self.change_unasked(&op, "the cookie itself", &[], move |tx, record| {
            Box::pin(async move {
                sessions::end(tx, session, user).await?;
                tx.restrict(ChangeKind::Session, session, now).await?;
                let event = record.event(Action::EndOwnSession.name(), "session", session);
                Ok::<_, Refused>(Written::new((), event.finish()?))
            })
        })
        .await
    }
}

/// Ends a person's sessions on every node, all or all but one; gives how many.
pub(super) async fn end_all(
    tx: &mut Tx,
    user: UserId,
    but: Option<SessionId>,
    now: DateTime<Utc>,
) -> Result<u64, StoreError> {
    let ended = sessions::end_all(tx, user, but).await?;
    for session in &ended {
        tx.restrict(ChangeKind::Session, session, now).await?;
    }
    Ok(u64::try_from(ended.len()).unwrap_or(u64::MAX))
}
