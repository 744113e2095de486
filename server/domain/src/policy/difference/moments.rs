//! The sets of policies that are compared: as they are and as they would be, and the same at other moments.
//!
//! Time, address, passkey and how somebody signed in are known of a request alone. So one moment is assumed, and what a policy
//! asks of the moment is besides taken as holding and as not holding. What comes out the same in all of these holds always.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use keywarden_model::{PolicyEffect, PolicyId};

use super::When;
use crate::authz::{Circumstances, Deciding, InForce, Principal, SignInMethod, Who};
use crate::{Action, Fault};

/// Policies that are looked at alone, at moments at which no other holds; of more, some are taken together.
const ALONE: usize = 12;

/// Pairs of sets, before and after. The first is asked at the assumed moment, and counts.
#[derive(Debug)]
pub(crate) struct Moments {
    pub(super) sets: Vec<(Arc<InForce>, Arc<InForce>)>,
    at: DateTime<Utc>,
}

/// What a policy asks of the moment, taken as one or the other for all that it speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mood {
    Holds,
    DoesNot,
}

impl Moments {
    /// One set, at one moment: for changes of what people hold and of things.
    pub(crate) fn same(
        in_force: &Arc<InForce>,
        actions: &[Action],
        at: DateTime<Utc>,
    ) -> Result<Self, Fault> {
        let mut sets = vec![(Arc::clone(in_force), Arc::clone(in_force))];
        for other in others(in_force, None, actions)? {
            let other = Arc::new(other);
            sets.push((Arc::clone(&other), other));
        }
        Ok(Self { sets, at })
    }

    /// With another version of one policy, or without it.
    pub(crate) fn of(
        in_force: &Arc<InForce>,
        policy: PolicyId,
        next: Option<&Deciding>,
        actions: &[Action],
        at: DateTime<Utc>,
    ) -> Result<Self, Fault> {
        let before = in_force.version_of(policy);
        let mut sets = vec![(Arc::clone(in_force), Arc::new(in_force.with(policy, next.cloned())?))];
        let mut rests = others(in_force, Some(policy), actions)?;
        let moody = |it: Option<&Deciding>| it.is_some_and(|it| it.checked.looks_at_context);
        if moody(before) || moody(next) {
            rests.push(in_force.with(policy, before.cloned())?);
        }
        for rest in &rests {
            for (old, new) in variants(before, next)? {
                let old = Arc::new(rest.with(policy, old)?);
                sets.push((old, Arc::new(rest.with(policy, new)?)));
            }
        }
        Ok(Self { sets, at })
    }

    /// Whether the policies are the same before and after.
    pub(super) fn is_of_one_set(&self) -> bool {
        self.sets.iter().all(|(before, after)| Arc::ptr_eq(before, after))
    }

    /// Whether other moments than the assumed one are looked at.
    pub(super) fn are_many(&self) -> bool {
        self.sets.len() > 1
    }

    /// How somebody is taken to ask: now, from an address that is not known, having just shown their passkey if they are a
    /// person.
    pub(crate) fn assumed(&self, principal: &Principal) -> Circumstances {
        match principal.who {
            Who::Person(_) => Circumstances {
                passkey_age: Some(0),
                ..Circumstances::absent(self.at, SignInMethod::Passkey)
            },
            Who::Nobody | Who::Operator(_) | Who::Workload(_) => {
                Circumstances::absent(self.at, SignInMethod::Token)
            }
        }
    }
}

/// What came out of each pair of sets, the assumed moment first: what changes, and when.
pub(super) fn weigh(answers: &[(bool, bool)]) -> Option<(super::Change, When)> {
    let changes: Vec<_> = answers.iter().map(|(before, after)| super::Change::of(*before, *after)).collect();
    match changes.first().copied().flatten() {
        Some(change) if changes.iter().all(|it| *it == Some(change)) => Some((change, When::Always)),
        Some(change) => Some((change, When::AsAssumed)),
        // What could be gained is what must not be missed.
        None => changes.iter().flatten().min().map(|change| (*change, When::Otherwise)),
    }
}

