//! Getting back in: by one of the ten codes, or by a link from the server's own shell. Either opens a session that may
//! enrol a passkey and nothing else, ends all others, and tells the person and the owners.

use std::sync::Arc;

use keywarden_model::{InvitationId, UserId};
use keywarden_store::people::{codes, links, sessions, users};
use keywarden_store::{ChangeKind, Written};
use keywarden_vault::SecretString;

use super::codes::{RecoveryCodes, TypedCode};
use super::error::{RecoverError, RecoveryLinkError};
use super::links::{LinkKind, NewLink, Says};
use super::notices::{NoticeKind, tell};
use super::session::{Contents, SignedIn, done_by};
use super::sessions::end_all;
use crate::once::Repeatable;
use crate::{Action, Actor, Domain, Fault, Op, Refused, Resource};

/// How somebody proves that they may recover an account.
#[derive(Debug, Clone)]
enum Proof {
    Code { position: i64, mac: Vec<u8> },
    Link(InvitationId),
}

impl Domain {
    /// Spends a recovery code, however it is typed. It names its person itself: nothing else is asked for.
    pub async fn use_recovery_code(&self, op: &Op, typed: &SecretString) -> Result<SignedIn, RecoverError> {
        let proven = match TypedCode::read(typed.expose()) {
            Some(code) => self.find_code(&code).await?,
            None => None,
        };
        let recovered = match proven {
            Some(row) => {
                let proof = Proof::Code { position: row.position, mac: row.mac };
                self.recover(op, row.user_id, proof).await
            }
            None => Err(RecoverError::Unknown),
        };
        if matches!(recovered, Err(RecoverError::Unknown)) {
            self.note_refusal(&op.source, "recovery.use-code", "unknown_or_used");
        }
        recovered
    }

    async fn find_code(&self, code: &TypedCode) -> Result<Option<codes::Row>, Fault> {
        let mut conn = self.store().read().await?;
        let candidates = codes::candidates(&mut conn, &code.lookup()).await?;
        drop(conn);
        if candidates.is_empty() {
            code.proves(None, self.keyring())?;
        }
        let (mut found, mut away) = (None, None);
        for row in candidates {
            match code.proves(Some(&row), self.keyring()) {
                Ok(true) => found = Some(row),
                Ok(false) => {}
                // It may be this one: whoever types it is asked to come again, not told that it is wrong.
                Err(Fault::KeyAway(key)) => away = Some(key),
                Err(fault) => return Err(fault),
            }
        }
        match (found, away) {
            (None, Some(key)) => Err(Fault::KeyAway(key)),
            (found, _) => Ok(found),
        }
    }

    /// Spends a recovery link.
    pub async fn use_recovery_link(&self, op: &Op, link: &str) -> Result<SignedIn, RecoverError> {
        let link = self.look_at_link(op, LinkKind::Recovery, link).await?;
        let user = link.user.ok_or_else(|| Fault::Damaged(format!("one_time_links: {}", link.id)))?;
        self.recover(op, user, Proof::Link(link.id)).await
    }

    async fn recover(&self, op: &Op, user: UserId, proof: Proof) -> Result<SignedIn, RecoverError> {
        let opening = self.opening(op, user, &Contents::recovering(op))?;
        let signed_in = opening.signed_in;
        let (now, env) = (op.now, self.env().clone());
        let facts = Arc::new((opening.row, proof));
        self.change_unasked(&done_by(op, &signed_in.person), "a code or link", &[], move |tx, record| {
            let (facts, env) = (Arc::clone(&facts), env.clone());
            Box::pin(async move {
                let (session, proof) = &*facts;
                if !users::see_active(tx, user, now).await? {
                    return Err(RecoverError::Unknown);
                }
                let (spent, action, kind) = match proof {
                    Proof::Code { position, mac } => (
                        codes::spend(tx, user, *position, mac, now).await?,
                        "recovery.use-code",
                        NoticeKind::RecoveredByCode,
                    ),
                    Proof::Link(id) => {
                        (links::spend(tx, *id, now).await?, "recovery.use-link", NoticeKind::RecoveredByLink)
                    }
                };
                if !spent {
                    return Err(RecoverError::Unknown);
                }
                // Whoever holds an older link would recover the account from under who has it back.
                let withdrawn = links::withdraw_for(tx, user, LinkKind::Recovery.as_str(), now).await?;
                let ended = end_all(tx, user, None, now).await?;
                sessions::insert(tx, session, now).await?;
                let mut told = users::owners(tx).await?;
                told.push(user);
                tell(tx, &env, kind, user, &told, now).await?;
                let mut event = record
                    .event(action, "user", user)
                    .fact("session", session.id)
                    .fact("ended_sessions", ended)
                    .fact("withdrawn_links", withdrawn);
                event = match proof {
                    Proof::Code { position, .. } => event.fact("code", position.saturating_add(1)),
                    Proof::Link(id) => event.fact("link", *id),
                };
                Ok(Written::new((), event.finish()?))
            })
        })
        .await?;
        Ok(signed_in)
    }

