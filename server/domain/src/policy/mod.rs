//! Policies that people write: drafted, looked at by a second person, activated, superseded, rolled back, disabled.
//!
//! A policy is one Cedar statement with a name, of the organization or of one project. Its texts are versions that never
//! change; at most one of them decides ([`crate::authz`] says how). Every step is one transaction with its event; what turns
//! the set of deciding versions moves the change counter, so that every node decides by the new set within a second.
//!
//! # Who
//! `policy.draft` writes, `policy.approve` is the second look, `policy.activate` and `policy.disable` turn. Owners do all of
//! that for the organization, admins write and approve, managers do it in their projects. Where the organization asks for a
//! second person ([`Domain::require_policy_review`]), nothing that decides changes by one person alone: activating needs an
//! approval by somebody else than the author (and a third hand where the author is a machine, which may be the approver's own),
//! disabling and doing without the rule need two who say so.
//!
//! Before that, a solver shows what a version would change: see [`proof`].
//!
//! **Invariants:** what decides was checked in the transaction that let it, under the policies that it would decide beside: at
//! least one owner can still administer. Text goes into events as its digest.

mod activate;
mod approve;
mod check;
pub mod difference;
mod disable;
mod draft;
mod due;
pub mod form;
mod list;
mod lockout;
pub mod proof;
mod regrant;
mod rename;
mod review;
mod show;
mod submit;
mod tags;
#[cfg(test)]
mod tests;
mod withdraw;

use std::fmt;

use chrono::{DateTime, Utc};
use keywarden_model::time::from_micros;
use keywarden_model::{
    Description, Name, PolicyEffect, PolicyId, PolicyState, ProjectId, UserId, policy::PolicyStepError,
};
use keywarden_store::{Conn, StoreError, policies as rows};

use crate::authz::{self, PolicyScope, TextError};
use crate::policy_tests::Failing;
use crate::refused::carries_refused;
use crate::{Action, Domain, Fault, Op, Refused, Resource};

pub use activate::Activate;
pub(crate) use activate::was_looked_at;
pub use draft::{DraftPolicyError, NewPolicy, Redraft};
pub use list::{ListedPolicy, PolicyPage, PolicyQuery};
pub(crate) use regrant::{Moved, Regrants};
pub use review::{RequireReviewError, ReviewRule};
pub use show::ShownPolicy;

/// A policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Its id.
    pub id: PolicyId,
    /// Where it holds.
    pub scope: PolicyScope,
    /// What people call it; unique in its scope.
    pub name: String,
    /// The number of its newest version.
    pub newest: i64,
    /// When it was first written.
    pub created_at: DateTime<Utc>,
    /// By whom: an actor's id.
    pub created_by: String,
    /// Who wants to disable it and waits for a second person: an actor's id.
    pub ending_by: Option<String>,
    /// Grows with each step: what changes it names the one that it has seen.
    pub row_version: i64,
}

/// One text of a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyVersion {
    /// Counts from 1.
    pub number: i64,
    /// Where it is in its life.
    pub state: PolicyState,
    /// What it does where it fits.
    pub effect: PolicyEffect,
    /// The Cedar text.
    pub text: String,
    /// The text's SHA-256.
    pub sha256: [u8; 32],
    /// What its author says about it.
    pub note: Description,
    /// When it was written.
    pub created_at: DateTime<Utc>,
    /// By whom: an actor's id.
    pub created_by: String,
    /// When a second person approved it, and who: an actor's id.
    pub approved: Option<(DateTime<Utc>, String)>,
    /// From when on it is to decide, and who scheduled it: an actor's id.
    pub scheduled: Option<(DateTime<Utc>, String)>,
    /// When it last began to decide, and who let it: an actor's id.
    pub activated: Option<(DateTime<Utc>, String)>,
    /// When it ended to decide, or was withdrawn.
    pub ended_at: Option<DateTime<Utc>>,
}

