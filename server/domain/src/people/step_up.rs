//! Stepping up: a person in a session proves that they are still there, by the passkey that opened the session and by no
//! other. The session stays theirs, and that passkey's, whoever answers.
//!
//! A session that a recovery code or link opened has none before it enrols one, which then is its passkey. A terminal never
//! steps up. Sessions end with their passkey.

use std::slice;
use std::sync::Arc;

use keywarden_model::CeremonyId;
use keywarden_store::Written;
use keywarden_store::people::{sessions, users};

use super::ceremonies::{Bound, Flow, Started};
use super::error::CeremonyError;
use super::known::Known;
use super::own_passkeys::OwnPasskey;
use super::session::{Contents, SignedIn, done_by};
use crate::passkeys::{Ceremony, PasskeyError, RequestOptions};
use crate::{Domain, Op, Person, Refused};

impl Domain {
    /// The passkey that a step-up asks for; `None` where it was removed, and the session has ended, in this very moment.
    pub async fn session_passkey(&self, op: &Op) -> Result<Option<OwnPasskey>, Refused> {
        let opened_by = whole(op)?.passkey;
        Ok(self.own_passkeys(op).await?.into_iter().find(|own| Some(own.id) == opened_by))
    }

    /// Begins: asks for the passkey that opened the session.
    pub async fn start_step_up(&self, op: &Op) -> Result<Started<RequestOptions>, CeremonyError> {
        let person = whole(op)?;
        let mut conn = self.store().read().await?;
        let known = Known::of(&mut conn, person.id).await?;
        drop(conn);
        let Some(record) = person.passkey.and_then(|passkey| known.record_of(passkey)) else {
            self.step_up_refused(op, person, PasskeyError::NoPasskey).await?;
            return Err(PasskeyError::NoPasskey.into());
        };
        let (options, ceremony) = self.ceremonies()?.start_step_up(slice::from_ref(record), op.now)?;
        let bound = Bound::Session(person.session);
        let ceremony = self.keep_ceremony(op, Flow::StepUp, bound, &ceremony, &()).await?;
        Ok(Started { ceremony, options })
    }

    /// Ends: the session knows the new assertion, and has a new cookie (ASVS 7.2.4).
    pub async fn finish_step_up(
        &self,
        op: &Op,
        ceremony: CeremonyId,
        response: &[u8],
    ) -> Result<SignedIn, CeremonyError> {
        let person = whole(op)?;
        let bound = Bound::Session(person.session);
        let taken = self.take_ceremony::<()>(op, Flow::StepUp, bound, ceremony).await?;
        let (ceremony, ()) = taken.ok_or(CeremonyError::Gone)?;
        let stepped = self.step_up(op, person, ceremony, response).await;
        if let Err(CeremonyError::Passkey(why)) = &stepped {
            self.step_up_refused(op, person, *why).await?;
        }
        stepped
    }

    async fn step_up_refused(&self, op: &Op, person: &Person, why: PasskeyError) -> Result<(), Refused> {
        let about = ("session", person.session.to_string());
        self.record_refusal(&done_by(op, person), "session.step-up", about, why.code()).await
    }

    async fn step_up(
        &self,
        op: &Op,
        person: &Person,
        ceremony: Ceremony,
        response: &[u8],
    ) -> Result<SignedIn, CeremonyError> {
        let mut conn = self.store().read().await?;
        let known = Known::of(&mut conn, person.id).await?;
        drop(conn);
        let asserted = self.ceremonies()?.finish_step_up(ceremony, response, &known.records, op.now)?;
        let used = known.used(&asserted)?;
        if Some(used.id) != person.passkey {
            return Err(CeremonyError::Passkey(PasskeyError::AnotherPasskey));
        }
        let (after, row) = self.proven_anew(person, &Contents::proven(op, used.id, used.synced))?;
        let (facts, now) = (Arc::new((used, row)), op.now);
        self.change_unasked(&done_by(op, &after.person), "a passkey", &[], move |tx, record| {
            let facts = Arc::clone(&facts);
            Box::pin(async move {
                let (used, row) = &*facts;
                let here = users::see_active(tx, row.user, now).await?;
                if !here || !used.note(tx, now).await? {
                    return Err(CeremonyError::Passkey(PasskeyError::UnknownCredential));
                }
                if !sessions::replace(tx, row, now).await? {
                    return Err(CeremonyError::Gone);
                }
                let event = record
                    .event("session.step-up", "session", row.id)
                    .fact("passkey", used.id)
                    .fact("synced", used.synced);
                Ok(Written::new((), event.finish()?))
            })
        })
        .await?;
        Ok(after)
    }
}

/// A person whose session is not one that may only enrol a passkey.
pub(crate) fn whole(op: &Op) -> Result<&Person, Refused> {
    match op.actor.person() {
        Some(person) if !person.recovering => Ok(person),
        Some(_) => Err(Refused::StepUp),
        None => Err(Refused::NotFound),
    }
}
