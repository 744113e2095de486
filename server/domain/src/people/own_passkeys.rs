//! A person's own passkeys: enrolling, naming and removing them.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use keywarden_model::time::{from_micros, later};
use keywarden_model::{CeremonyId, Name, PasskeyId};
use keywarden_store::people::{passkeys, sessions, users};
use keywarden_store::{ChangeKind, Written};

use super::ceremonies::{Bound, Flow, Started};
use super::enrol::new_passkey;
use super::error::{CeremonyError, registered_twice};
use super::known::Known;
use super::notices::{NoticeKind, tell};
use super::session::{Contents, SignedIn, opened};
use crate::authz::ASSERTION_AGE;
use crate::passkeys::{CreationOptions, CredentialId, PasskeyRecord, Registrant, UserHandle};
use crate::refused::carries_refused;
use crate::{Action, Domain, Fault, Op, Refused, Resource};

/// How many a person may have.
pub const MOST_PASSKEYS: usize = 20;
/// How long a passkey that was added to an account may approve nothing.
pub const APPROVES_AFTER: TimeDelta = TimeDelta::hours(24);
/// How long the person's last assertion must still count when one more passkey is begun.
const TIME_TO_ADD: TimeDelta = TimeDelta::minutes(2);

/// Whoever recovers can remove none first, and lost those that they have.
const fn most(recovering: bool) -> usize {
    if recovering { usize::MAX } else { MOST_PASSKEYS }
}

/// A passkey, as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnPasskey {
    /// Its id.
    pub id: PasskeyId,
    /// What its owner calls it.
    pub name: String,
    /// Whether it leaves its device.
    pub synced: bool,
    /// Since when.
    pub created_at: DateTime<Utc>,
    /// When it last signed.
    pub last_used_at: Option<DateTime<Utc>>,
    /// From when on it may approve.
    pub may_approve_after: DateTime<Utc>,
}

/// A passkey was added.
#[derive(Debug)]
pub struct Added {
    /// Which.
    pub passkey: PasskeyId,
    /// The session after it, if it was one that recovered: now a whole one, with a new cookie.
    pub recovered: Option<SignedIn>,
}

/// Why a passkey was not renamed or removed.
#[derive(Debug, thiserror::Error)]
pub enum PasskeyChangeError {
    /// The session that asks was opened with it.
    #[error("you are signed in with this passkey: sign in with another one, then remove it")]
    InUse,
    /// It is the person's only one.
    #[error("this is your only passkey: add another one first, or nothing would let you in")]
    Last,
    /// Another one of the person's is called so, in this or another spelling.
    #[error("another passkey of yours has this name: choose another")]
    NameTaken,
    /// As everywhere.
    #[error(transparent)]
    Refused(#[from] Refused),
}
carries_refused!(PasskeyChangeError);

impl Domain {
    /// The passkeys of the person who asks, oldest first.
    pub async fn own_passkeys(&self, op: &Op) -> Result<Vec<OwnPasskey>, Refused> {
        let person = op.actor.person().ok_or(Refused::NotFound)?;
        let _seen = self.authorize(op, Action::ViewOwnAccount, &Resource::Person(person.id)).await?;
        let mut conn = self.store().read().await?;
        let rows = passkeys::of(&mut conn, person.id).await?;
        let shown = |row: passkeys::Row| OwnPasskey {
            id: row.id,
            name: row.name,
            synced: row.synced,
            created_at: from_micros(row.created_at),
            last_used_at: row.last_used_at.map(from_micros),
            may_approve_after: from_micros(row.may_approve_after),
        };
        Ok(rows.into_iter().map(shown).collect())
    }