/// Why a policy stays as it is.
#[derive(Debug, thiserror::Error)]
pub enum ChangePolicyError {
    /// Somebody else changed it since it was read.
    #[error("this policy was changed meanwhile: look at it again")]
    ChangedMeanwhile,
    /// Tests that people saved would come out otherwise than expected.
    #[error("{0}: change the policy, or delete those tests first")]
    FailsTests(FailingTests),
    /// Nobody could administer any more.
    #[error(
        "no owner could invite people, give roles and change policies any more, as things are here and now or at some time \
         ahead: let it except one of them"
    )]
    LocksOut,
    /// The moment is not ahead.
    #[error("name a moment that is ahead, within a year")]
    Moment,
    /// Another policy of the scope has the name, perhaps spelled differently.
    #[error("another policy here has this name: choose another")]
    NameTaken,
    /// No version decides.
    #[error("this policy decides nothing: there is nothing to disable")]
    NotInForce,
    /// A second person has to look at it first.
    #[error(
        "policies need a second person here: somebody else than the author has to approve this version first, and what a \
         machine wrote is approved by one person and activated by another"
    )]
    NeedsApproval,
    /// A node of an older version may still run, which decides without policies.
    #[error(
        "a node of an older version may still run, and would decide without this policy: upgrade each node, then try again \
         after an hour at most"
    )]
    OlderNodes,
    /// Whoever wrote it cannot be the second person.
    #[error("whoever wrote a version cannot approve it: ask another person")]
    OwnDraft,
    /// As everywhere.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The version is elsewhere in its life.
    #[error(transparent)]
    Step(#[from] PolicyStepError),
    /// The text cannot decide.
    #[error("this text cannot decide: {}", told(.0))]
    Text(Vec<TextError>),
}
carries_refused!(ChangePolicyError);

/// Tests that what is to decide would fail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailingTests {
    /// Their names, as far as the caller may see them.
    pub named: Vec<String>,
    /// How many others there are.
    pub others: usize,
    all: Vec<Failing>,
}

impl From<Vec<Failing>> for FailingTests {
    fn from(all: Vec<Failing>) -> Self {
        Self { named: all.iter().map(|it| it.name.clone()).collect(), others: 0, all }
    }
}

impl FailingTests {
    /// Those of the organization are counted, not named.
    fn hide_the_organizations(&mut self) {
        let seen = self.all.iter().filter(|it| it.scope != PolicyScope::Organization);
        self.named = seen.map(|it| it.name.clone()).collect();
        self.others = self.all.len().saturating_sub(self.named.len());
    }
}

impl fmt::Display for FailingTests {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        /// More are not named in one line.
        const NAMED: usize = 5;
        f.write_str("these tests would fail")?;
        for (at, name) in self.named.iter().take(NAMED).enumerate() {
            write!(f, "{} `{name}`", if at == 0 { ":" } else { "," })?;
        }
        let others = self.named.len().saturating_sub(NAMED).saturating_add(self.others);
        if others > 0 { write!(f, ", and {others} more") } else { Ok(()) }
    }
}

fn told(errors: &[TextError]) -> String {
    errors.first().map(ToString::to_string).unwrap_or_default()
}

/// Whether an actor's id is a person's.
pub(crate) fn is_person(actor: &str) -> bool {
    actor.parse::<UserId>().is_ok()
}

/// What a step of a policy is asked of.
pub(crate) fn resource(scope: PolicyScope) -> Resource {
    match scope {
        PolicyScope::Organization => Resource::Organization,
        PolicyScope::Project(project) => Resource::Project(project),
    }
}

/// The project of a scope, for events.
pub(crate) fn project(scope: PolicyScope) -> Option<ProjectId> {
    match scope {
        PolicyScope::Organization => None,
        PolicyScope::Project(project) => Some(project),
    }
}