/// The other policies at other moments, where one of them asks for the moment in these actions.
///
/// An answer hangs on whether any of them allows, and whether any forbids. So what holds both where they allow all they can and
/// forbid nothing, and where they allow nothing and forbid all they can, holds always. What a policy takes can be seen in the first
/// of these, and what it gives where the others do neither. Where people or things change, and policies do not, one of them may
/// give what another gave before: then each is looked at alone, too.
fn others(in_force: &InForce, policy: Option<PolicyId>, actions: &[Action]) -> Result<Vec<InForce>, Fault> {
    let concerns = |it: &Deciding| {
        it.checked.looks_at_context
            && Some(it.policy) != policy
            && it.checked.actions.iter().any(|action| actions.contains(action))
    };
    let moody = |effect: PolicyEffect| -> Vec<PolicyId> {
        let moody = in_force.deciding().iter().filter(|it| concerns(it) && it.checked.effect == effect);
        moody.map(|it| it.policy).collect()
    };
    let (permits, forbids) = (moody(PolicyEffect::Permit), moody(PolicyEffect::Forbid));
    if permits.is_empty() && forbids.is_empty() {
        return Ok(Vec::new());
    }
    let all = |permits: Mood, forbids: Mood| {
        in_force.altered(|it| match (concerns(it), it.checked.effect) {
            (false, _) => Ok(Some(it.clone())),
            (true, PolicyEffect::Permit) => in_mood(it, permits),
            (true, PolicyEffect::Forbid) => in_mood(it, forbids),
        })
    };
    let mut sets = vec![
        all(Mood::Holds, Mood::DoesNot)?,
        all(Mood::DoesNot, Mood::Holds)?,
        all(Mood::DoesNot, Mood::DoesNot)?,
    ];
    if policy.is_some() {
        return Ok(sets);
    }
    // One that allows alone, where none forbids; one that forbids alone, where all that allow do.
    let alone = |of: &[PolicyId], effect: PolicyEffect, others: Mood| {
        let chunks = of.chunks(of.len().div_ceil(ALONE).max(1)).map(|few| {
            in_force.altered(|it| match (concerns(it), it.checked.effect == effect) {
                (false, _) => Ok(Some(it.clone())),
                (true, true) if few.contains(&it.policy) => in_mood(it, Mood::Holds),
                (true, true) => Ok(None),
                (true, false) => in_mood(it, others),
            })
        });
        chunks.collect::<Result<Vec<_>, Fault>>()
    };
    if permits.len() > 1 {
        sets.extend(alone(&permits, PolicyEffect::Permit, Mood::DoesNot)?);
    }
    if forbids.len() > 1 || !permits.is_empty() {
        sets.extend(alone(&forbids, PolicyEffect::Forbid, Mood::Holds)?);
    }
    Ok(sets)
}

type Version = Option<Deciding>;

/// Both versions at every moment that could be: each holds or does not, and both together if they ask for the same.
fn variants(before: Option<&Deciding>, after: Option<&Deciding>) -> Result<Vec<(Version, Version)>, Fault> {
    let moods = |it: Option<&Deciding>| -> Result<Vec<Version>, Fault> {
        match it {
            Some(it) if it.checked.looks_at_context => {
                Ok(vec![in_mood(it, Mood::Holds)?, in_mood(it, Mood::DoesNot)?])
            }
            plain => Ok(vec![plain.cloned()]),
        }
    };
    let (old, new) = (moods(before)?, moods(after)?);
    let same = match (before, after) {
        (Some(one), Some(other)) => one.checked.of_the_moment() == other.checked.of_the_moment(),
        _ => false,
    };
    if same {
        return Ok(old.into_iter().zip(new).collect());
    }
    Ok(old.iter().flat_map(|old| new.iter().map(|new| (old.clone(), new.clone()))).collect())
}

fn in_mood(version: &Deciding, mood: Mood) -> Result<Version, Fault> {
    match mood {
        Mood::DoesNot => Ok(None),
        Mood::Holds => {
            let checked = Arc::new(version.checked.at_any_moment()?);
            Ok(Some(Deciding { checked, ..version.clone() }))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Change;
    use super::*;

    #[test]
    fn what_holds_at_the_assumed_moment_counts_first() {
        let (yes, no, gain, loss) = ((true, true), (false, false), (false, true), (true, false));
        assert_eq!(weigh(&[no, yes]), None);
        assert_eq!(weigh(&[gain, gain]), Some((Change::Gained, When::Always)));
        assert_eq!(weigh(&[gain, yes]), Some((Change::Gained, When::AsAssumed)));
        assert_eq!(weigh(&[loss, gain]), Some((Change::Lost, When::AsAssumed)));
        assert_eq!(weigh(&[no, loss]), Some((Change::Lost, When::Otherwise)));
        assert_eq!(weigh(&[no, loss, gain]), Some((Change::Gained, When::Otherwise)));
    }
}