    /// Begins: one more passkey, on an authenticator that holds none of theirs, and called as none of theirs is: what was
    /// made on an authenticator stays there, though its name is refused afterwards. For the same reason it ends no later than
    /// the assertion that allows it, and is not begun where little of that time is left.
    pub async fn start_add_passkey(
        &self,
        op: &Op,
        name: &Name,
    ) -> Result<Started<CreationOptions>, CeremonyError> {
        let person = op.actor.person().ok_or(Refused::NotFound)?;
        let _may = self.authorize(op, Action::AddPasskey, &Resource::Person(person.id)).await?;
        // Whoever recovers has none to show.
        let asserted = person.asserted_at.filter(|_| !person.recovering);
        let until = asserted.map(|at| later(at, ASSERTION_AGE));
        if until.is_some_and(|until| until - op.now < TIME_TO_ADD) {
            return Err(Refused::StepUp.into());
        }
        let mut conn = self.store().read().await?;
        let user = users::find(&mut conn, person.id).await?.ok_or(Refused::NotFound)?;
        let known = Known::of(&mut conn, person.id).await?;
        let named_alike = is_taken(&passkeys::of(&mut conn, person.id).await?, name, None);
        drop(conn);
        if known.records.len() >= most(person.recovering) {
            return Err(CeremonyError::TooManyPasskeys);
        }
        if named_alike {
            return Err(CeremonyError::NameTaken);
        }
        let handle = UserHandle::try_from(user.handle)
            .map_err(|cause| Fault::Damaged(format!("users: {}: {cause}", user.id)))?;
        let exclude: Vec<CredentialId> =
            known.records.iter().map(PasskeyRecord::credential_id).cloned().collect();
        let registrant = Registrant { handle: &handle, name: &user.name, display_name: &user.name };
        let (options, ceremony) = self.ceremonies()?.start_registration(registrant, &exclude, op.now)?;
        let (options, ceremony) = match until {
            Some(until) => (options.within(until - op.now), ceremony.ending_by(until)),
            None => (options, ceremony),
        };
        let bound = Bound::Session(person.session);
        let ceremony = self.keep_ceremony(op, Flow::AddPasskey, bound, &ceremony, &()).await?;
        Ok(Started { ceremony, options })
    }

    /// Ends: the passkey is theirs, and may approve in a day. A session that recovered is a whole one from here on.
    pub async fn finish_add_passkey(
        &self,
        op: &Op,
        ceremony: CeremonyId,
        response: &[u8],
        name: &Name,
    ) -> Result<Added, CeremonyError> {
        let person = op.actor.person().ok_or(Refused::NotFound)?.clone();
        let bound = Bound::Session(person.session);
        let taken = self.take_ceremony::<()>(op, Flow::AddPasskey, bound, ceremony).await?;
        let (ceremony, ()) = taken.ok_or(CeremonyError::Gone)?;
        let registered = self.ceremonies()?.finish_registration(ceremony, response, op.now)?;
        let id: PasskeyId = self.fresh(op);
        let row = new_passkey(id, person.id, name, &registered, later(op.now, APPROVES_AFTER))?;
        let recovered = if person.recovering {
            Some(self.proven_anew(&person, &Contents::proven(op, id, row.synced))?)
        } else {
            None
        };
        let (signed_in, session) = recovered.unzip();
        let (now, env) = (op.now, self.env().clone());
        let facts = Arc::new((row, session, name.clone()));
        let (resource, recovering) = (Resource::Person(person.id), person.recovering);
        self.change(op, Action::AddPasskey, &resource, &[], move |tx, record| {
            let (facts, env) = (Arc::clone(&facts), env.clone());
            Box::pin(async move {
                let (row, session, name) = &*facts;
                // Holds off deactivation, and a second one that is added at the same time.
                if !users::see_active(tx, row.user, now).await? {
                    return Err(Refused::NotFound.into());
                }
                let theirs = passkeys::of(tx, row.user).await?;
                if theirs.len() >= most(recovering) {
                    return Err(CeremonyError::TooManyPasskeys);
                }
                if is_taken(&theirs, name, None) {
                    return Err(CeremonyError::NameTaken);
                }
                passkeys::insert(tx, row, now).await.map_err(|error| match registered_twice(&error) {
                    Some(twice) => twice.into(),
                    None => CeremonyError::from(error),
                })?;
                if let Some(session) = session {
                    if !sessions::replace(tx, session, now).await? {
                        return Err(CeremonyError::Gone);
                    }
                    tx.restrict(ChangeKind::Session, session.id, now).await?;
                }
                tell(tx, &env, NoticeKind::PasskeyAdded, row.user, &[row.user], now).await?;
                let event = record
                    .event(Action::AddPasskey.name(), "passkey", row.id)
                    .fact("user", row.user)
                    .fact("synced", row.synced)
                    .fact("recovered", session.is_some())
                    .fact("may_approve_after", row.may_approve_after)
                    .text("name", &row.name);
                Ok(Written::new(row.id, event.finish()?))
            })
        })
        .await?;
        Ok(Added { passkey: id, recovered: signed_in })
    }