impl Domain {
    /// Where a policy holds, for whoever may see it; whoever may not is told that there is none.
    pub(crate) async fn policy_in_sight(&self, op: &Op, id: PolicyId) -> Result<PolicyScope, Refused> {
        let mut conn = self.store().read().await?;
        let row = rows::find(&mut conn, id).await?.ok_or(Refused::NotFound)?;
        drop(conn);
        let scope = authz::scope(row.project_id.as_deref(), id)?;
        let seen = self.would(op, Action::ViewPolicy, &resource(scope)).await?;
        if seen { Ok(scope) } else { Err(Refused::NotFound) }
    }
}

/// A version as it is now, with its policy, for a step that names the state of the policy that it has seen.
pub(crate) async fn version(
    conn: &mut Conn,
    id: PolicyId,
    number: i64,
) -> Result<(rows::Policy, rows::Version), ChangePolicyError> {
    let policy = rows::find(conn, id).await?.ok_or(Refused::NotFound)?;
    let version = rows::version(conn, id, number).await?.ok_or(Refused::NotFound)?;
    Ok((policy, version))
}

/// A step of a version, if it may take it.
pub(crate) fn stepped(
    version: &rows::Version,
    step: keywarden_model::policy::PolicyStep,
) -> Result<PolicyState, ChangePolicyError> {
    Ok(state(version)?.after(step)?)
}

pub(crate) fn state(version: &rows::Version) -> Result<PolicyState, Fault> {
    version.state.parse().map_err(|_| damaged(version, "state"))
}

/// The digest of a version's text.
pub(crate) fn sha256(version: &rows::Version) -> Result<[u8; 32], Fault> {
    version.sha256.as_slice().try_into().map_err(|_| damaged(version, "sha256"))
}

fn damaged(version: &rows::Version, what: &str) -> Fault {
    Fault::Damaged(format!("policy_versions {}@{}: {what}", version.policy_id, version.number))
}

/// A write that found another row version than it has seen.
pub(crate) fn meanwhile(error: StoreError) -> ChangePolicyError {
    match error {
        StoreError::Stale(_) => ChangePolicyError::ChangedMeanwhile,
        StoreError::Conflict(_) => ChangePolicyError::NameTaken,
        other => other.into(),
    }
}

impl TryFrom<rows::Policy> for Policy {
    type Error = Fault;
    fn try_from(row: rows::Policy) -> Result<Self, Fault> {
        Ok(Self {
            id: row.id,
            scope: authz::scope(row.project_id.as_deref(), row.id)?,
            name: row.name,
            newest: row.numbered,
            created_at: from_micros(row.created_at),
            created_by: row.created_by,
            ending_by: row.ending_by,
            row_version: row.row_version,
        })
    }
}

impl TryFrom<rows::Version> for PolicyVersion {
    type Error = Fault;
    fn try_from(row: rows::Version) -> Result<Self, Fault> {
        let when = |at: Option<i64>, by: Option<String>| at.map(from_micros).zip(by);
        Ok(Self {
            number: row.number,
            state: state(&row)?,
            effect: row.effect.parse().map_err(|_| damaged(&row, "effect"))?,
            sha256: sha256(&row)?,
            note: row.note.parse().map_err(|_| damaged(&row, "note"))?,
            created_at: from_micros(row.created_at),
            created_by: row.created_by,
            approved: when(row.approved_at, row.approved_by),
            scheduled: when(row.starts_at, row.due_by),
            activated: when(row.activated_at, row.activated_by),
            ended_at: row.ended_at.map(from_micros),
            text: row.text,
        })
    }
}

/// What people call a policy: no name that is the house's own, in any spelling (S-02).
pub(crate) fn is_reserved(name: &Name) -> bool {
    const OWN: &[&str] = &[
        "admin",
        "auditor",
        "builtin",
        "issuer",
        "keywarden",
        "manager",
        "owner",
        "reader",
        "root",
        "system",
        "verifier",
        "viewer",
    ];
    let plain: String = name.folded().chars().filter(|c| c.is_alphanumeric()).collect();
    OWN.contains(&plain.as_str())
}
