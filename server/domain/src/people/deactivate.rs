//! Deactivating a person, everywhere at once, and letting one back in.

use std::sync::Arc;

use keywarden_model::UserId;
use keywarden_store::people::{links, users};
use keywarden_store::{ChangeKind, Written, roles};

use super::sessions::end_all;
use crate::authz::Circumstances;
use crate::refused::carries_refused;
use crate::{Action, Domain, Op, Refused, Resource};

/// Why somebody's state stays as it is.
#[derive(Debug, thiserror::Error)]
pub enum DeactivateError {
    /// They are in that state already.
    #[error("this was done before")]
    Already,
    /// Nobody could undo it, or do anything else that only owners may.
    #[error("this is the last active owner who can administer: make somebody else an owner first")]
    LastOwner,
    /// As everywhere.
    #[error(transparent)]
    Refused(#[from] Refused),
}
carries_refused!(DeactivateError);

impl Domain {
    /// Deactivates a person: sessions end, links stop working, and so do the invitations that they made.
    pub async fn deactivate_user(&self, op: &Op, user: UserId) -> Result<UserId, DeactivateError> {
        let now = op.now;
        let (domain, circumstances) = (self.clone(), Arc::new(Circumstances::of(op)));
        self.change(op, Action::DeactivateUser, &Resource::Person(user), &[], move |tx, record| {
            let (domain, circumstances) = (domain.clone(), Arc::clone(&circumstances));
            Box::pin(async move {
                users::find(tx, user).await?.ok_or(Refused::NotFound)?;
                // First: from here on nobody signs in as them.
                if !users::set_active(tx, user, false, now).await? {
                    return Err(DeactivateError::Already);
                }
                if users::is_owner(tx, user).await? {
                    if roles::other_owners(tx, user).await? == 0 {
                        return Err(DeactivateError::LastOwner);
                    }
                    // Of the owners who are left, policies may let none administer.
                    let in_force = domain.gate().in_force_now(tx).await?;
                    if !domain.can_be_administered(tx, &in_force, &circumstances).await? {
                        return Err(DeactivateError::LastOwner);
                    }
                }
                let ended = end_all(tx, user, None, now).await?;
                let withdrawn = links::withdraw_of(tx, user, now).await?;
                tx.restrict(ChangeKind::Authority, user, now).await?;
                let event = record
                    .event(Action::DeactivateUser.name(), "user", user)
                    .fact("ended_sessions", ended)
                    .fact("withdrawn_links", withdrawn);
                Ok(Written::new(user, event.finish()?))
            })
        })
        .await
    }

    /// Lets a person back in, with the roles and passkeys that they had.
    pub async fn reactivate_user(&self, op: &Op, user: UserId) -> Result<UserId, DeactivateError> {
        let now = op.now;
        self.change(op, Action::DeactivateUser, &Resource::Person(user), &[], move |tx, record| {
            Box::pin(async move {
                users::find(tx, user).await?.ok_or(Refused::NotFound)?;
                if !users::set_active(tx, user, true, now).await? {
                    return Err(DeactivateError::Already);
                }
                // Nodes remember that they may do nothing.
                tx.restrict(ChangeKind::Authority, user, now).await?;
                let event = record.event("user.reactivate", "user", user);
                Ok(Written::new(user, event.finish()?))
            })
        })
        .await
    }
}