    /// Renames one of the person's own.
    pub async fn rename_passkey(
        &self,
        op: &Op,
        passkey: PasskeyId,
        name: &Name,
    ) -> Result<(), PasskeyChangeError> {
        let user = op.actor.person().ok_or(Refused::NotFound)?.id;
        let (name, now) = (name.clone(), op.now);
        self.change(op, Action::RenamePasskey, &Resource::Person(user), &[], move |tx, record| {
            let name = name.clone();
            Box::pin(async move {
                // Of two that get one name at once, one waits for the other and sees it.
                users::see_active(tx, user, now).await?;
                if is_taken(&passkeys::of(tx, user).await?, &name, Some(passkey)) {
                    return Err(PasskeyChangeError::NameTaken);
                }
                if !passkeys::rename(tx, passkey, user, name.as_str()).await? {
                    return Err(Refused::NotFound.into());
                }
                let event =
                    record.event(Action::RenamePasskey.name(), "passkey", passkey).text("name", &name);
                Ok(Written::new((), event.finish()?))
            })
        })
        .await
    }

    /// Removes one of the person's own, but not the last, and ends every session that it opened. Not the one that the
    /// person is signed in with either: whoever signs in with another one first knows that it lets them in.
    pub async fn remove_passkey(&self, op: &Op, passkey: PasskeyId) -> Result<(), PasskeyChangeError> {
        let person = op.actor.person().ok_or(Refused::NotFound)?;
        let (user, session, in_use) = (person.id, person.session, person.passkey == Some(passkey));
        let now = op.now;
        let (env, keyring) = (self.env().clone(), Arc::clone(self.keyring()));
        self.change(op, Action::RemovePasskey, &Resource::Person(user), &[], move |tx, record| {
            let (env, keyring) = (env.clone(), Arc::clone(&keyring));
            Box::pin(async move {
                // Two removals at once, one after the other: neither sees the other's passkey as its spare one.
                users::see_active(tx, user, now).await?;
                let theirs = passkeys::of(tx, user).await?;
                if theirs.len() == 1 && theirs.iter().any(|row| row.id == passkey) {
                    return Err(PasskeyChangeError::Last);
                }
                if in_use {
                    return Err(PasskeyChangeError::InUse);
                }
                if !passkeys::remove(tx, passkey, user).await? {
                    return Err(Refused::NotFound.into());
                }
                let mut ended = 0_u64;
                for row in sessions::of(tx, user, now).await? {
                    let by_it = opened(&keyring, &row)?.passkey == Some(passkey);
                    if by_it && sessions::end(tx, row.id, user).await? {
                        tx.restrict(ChangeKind::Session, row.id, now).await?;
                        ended = ended.saturating_add(1);
                    }
                }
                tx.restrict(ChangeKind::Session, session, now).await?;
                tell(tx, &env, NoticeKind::PasskeyRemoved, user, &[user], now).await?;
                let event = record
                    .event(Action::RemovePasskey.name(), "passkey", passkey)
                    .fact("user", user)
                    .fact("ended_sessions", ended);
                Ok(Written::new((), event.finish()?))
            })
        })
        .await
    }
}

/// Whether one of these, other than `but`, has this name in any spelling.
fn is_taken(theirs: &[passkeys::Row], name: &Name, but: Option<PasskeyId>) -> bool {
    let folded = name.folded();
    let alike = |row: &passkeys::Row| row.name.parse::<Name>().is_ok_and(|it| it.folded() == folded);
    theirs.iter().any(|row| Some(row.id) != but && alike(row))
}
