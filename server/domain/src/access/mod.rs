//! Access for a while: asked for, approved with signatures, gone by itself.
//!
//! # How a door uses it
//! * *Asking*: [`Domain::request_access`]; whoever asked may edit it ([`Domain::edit_access_request`]) or take it back.
//! * *Approving* is a ceremony like stepping up, whose challenge is made of what is signed: [`Domain::start_access_approval`],
//!   [`Domain::finish_access_approval`]. Saying no is a plain change: [`Domain::deny_access`].
//! * *Holding*: the gate reads the roles of a grant with the others (`authz/gate.rs`), until the second that it ends in.
//!
//! **Invariants:** the life of a request is decided without a store (`life.rs`), in the transaction that writes it. An approval is
//! a signature over the bytes of a [`Statement`], made anew in that transaction: what was signed is what is there, or nothing is
//! done. Who signed before counts only if they may approve still. What is held for a while is no standing role: nobody is an owner
//! by it, and no rule that keeps an owner looks at it.

#[cfg(test)]
mod tests;

mod approve;
mod concerned;
mod decide;
mod due;
mod evidence;
mod grants;
mod life;
mod list;
mod request;
mod rule;
mod rules;
mod show;
mod statement;

use chrono::{DateTime, TimeDelta, Utc};
use keywarden_model::time::{from_micros, seconds};
use keywarden_model::{AccessGrantId, AccessRequestId, AccessState, GrantEnd, ProjectId, Role};
use keywarden_store::access::{approvals, grants as grant_rows, requests as rows};
use keywarden_store::people::passkeys;
use keywarden_store::{Conn, StoreError};

use crate::authz::{Circumstances, PolicyScope, SignInMethod, Target, Who};
use crate::people::CeremonyError;
use crate::policy::resource;
use crate::refused::carries_refused;
use crate::roles::Holder;
use crate::{Action, Domain, Fault, Op, Refused};

pub use evidence::{Evidence, EvidenceError, HeldRole, SignedApproval, Verified, proven, verify};
pub use life::{Approved, LifeError};
pub use list::{GrantPage, GrantQuery, RequestPage, RequestQuery};
pub use request::{NewRequest, RequestError, Terms};
pub use rule::{
    LONGEST, LONGEST_WAIT, MOST_APPROVERS, MOST_NAMED, Rule, RuleAt, RuleError, SHORTEST, SHORTEST_WAIT,
};
pub use rules::{RuleVersion, SetRuleError, ShownRule};
pub use show::{MayDo, ShownApproval, ShownRequest};
pub use statement::{Named, StatedRule, Statement};

/// A request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Its id.
    pub id: AccessRequestId,
    /// Which role.
    pub role: Role,
    /// In which project, as it was typed; `None` for the organization's roles.
    pub project: Option<String>,
    /// The project's id, where there is such a project and the caller may know it.
    pub project_id: Option<ProjectId>,
    /// For whom.
    pub holder: Holder,
    /// What they are called.
    pub holder_name: String,
    /// For how long.
    pub lasts: TimeDelta,
    /// Why.
    pub reason: String,
    /// Where else it is spoken of; empty if nowhere.
    pub ticket: String,
    /// Where it is in its life.
    pub state: AccessState,
    /// In its how manieth wording.
    pub revision: i64,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
    /// By whom: an actor's id.
    pub created_by: String,
    /// What they are called.
    pub asker_name: String,
    /// When nobody can answer it any more.
    pub expires_at: DateTime<Utc>,
    /// When it was answered or taken back, and by whom: an actor's id.
    pub decided: Option<(DateTime<Utc>, String)>,
    /// What they said.
    pub words: String,
    /// Grows with each step.
    pub row_version: i64,
}

