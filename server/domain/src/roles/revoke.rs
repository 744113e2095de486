//! Taking a role away.

use std::sync::Arc;

use keywarden_model::{Role, RoleBindingId};
use keywarden_store::{ChangeKind, Written, roles as rows};

use super::{Holder, RoleBinding, permit_for};
use crate::audit::Fact;
use crate::authz::Circumstances;
use crate::refused::carries_refused;
use crate::{Action, Domain, Fault, Op, Refused, Resource};

/// Why the role is still held.
#[derive(Debug, thiserror::Error)]
pub enum RevokeRoleError {
    /// Nobody else who is active is an owner whom policies let administer.
    #[error("this is the last active owner who can administer: make another one first")]
    LastOwner,
    /// A policy lets the owners who are left administer for this role alone.
    #[error(
        "without this role no owner could invite people, give roles and change policies any more: change the policies first"
    )]
    LocksOut,
    /// As everywhere.
    #[error(transparent)]
    Refused(#[from] Refused),
}
carries_refused!(RevokeRoleError);

impl Domain {
    /// Takes a role away.
    pub async fn revoke_role(&self, op: &Op, id: RoleBindingId) -> Result<RoleBindingId, RevokeRoleError> {
        let mut conn = self.store().read().await.map_err(Fault::from)?;
        let found = rows::find(&mut conn, id).await?;
        drop(conn);
        let binding = RoleBinding::try_from(found.ok_or(Refused::NotFound)?)?;
        let wrong = || Fault::Damaged(format!("role_bindings {id}: a role in the wrong scope"));
        let (action, resource) = permit_for(binding.role, binding.project).ok_or_else(wrong)?;
        // Who may not see the people must not learn from "forbidden" that this binding exists.
        if resource == Resource::Organization
            && !self.would(op, Action::ViewUsers, &Resource::Organization).await?
            && !self.would(op, action, &resource).await?
        {
            return Err(Refused::NotFound.into());
        }
        let (domain, circumstances) = (self.clone(), Arc::new(Circumstances::of(op)));
        self.change(op, action, &resource, &[], move |tx, record| {
            let (domain, circumstances) = (domain.clone(), Arc::clone(&circumstances));
            Box::pin(async move {
                let found = rows::find(tx, id).await?.ok_or(Refused::NotFound)?;
                let binding = RoleBinding::try_from(found)?;
                if let (Role::Owner, Holder::Person(person)) = (binding.role, binding.holder)
                    && binding.holder_active
                    && rows::other_owners(tx, person).await? == 0
                {
                    return Err(RevokeRoleError::LastOwner);
                }
                // A policy may go by any role of the organization, of an owner or of a team of theirs.
                let mattered =
                    binding.project.is_none() && domain.is_administered(tx, &circumstances).await?;
                rows::delete(tx, id).await?;
                // Of the owners who are left, policies may let none administer.
                if binding.role == Role::Owner && binding.holder_active {
                    let in_force = domain.gate().in_force_now(tx).await?;
                    if !domain.can_be_administered(tx, &in_force, &circumstances).await? {
                        return Err(RevokeRoleError::LastOwner);
                    }
                } else if mattered && !domain.is_administered(tx, &circumstances).await? {
                    return Err(RevokeRoleError::LocksOut);
                }
                tx.restrict(ChangeKind::Authority, binding.holder, record.now()).await?;
                let event = record
                    .event("role.revoke", binding.holder.event_kind(), binding.holder)
                    .project(binding.project)
                    .change("role", binding.role, Fact::none())
                    .fact("binding", id)
                    .finish()?;
                Ok(Written::new(id, event))
            })
        })
        .await
    }
}
