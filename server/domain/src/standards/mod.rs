//! Standards: what keys, secrets and environments have to be like, of the organization or of one project.
//!
//! A standard is a set of [`Rules`] with a name. Its rules are versions that never change; at most one of them is in force.
//! As a draft it only reports what would break it ([`report`]). In force, whatever makes or edits a thing so that it breaks
//! the standard is refused, on every door: the rules are read in the transaction that writes. What is there already, and
//! breaks it, goes on as it is and is told of: on its own page, and in the standard's report.
//!
//! What is restored was there already: a deleted secret comes back as it was, and a folder as it was then.
//!
//! Where an environment has a setting of its own for the same thing, the stricter of the two holds: the shorter life, and
//! a reason as soon as one of them asks for it. What time alone breaks (a key that was not rotated) refuses nothing.
//!
//! One in force whose rules cannot be read might ask for anything: where it holds, nothing is made, and nothing that standards
//! look at is changed, until it is ended or another version of it is in force. The refusal says so, and so does each thing's page.
//!
//! # Who
//! As policies ([`crate::policy`]), with the same actions and the same second person, where the organization asks for one.
//!
//! **Invariant:** coming into force moves the change counter, under which permits are checked again in their transactions:
//! what was decided before is decided anew, and reads the rules then.

mod draft;
mod held;
mod list;
mod pattern;
mod report;
mod rules;
mod show;
mod steps;
#[cfg(test)]
mod tests;

use chrono::{DateTime, Utc};
use keywarden_model::time::from_micros;
use keywarden_model::{
    Description, PolicyState, StandardId,
    policy::{PolicyStep, PolicyStepError},
};
use keywarden_store::{Conn, StoreError, standards as rows};

use crate::authz::PolicyScope;
use crate::policy::resource;
use crate::refused::carries_refused;
use crate::{Action, Domain, Fault, Op, Refused};

pub use draft::{DraftStandardError, NewStandard, RedraftStandard};
pub use held::Holding;
pub(crate) use held::InForce;
pub use list::{ListedStandard, StandardPage, StandardQuery};
pub use pattern::{LONGEST_PATTERN, NamePattern, PatternError};
pub use report::{Found, MOST_LOOKED_AT, Report, ReportPlace, ReportPlaceError, Tally, Thing};
pub use rules::{
    Breach, Days, DaysError, Demand, EnvironmentWord, EnvironmentWordError, MOST_ENVIRONMENTS, Rules,
};
pub(crate) use rules::{KeyStand, SecretStand};
pub use show::ShownStandard;

/// A standard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standard {
    /// Its id.
    pub id: StandardId,
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
    /// Who wants to end it and waits for a second person: an actor's id.
    pub ending_by: Option<String>,
    /// Grows with each step: what changes it names the one that it has seen.
    pub row_version: i64,
}

/// One set of rules of a standard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StandardVersion {
    /// Counts from 1.
    pub number: i64,
    /// Where it is in its life; none is ever scheduled.
    pub state: PolicyState,
    /// What it asks for; `None`: this program cannot read it. In force, it refuses all that standards look at.
    pub rules: Option<Rules>,
    /// What its author says about it.
    pub note: Description,
    /// When it was written.
    pub created_at: DateTime<Utc>,
    /// By whom: an actor's id.
    pub created_by: String,
    /// When a second person approved it, and who: an actor's id.
    pub approved: Option<(DateTime<Utc>, String)>,
    /// When it last came into force, and who let it: an actor's id.
    pub activated: Option<(DateTime<Utc>, String)>,
    /// When it was in force no longer, or was withdrawn.
    pub ended_at: Option<DateTime<Utc>>,
}

/// Why a standard stays as it is.
#[derive(Debug, thiserror::Error)]
pub enum ChangeStandardError {
    /// Somebody else changed it since it was read.
    #[error("this standard was changed meanwhile: look at it again")]
    ChangedMeanwhile,
    /// A second person has to look at it first.
    #[error(
        "standards need a second person here: somebody else than the author has to approve this version first"
    )]
    NeedsApproval,
    /// No version is in force.
    #[error("this standard is not in force: there is nothing to end")]
    NotInForce,
    /// A node of an older version may still run, which holds nothing to standards.
    #[error(
        "a node of an older version may still run, and would hold nothing to this standard: upgrade each node, then try \
         again after an hour at most"
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
    /// What it asks for cannot be read.
    #[error("the rules of this version cannot be read: write them anew, as another version")]
    Unreadable,
}
carries_refused!(ChangeStandardError);