/// A role that is, or was, held for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Its id.
    pub id: AccessGrantId,
    /// Which request was approved.
    pub request: AccessRequestId,
    /// Which role.
    pub role: Role,
    /// In which project, by its slug; `None` for the organization's roles.
    pub project: Option<String>,
    /// The project's id.
    pub project_id: Option<ProjectId>,
    /// Who holds it.
    pub holder: Holder,
    /// What they are called.
    pub holder_name: String,
    /// Who asked for it: an actor's id.
    pub asked_by: String,
    /// Since when.
    pub starts_at: DateTime<Utc>,
    /// Until when: not in that instant any more.
    pub ends_at: DateTime<Utc>,
    /// When it was over, and how, and who ended it: an actor's id.
    pub ended: Option<(DateTime<Utc>, GrantEnd, String)>,
}

impl Grant {
    /// Whether it is held at this instant.
    pub fn is_active(&self, now: DateTime<Utc>) -> bool {
        self.ended.is_none() && now < self.ends_at
    }
}

/// Why a request or grant stays as it is.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// The project was archived meanwhile.
    #[error("this project is archived: no role is held in it any more")]
    Archived,
    /// The ceremony came to nothing.
    #[error(transparent)]
    Ceremony(CeremonyError),
    /// Somebody else changed it since it was read.
    #[error("this request was changed meanwhile: look at it again")]
    ChangedMeanwhile,
    /// Whoever it is for is not there any more.
    #[error("whoever this is for is not active any more, or cannot hold a role here")]
    HolderGone,
    /// Its life does not allow it.
    #[error(transparent)]
    Life(#[from] LifeError),
    /// Only people approve.
    #[error("only a person can approve, with a passkey, in a browser")]
    NotAPerson,
    /// As everywhere.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The longest time that a role can be held here.
    #[error("ask for {} minutes at most", .0.num_minutes())]
    TooLong(TimeDelta),
    /// Shorter than a role is ever held.
    #[error("ask for 5 minutes at least")]
    TooShort,
}
carries_refused!(AccessError);

impl From<CeremonyError> for AccessError {
    fn from(error: CeremonyError) -> Self {
        match error {
            CeremonyError::Refused(refused) => Self::Refused(refused),
            other => Self::Ceremony(other),
        }
    }
}

/// A request as its transaction finds it, with the rule that holds.
#[derive(Debug)]
struct Loaded {
    row: rows::Row,
    role: Role,
    holder: Holder,
    project: Option<ProjectId>,
    scope: PolicyScope,
    life: life::Life,
    rule: Rule,
    rule_at: RuleAt,
    signed: Vec<approvals::Row>,
}

impl Loaded {
    async fn find(conn: &mut Conn, id: AccessRequestId) -> Result<Self, Refused> {
        let row = rows::find(conn, id).await?.ok_or(Refused::NotFound)?;
        let damaged = |what: &str| Fault::Damaged(format!("access_requests {id}: {what}"));
        let role: Role = row.role.parse().map_err(|_| damaged("role"))?;
        let holder = Holder::parse(&row.holder_id).ok_or_else(|| damaged("holder"))?;
        let project =
            row.project_id.as_deref().map(str::parse).transpose().map_err(|_| damaged("project"))?;
        let scope = project.map_or(PolicyScope::Organization, PolicyScope::Project);
        let grant = grant_rows::of_request(conn, id).await?;
        let life = life::Life {
            state: row.state.parse().map_err(|_| damaged("state"))?,
            revision: row.revision,
            asker: row.created_by.clone(),
            holder: row.holder_id.clone(),
            behind: row.behind.clone(),
            lasts: seconds(row.lasts_seconds),
            expires_at: from_micros(row.expires_at),
            ends_at: grant.map(|it| from_micros(it.ends_at)),
        };
        let (rule, rule_at) = rule::in_force(conn, scope).await?;
        let signed = approvals::of(conn, id).await?;
        Ok(Self { row, role, holder, project, scope, life, rule, rule_at, signed })
    }

    /// It is for a project that there is not: whoever asked is not told, and nobody can approve it.
    fn leads_nowhere(&self) -> bool {
        self.row.project.is_some() && self.project.is_none()
    }
}

