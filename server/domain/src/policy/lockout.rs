//! Whether anybody could still administer, if these were the policies, now and later: asked of the policies, not of names.

use chrono::{DateTime, TimeDelta, Utc};
use keywarden_store::Conn;
use keywarden_store::people::users;

use super::ChangePolicyError;
use crate::authz::{Circumstances, InForce, Principal, Target, Who, load};
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

    /// Whether a change of who holds what leaves an owner who can administer: asked before the change and after it, since a
    /// policy may go by a team or by another role that an owner gets or loses. Where no policy speaks of administering,
    /// nothing can be lost by it.
    pub(crate) async fn is_administered(
        &self,
        conn: &mut Conn,
        circumstances: &Circumstances,
    ) -> Result<bool, Fault> {
        let in_force = self.gate().in_force_now(conn).await?;
        if !ADMINISTERING.iter().any(|action| in_force.speaks_of(*action)) {
            return Ok(true);
        }
        self.can_be_administered(conn, &in_force, circumstances).await
    }

    /// Whether an active owner could still administer, aside from a fresh passkey, in these circumstances, and as time goes
    /// on. Inside a write it holds for that write: whoever takes a role away meanwhile waits, or makes this one decide anew.
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
        let mut owners = Vec::new();
        for user in users::owners(conn).await? {
            // What somebody holds for a while keeps nobody in, and shuts nobody out for good.
            owners.push(load(Who::Person(user), &user.to_string(), None, conn).await?);
        }
        let at = |now: DateTime<Utc>| {
            let then = Circumstances { now, ..circumstances.clone() };
            let may = |owner: &Principal, action: &Action| {
                self.gate().would_under(in_force, owner, (*action, &target), &then)
            };
            owners.iter().any(|owner| ADMINISTERING.iter().all(|action| may(owner, action)))
        };
        if !at(circumstances.now) {
            return Ok(false);
        }
        // Nothing but the moment can be another later, and only a policy that looks at the circumstances sees it.
        if !ADMINISTERING.iter().any(|action| in_force.is_moody(*action)) {
            return Ok(true);
        }
        Ok(WEEKS.iter().all(|weeks| moments(circumstances.now, *weeks).any(at)))
    }
}

/// How far ahead it is looked, in weeks: whoever shuts all owners out for longer than until then shuts them out at one of
/// these, be it for ever. What comes back each week, as nights and weekends do, is no matter: a whole week is looked at.
const WEEKS: [i64; 13] = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024, 2_048, 4_096];
/// Of a week, every so often.
const QUARTER: TimeDelta = TimeDelta::minutes(15);
const QUARTERS: i32 = 7 * 24 * 4;

/// The quarters of an hour of a week that lies ahead.
fn moments(now: DateTime<Utc>, weeks: i64) -> impl Iterator<Item = DateTime<Utc>> {
    let from = TimeDelta::try_weeks(weeks).and_then(|ahead| now.checked_add_signed(ahead));
    let step = move |n: i32| from?.checked_add_signed(QUARTER.checked_mul(n)?);
    (0..QUARTERS).map_while(step)
}
