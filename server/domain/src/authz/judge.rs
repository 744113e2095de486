//! From a decision to an answer: a permit, or a no in the words that the caller may hear. Pure.

use chrono::TimeDelta;

use super::principal::Who;
use super::{Action, Circumstances, InForce, Permit, Principal, Rules, Target};
use crate::{Op, Person, Refused};

/// How old a passkey assertion may be for a change.
pub const ASSERTION_AGE: TimeDelta = TimeDelta::minutes(5);
/// How far ahead another node's clock may be that noted the assertion.
const CLOCK_SKEW: TimeDelta = TimeDelta::seconds(10);

impl Rules {
    /// Policies first, the passkey second: so asking for a passkey tells a stranger nothing.
    pub(super) fn judge(
        &self,
        in_force: &InForce,
        principal: &Principal,
        op: &Op,
        action: Action,
        target: &Target,
        counter: i64,
    ) -> Result<Permit, Refused> {
        let circumstances = Circumstances::of(op);
        let decision = self.decide_with(in_force, principal, action, target, &circumstances);
        let Some(permit) = Permit::of(decision, counter) else {
            let known = self.knows(in_force, principal, &circumstances, action, target);
            tracing::info!(actor = %op.actor, action = action.name(), known, "domain.authorize refused");
            return Err(if known { Refused::Forbidden(action) } else { Refused::NotFound });
        };
        match op.actor.person() {
            Some(person) if action.needs_step_up() && !fresh(person, op) => Err(Refused::StepUp),
            _ => Ok(permit),
        }
    }

    /// Whether the caller may know that the thing exists.
    fn knows(
        &self,
        in_force: &InForce,
        principal: &Principal,
        circumstances: &Circumstances,
        action: Action,
        target: &Target,
    ) -> bool {
        if principal.who == Who::Nobody {
            return false;
        }
        match target.resource.sight() {
            None => true,
            Some((sight, _)) if sight == action => false,
            Some((sight, seen)) => {
                let seen = if seen == target.resource { target.clone() } else { Target::thing(seen) };
                self.decide_with(in_force, principal, sight, &seen, circumstances).allowed
            }
        }
    }
}

/// Whether the session was opened by a recovery code or link.
pub(super) fn recovering(op: &Op) -> bool {
    op.actor.person().is_some_and(|person| person.recovering)
}

/// Whoever recovers has no passkey to show: the code was the proof, and policies let them do nothing but enrol one.
fn fresh(person: &Person, op: &Op) -> bool {
    let shown = |at| op.now - at <= ASSERTION_AGE && at - op.now <= CLOCK_SKEW;
    person.recovering || person.asserted_at.is_some_and(shown)
}
