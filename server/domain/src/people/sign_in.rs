//! Signing in without a user name. Unknown people, unknown passkeys and people who were deactivated look alike.

use std::sync::Arc;

use keywarden_model::{CeremonyId, UserId};
use keywarden_store::people::{sessions, users};
use keywarden_store::{ChangeKind, Written};

use super::ceremonies::{Bound, Browser, Flow, Started};
use super::error::CeremonyError;
use super::known::{Known, Used};
use super::session::{Contents, SignedIn, alike, done_by};
use crate::passkeys::{Ceremony, PasskeyError, RequestOptions, identify};
use crate::{Actor, Domain, Op, Refused};

impl Domain {
    /// Begins: asks whoever is there.
    pub async fn start_sign_in(
        &self,
        op: &Op,
        browser: Browser,
    ) -> Result<Started<RequestOptions>, CeremonyError> {
        let (options, ceremony) = self.ceremonies()?.start_sign_in(op.now)?;
        let ceremony = self.keep_ceremony(op, Flow::SignIn, Bound::Browser(browser), &ceremony, &()).await?;
        Ok(Started { ceremony, options })
    }

    /// Ends: a new session, in the place of the one that the browser may have had.
    pub async fn finish_sign_in(
        &self,
        op: &Op,
        browser: Browser,
        ceremony: CeremonyId,
        response: &[u8],
    ) -> Result<SignedIn, CeremonyError> {
        let taken = self.take_ceremony::<()>(op, Flow::SignIn, Bound::Browser(browser), ceremony).await?;
        let (ceremony, ()) = taken.ok_or(CeremonyError::Gone)?;
        match self.judge_sign_in(op, ceremony, response).await {
            Ok((user, used)) => self.sign_in(op, user, used).await,
            Err(CeremonyError::Passkey(why)) => {
                self.tell_refusal(op, why).await?;
                Err(why.into())
            }
            Err(other) => Err(other),
        }
    }

    async fn judge_sign_in(
        &self,
        op: &Op,
        ceremony: Ceremony,
        response: &[u8],
    ) -> Result<(UserId, Used), CeremonyError> {
        let claim = identify(response)?;
        let mut conn = self.store().read().await?;
        let user = users::find_by_handle(&mut conn, claim.user.as_bytes()).await?;
        let user = user.filter(|user| user.state == "active").map(|user| user.id);
        // Nobody has no passkeys: the same questions are asked, and the answer is the same.
        let known = Known::of(&mut conn, user.unwrap_or(UserId::NIL)).await?;
        drop(conn);
        let asserted = self.ceremonies()?.finish_sign_in(ceremony, response, &known.records, op.now)?;
        let user = user.ok_or(PasskeyError::UnknownCredential)?;
        Ok((user, known.used(&asserted)?))
    }

    async fn sign_in(&self, op: &Op, user: UserId, used: Used) -> Result<SignedIn, CeremonyError> {
        let opening = self.opening(op, user, &Contents::proven(op, used.id, used.synced))?;
        let before = op.actor.person().map(|person| (person.session, person.id));
        let (now, signed_in) = (op.now, opening.signed_in);
        let facts = Arc::new((used, opening.row));
        self.change_unasked(&done_by(op, &signed_in.person), "a passkey", &[], move |tx, record| {
            let facts = Arc::clone(&facts);
            Box::pin(async move {
                let (used, session) = &*facts;
                let here = users::see_active(tx, user, now).await?;
                if !here || !used.note(tx, now).await? {
                    return Err(CeremonyError::Passkey(PasskeyError::UnknownCredential));
                }
                let mut event = record
                    .event("session.sign-in", "session", session.id)
                    .fact("passkey", used.id)
                    .fact("synced", used.synced);
                if let Some((before, whose)) = before
                    && sessions::end(tx, before, whose).await?
                {
                    tx.restrict(ChangeKind::Session, before, now).await?;
                    event = event.fact("replaces", before);
                }
                sessions::insert(tx, session, now).await?;
                Ok(Written::new((), event.finish()?))
            })
        })
        .await?;
        Ok(signed_in)
    }

    /// Strangers are counted, however often they knock. What only the holder of a passkey's key can bring about is
    /// worth an event of its own: there may be a copy of the authenticator.
    async fn tell_refusal(&self, op: &Op, why: PasskeyError) -> Result<(), Refused> {
        if matches!(why, PasskeyError::BackupChanged | PasskeyError::CounterWentBack) {
            let about = ("organization", "organization".into());
            return self
                .record_refusal(&alike(op, Actor::Nobody), "session.sign-in", about, why.code())
                .await;
        }
        self.note_refusal(&op.source, "session.sign-in", why.code());
        Ok(())
    }

    /// Records that somebody was not believed.
    pub(crate) async fn record_refusal(
        &self,
        op: &Op,
        action: &'static str,
        (kind, id): (&'static str, String),
        why: &'static str,
    ) -> Result<(), Refused> {
        self.change_unasked(op, "a refusal", &[], move |_, record| {
            let event = record.event(action, kind, &id).refused(why).finish();
            Box::pin(async move { Ok::<_, Refused>(Written::new((), event?)) })
        })
        .await
    }
}