impl Domain {
    /// Whether the caller may know of this request.
    async fn sees_request(&self, op: &Op, loaded: &Loaded) -> Result<bool, Refused> {
        let own = op.actor.id();
        if loaded.row.created_by == own || loaded.row.holder_id == own {
            return Ok(true);
        }
        self.would(op, Action::ViewAccess, &resource(loaded.scope)).await
    }

    /// Signatures as the rules see them: whether each of those people still may approve, and has the passkey, is asked now.
    async fn signatures(
        &self,
        conn: &mut Conn,
        loaded: &Loaded,
        now: DateTime<Utc>,
    ) -> Result<Vec<life::Signed>, Fault> {
        let mut signed = Vec::with_capacity(loaded.signed.len());
        for row in &loaded.signed {
            let who = row.approver.to_string();
            // With a passkey that was taken away, what it signed and nothing came of yet is void.
            let kept = passkeys::of(conn, row.approver).await?.iter().any(|it| it.id == row.passkey_id);
            let still = kept && self.still_approves(conn, loaded, &who, now).await?;
            let rule = RuleAt { scope: row.rule_scope.clone(), version: row.rule_version };
            signed.push(life::Signed { who, revision: row.revision, rule, still });
        }
        Ok(signed)
    }

    /// Whether somebody who signed may approve now: active, allowed, and named where the rule names people.
    async fn still_approves(
        &self,
        conn: &mut Conn,
        loaded: &Loaded,
        who: &str,
        now: DateTime<Utc>,
    ) -> Result<bool, Fault> {
        let Ok(user) = who.parse() else { return Ok(false) };
        let principal = self.gate().principal_of(conn, Who::Person(user), who, now).await?;
        let teams: Vec<_> = principal.teams.iter().map(ToString::to_string).collect();
        if !loaded.rule.names(who, &teams) {
            return Ok(false);
        }
        let in_force = self.gate().in_force_now(conn).await?;
        let (action, thing) = (Action::ApproveAccess, resource(loaded.scope));
        let target = Target::as_asked(conn, &in_force, action, thing).await?;
        // They are not here; their passkey was when they signed.
        let then = Circumstances {
            passkey_age: Some(0),
            ..Circumstances::absent(now, SignInMethod::usual(&principal.who))
        };
        Ok(self.gate().would_under(&in_force, &principal, (action, &target), &then))
    }
}

fn meanwhile(error: StoreError) -> AccessError {
    match error {
        StoreError::Stale(_) | StoreError::Conflict(_) => AccessError::ChangedMeanwhile,
        other => other.into(),
    }
}

impl TryFrom<grant_rows::Row> for Grant {
    type Error = Fault;
    fn try_from(row: grant_rows::Row) -> Result<Self, Fault> {
        let damaged = |what: &str| Fault::Damaged(format!("access_grants {}: {what}", row.id));
        let how = row.how.as_deref().map(str::parse::<GrantEnd>).transpose().map_err(|_| damaged("how"))?;
        let ended = match (row.ended_at, how, row.ended_by.clone()) {
            (Some(at), Some(how), Some(by)) => Some((from_micros(at), how, by)),
            (None, None, None) => None,
            _ => return Err(damaged("end")),
        };
        Ok(Self {
            id: row.id,
            request: row.request_id,
            role: row.role.parse().map_err(|_| damaged("role"))?,
            project_id: row
                .project_id
                .as_deref()
                .map(str::parse)
                .transpose()
                .map_err(|_| damaged("project"))?,
            project: row.project.clone(),
            holder: Holder::parse(&row.holder_id).ok_or_else(|| damaged("holder"))?,
            holder_name: row.holder_name.clone().unwrap_or_default(),
            asked_by: row.asked_by.clone(),
            starts_at: from_micros(row.starts_at),
            ends_at: from_micros(row.ends_at),
            ended,
        })
    }
}

/// The event's word for the kind of a request, and of a grant.
const REQUEST: &str = "access-request";
const GRANT: &str = "grant";
