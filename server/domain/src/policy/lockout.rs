//! Whether anybody could still administer, if these were the policies: asked of the policies, not of names.

use keywarden_store::Conn;
use keywarden_store::people::users;

use super::ChangePolicyError;
use crate::authz::{Circumstances, InForce, Target, Who, load};
use crate::{Action, Domain, Fault, Resource};

/// What one owner at least must be able to do, all of it.
const ADMINISTERING: &[Action] = &[
    Action::ActivatePolicy,
    Action::DisablePolicy,
    Action::DraftPolicy,
    Action::GrantOrganizationRole,
    Action::GrantOwner,
    Action::InviteUser,
    Action::ViewPolicy,
    Action::ViewUsers,
];

impl Domain {
    /// Refuses to go from one set to another by which the last owner who could administer no longer could. Where none could
    /// before, as in a house whose only owner is the shell, nothing is lost.
    pub(super) async fn keeps_an_owner(
        &self,
        conn: &mut Conn,
        (before, after): (&InForce, &InForce),
        circumstances: &Circumstances,
    ) -> Result<(), ChangePolicyError> {
        let keeps = self.can_be_administered(conn, after, circumstances).await?
            || !self.can_be_administered(conn, before, circumstances).await?;
        if keeps { Ok(()) } else { Err(ChangePolicyError::LocksOut) }
    }

    /// Whether an active owner could still administer, aside from a fresh passkey, in these circumstances. Inside a write it
    /// holds for that write: whoever takes a role away meanwhile waits, or makes this one decide anew.
    pub(crate) async fn can_be_administered(
        &self,
        conn: &mut Conn,
        in_force: &InForce,
        circumstances: &Circumstances,
    ) -> Result<bool, Fault> {
        // A passkey can be shown at any time, and whoever recovers will have done so by then.
        let circumstances =
            Circumstances { recovering: false, passkey_age: Some(0), ..circumstances.clone() };
        let target = Target::thing(Resource::Organization);
        for user in users::owners(conn).await? {
            let owner = load(Who::Person(user), &user.to_string(), conn).await?;
            let may = |action: &Action| {
                self.gate().would_under(in_force, &owner, (*action, &target), &circumstances)
            };
            if ADMINISTERING.iter().all(may) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