    /// Makes a link, good for 30 minutes, by which a person gets back in. On the server's own shell only.
    pub async fn operator_recover(&self, op: &Op, user: UserId) -> Result<NewLink, RecoveryLinkError> {
        if !matches!(op.actor, Actor::Operator { token: None, .. }) {
            return Err(Refused::NotFound.into());
        }
        let says = Says { user: Some(user), ..Says::default() };
        let (link, row) = self.new_link(op, LinkKind::Recovery, says).await?;
        let (now, id, row) = (op.now, link.id, Arc::new(row));
        self.change_unasked(op, "the operator's shell", &[], move |tx, record| {
            let row = Arc::clone(&row);
            Box::pin(async move {
                let found = users::find(tx, user).await?.ok_or(Refused::NotFound)?;
                if found.state != "active" {
                    return Err(RecoveryLinkError::Deactivated);
                }
                let withdrawn = links::withdraw_for(tx, user, LinkKind::Recovery.as_str(), now).await?;
                links::insert(tx, &row, now).await?;
                let event = record
                    .event("recovery.open-link", "user", user)
                    .fact("link", id)
                    .fact("withdrawn_links", withdrawn)
                    .fact("expires_at", row.expires_at);
                Ok(Written::new(id, event.finish()?))
            })
        })
        .await?;
        Ok(link)
    }

    /// Makes ten new codes for the person who asks; the old ones stop working.
    pub async fn renew_recovery_codes(&self, op: &Op) -> Result<RecoveryCodes, Refused> {
        let person = op.actor.person().ok_or(Refused::NotFound)?;
        let (user, session, now, env) = (person.id, person.session, op.now, self.env().clone());
        let (codes, rows) = self.draw_codes(user).await?;
        let facts = Arc::new((codes.joined(), rows));
        let resource = Resource::Person(user);
        self.change(op, Action::RenewRecoveryCodes, &resource, &[], move |tx, record| {
            let (facts, env) = (Arc::clone(&facts), env.clone());
            Box::pin(async move {
                let (joined, rows) = &*facts;
                codes::replace(tx, user, rows, now).await?;
                tx.restrict(ChangeKind::Session, session, now).await?;
                tell(tx, &env, NoticeKind::RecoveryCodesRenewed, user, &[user], now).await?;
                let event = record.event(Action::RenewRecoveryCodes.name(), "user", user);
                Ok::<_, Refused>(Written::new(RecoveryCodes::split(joined.expose()), event.finish()?))
            })
        })
        .await
    }

    /// How many codes the person who asks has left.
    pub async fn recovery_codes_left(&self, op: &Op) -> Result<i64, Refused> {
        let user = op.actor.person().ok_or(Refused::NotFound)?.id;
        let _seen = self.authorize(op, Action::ViewOwnAccount, &Resource::Person(user)).await?;
        let mut conn = self.store().read().await?;
        Ok(codes::left(&mut conn, user).await?)
    }
}

/// A replay is not shown them again: whoever missed them makes new ones.
impl Repeatable for RecoveryCodes {
    fn thing(&self) -> String {
        "recovery-codes".into()
    }
    fn again(_: &str, _: Option<SecretString>) -> Option<Self> {
        None
    }
}
