//! Tags and owners that policies read: to change one is to grant, or to take away.
//!
//! A policy that says who may read what is tagged `data=cards` is changed by whoever changes that tag, as surely as by whoever
//! changes its text. So such a change asks for the right to let a policy decide where that policy holds, beside the right to
//! change the thing, and it moves the change counter as activating one does: permits that were decided before it are void.
//! What is made new with tags of its own changes nothing that was decided before, and asks for no more than making it.

use std::collections::BTreeSet;
use std::fmt::Display;

use chrono::{DateTime, Utc};
use keywarden_model::{PolicyId, ProjectId, Tags};
use keywarden_store::{ChangeKind, Tx};

use super::resource;
use crate::authz::{Facts, Owner, PolicyScope};
use crate::{Action, Domain, Fault, Refused, Resource};

/// What another description of a thing, or of several, changes that policies can read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Moved {
    /// The names of tags that come, go or get another value.
    pub(crate) tags: BTreeSet<String>,
    /// It belongs to somebody else.
    pub(crate) owner: bool,
}

impl Moved {
    /// From one description to another.
    pub(crate) fn of(before: (&Tags, Owner), after: (&Tags, Owner)) -> Self {
        let is_in = |tags: &Tags, one: (&str, &str)| tags.iter().any(|it| it == one);
        let gone = before.0.iter().filter(|it| !is_in(after.0, *it));
        let come = after.0.iter().filter(|it| !is_in(before.0, *it));
        Self { tags: gone.chain(come).map(|(name, _)| name.to_owned()).collect(), owner: before.1 != after.1 }
    }

    /// What changes in either.
    pub(crate) fn add(&mut self, other: &Self) {
        self.tags.extend(other.tags.iter().cloned());
        self.owner |= other.owner;
    }

    fn is_nothing(&self) -> bool {
        self.tags.is_empty() && !self.owner
    }
}

/// What a change of tags or owners is asked for besides, decided before its transaction and looked at again in it.
#[derive(Clone)]
pub(crate) struct Regrants {
    domain: Domain,
    asked: BTreeSet<PolicyScope>,
}

impl Regrants {
    /// The questions.
    pub(crate) fn questions(&self) -> Vec<(Action, Resource)> {
        self.asked.iter().map(|scope| (Action::ActivatePolicy, resource(*scope))).collect()
    }

    /// Notes in its transaction that a thing is described otherwise, and tells the policies that read it. Stale: one reads it that
    /// did not when the questions were put.
    pub(crate) async fn note(
        &self,
        tx: &mut Tx,
        (project, thing): (ProjectId, &(impl Display + Sync)),
        moved: &Moved,
        now: DateTime<Utc>,
    ) -> Result<BTreeSet<PolicyId>, Refused> {
        if moved.is_nothing() {
            return Ok(BTreeSet::new());
        }
        let in_force = self.domain.gate().in_force_now(tx).await?;
        let mut readers = BTreeSet::new();
        for (scope, policy) in in_force.readers_of(project, &moved.tags, moved.owner) {
            if !self.asked.contains(&scope) {
                return Err(Refused::Stale);
            }
            readers.insert(policy);
        }
        if !readers.is_empty() {
            tx.restrict(ChangeKind::Authority, thing.to_string(), now).await.map_err(Fault::from)?;
        }
        Ok(readers)
    }
}

impl Domain {
    /// What these would move of a thing as it is now. Nothing is read where neither is to change, and nothing moves of what is not
    /// there.
    pub(crate) async fn moved(
        &self,
        thing: &Resource,
        tags: Option<&Tags>,
        owner: Option<Owner>,
    ) -> Result<Moved, Refused> {
        if tags.is_none() && owner.is_none() {
            return Ok(Moved::default());
        }
        let mut conn = self.store().read().await?;
        let now = Facts::load(&mut conn, thing).await?;
        let Some(was) = now.owner else { return Ok(Moved::default()) };
        Ok(Moved::of((&now.tags, was), (tags.unwrap_or(&now.tags), owner.unwrap_or(was))))
    }

    /// What is to be asked besides, since policies in force read what the change moves.
    pub(crate) async fn regrants(
        &self,
        project: Option<ProjectId>,
        moved: &Moved,
    ) -> Result<Regrants, Refused> {
        let mut asked = BTreeSet::new();
        if let Some(project) = project.filter(|_| !moved.is_nothing()) {
            let counter = self.counter().await?;
            let in_force = self.gate().in_force(self.store(), counter).await?;
            asked.extend(in_force.readers_of(project, &moved.tags, moved.owner).map(|(scope, _)| scope));
        }
        Ok(Regrants { domain: self.clone(), asked })
    }

    /// The same for giving many things to somebody else, wherever they lie: to be asked of the organization.
    pub(crate) async fn regrants_of_owners(&self) -> Result<Regrants, Refused> {
        let counter = self.counter().await?;
        let in_force = self.gate().in_force(self.store(), counter).await?;
        let asked = in_force.reads_owners().then_some(PolicyScope::Organization).into_iter().collect();
        Ok(Regrants { domain: self.clone(), asked })
    }
}

impl Regrants {
    /// As [`Regrants::note`], of [`Domain::regrants_of_owners`].
    pub(crate) async fn note_owners(
        &self,
        tx: &mut Tx,
        thing: impl Display + Send,
        now: DateTime<Utc>,
    ) -> Result<(), Refused> {
        if !self.domain.gate().in_force_now(tx).await?.reads_owners() {
            return Ok(());
        }
        if self.asked.is_empty() {
            return Err(Refused::Stale);
        }
        tx.restrict(ChangeKind::Authority, thing, now).await.map_err(Fault::from)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