impl Domain {
    /// Where a standard holds, for whoever may see it; whoever may not is told that there is none.
    async fn standard_in_sight(&self, op: &Op, id: StandardId) -> Result<PolicyScope, Refused> {
        let mut conn = self.store().read().await?;
        let row = rows::find(&mut conn, id).await?.ok_or(Refused::NotFound)?;
        drop(conn);
        let scope = scope(&row)?;
        let seen = self.would(op, Action::ViewPolicy, &resource(scope)).await?;
        if seen { Ok(scope) } else { Err(Refused::NotFound) }
    }
}

fn scope(row: &rows::Standard) -> Result<PolicyScope, Fault> {
    let Some(project) = row.project_id.as_deref() else { return Ok(PolicyScope::Organization) };
    let project = project.parse().map_err(|_| Fault::Damaged(format!("standards {}: project", row.id)))?;
    Ok(PolicyScope::Project(project))
}

/// The rows' word for a scope.
fn word(scope: PolicyScope) -> String {
    match scope {
        PolicyScope::Organization => rows::ORGANIZATION.to_owned(),
        PolicyScope::Project(project) => project.to_string(),
    }
}

/// A version as it is now, with its standard.
async fn version(
    conn: &mut Conn,
    id: StandardId,
    number: i64,
) -> Result<(rows::Standard, rows::Version), ChangeStandardError> {
    let standard = rows::find(conn, id).await?.ok_or(Refused::NotFound)?;
    let version = rows::version(conn, id, number).await?.ok_or(Refused::NotFound)?;
    Ok((standard, version))
}

fn stepped(version: &rows::Version, step: PolicyStep) -> Result<PolicyState, ChangeStandardError> {
    Ok(state(version)?.after(step)?)
}

fn state(version: &rows::Version) -> Result<PolicyState, Fault> {
    version.state.parse().map_err(|_| damaged(version, "state"))
}

fn sha256(version: &rows::Version) -> Result<[u8; 32], Fault> {
    version.sha256.as_slice().try_into().map_err(|_| damaged(version, "sha256"))
}

fn damaged(version: &rows::Version, what: &str) -> Fault {
    Fault::Damaged(format!("standard_versions {}@{}: {what}", version.standard_id, version.number))
}

/// Rules as a row holds them, if this program can read them.
fn read_rules(version: &rows::Version) -> Option<Rules> {
    serde_json::from_str(&version.rules).ok()
}

/// A write that found another row version than it has seen.
fn meanwhile(error: StoreError) -> ChangeStandardError {
    match error {
        StoreError::Stale(_) => ChangeStandardError::ChangedMeanwhile,
        other => other.into(),
    }
}

impl TryFrom<rows::Standard> for Standard {
    type Error = Fault;
    fn try_from(row: rows::Standard) -> Result<Self, Fault> {
        Ok(Self {
            id: row.id,
            scope: scope(&row)?,
            name: row.name,
            newest: row.numbered,
            created_at: from_micros(row.created_at),
            created_by: row.created_by,
            ending_by: row.ending_by,
            row_version: row.row_version,
        })
    }
}

impl TryFrom<rows::Version> for StandardVersion {
    type Error = Fault;
    fn try_from(row: rows::Version) -> Result<Self, Fault> {
        let when = |at: Option<i64>, by: Option<String>| at.map(from_micros).zip(by);
        Ok(Self {
            number: row.number,
            state: state(&row)?,
            rules: read_rules(&row),
            note: row.note.parse().map_err(|_| damaged(&row, "note"))?,
            created_at: from_micros(row.created_at),
            created_by: row.created_by,
            approved: when(row.approved_at, row.approved_by),
            activated: when(row.activated_at, row.activated_by),
            ended_at: row.ended_at.map(from_micros),
        })
    }
}
