//! Asking for a role for a while.

use std::sync::Arc;

use chrono::TimeDelta;
use keywarden_model::time::later;
use keywarden_model::{
    AccessRequestId, ProjectId, Reason, Role, RoleScope, Slug, Ticket, UserId, WorkloadId,
};
use keywarden_store::access::requests as rows;
use keywarden_store::{Conn, StoreError, Written, authority, projects, teams, tokens, workloads};

use super::REQUEST;
use super::rule::{self, SHORTEST};
use crate::audit::Fact;
use crate::authz::PolicyScope;
use crate::refused::carries_refused;
use crate::roles::{Holder, can_hold};
use crate::{Action, Actor, Domain, Fault, Op, Refused, Resource};

/// Requests of one asker that wait at once.
const MOST_WAITING: i64 = 20;

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRequest {
    /// Which role.
    pub role: Role,
    /// In which project, by slug or id; none for the organization's roles.
    pub project: Option<String>,
    /// For whom; none: for whoever asks.
    pub holder: Option<Holder>,
    /// For how long and why.
    pub terms: Terms,
}

/// For how long, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// For how long.
    pub lasts: TimeDelta,
    /// Why.
    pub reason: Reason,
    /// Where else it is spoken of.
    pub ticket: Ticket,
}

/// Why nothing was asked for.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// The role is held there without an end.
    #[error("this role is held already")]
    AlreadyHeld,
    /// There is no such person or workload that the caller could ask for.
    #[error("ask for yourself, for somebody of your teams, or for a workload whose tokens you may issue")]
    NoSuchHolder,
    /// The holder is a project's own workload, and this is another place.
    #[error("this workload is a project's own: it holds roles in that project alone")]
    OnlyAtHome,
    /// Nobody is an owner for a while.
    #[error("nobody is an owner for a while: ask for another role")]
    Owner,
    /// As everywhere.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The longest time that a role can be held here.
    #[error("ask for {} minutes at most", .0.num_minutes())]
    TooLong(TimeDelta),
    /// As many wait as may.
    #[error("{MOST_WAITING} requests of yours wait for an answer: withdraw one first")]
    TooMany,
    /// Shorter than a role is ever held.
    #[error("ask for 5 minutes at least")]
    TooShort,
    /// Admin and auditor are roles of the organization, the others are held in a project.
    #[error("`{0}` is not held in such a place: admin and auditor without a project, the others in one")]
    WrongScope(Role),
}
carries_refused!(RequestError);

/// What is asked for, as it is written.
struct Asked {
    role: Role,
    project: Option<String>,
    project_id: Option<ProjectId>,
    holder: Holder,
    terms: Terms,
    /// Whose limits are told: those of the project, if whoever asks may know that there is one.
    limits: PolicyScope,
}

impl Domain {
    /// Asks for a role for a while. Whether there is such a project is told to those alone who may see it: to all others a
    /// request for a project that is not there waits as any other does, and nobody answers it.
    pub async fn request_access(&self, op: &Op, new: NewRequest) -> Result<AccessRequestId, RequestError> {
        let NewRequest { role, project, holder, terms } = new;
        if role == Role::Owner {
            return Err(RequestError::Owner);
        }
        if (role.scope() == RoleScope::Project) != project.is_some() {
            return Err(RequestError::WrongScope(role));
        }
        if terms.lasts < SHORTEST {
            return Err(RequestError::TooShort);
        }
        let named = |it: &str| it.parse::<Slug>().is_ok() || it.parse::<ProjectId>().is_ok();
        if project.as_deref().is_some_and(|it| !named(it)) {
            return Err(Refused::NotFound.into());
        }
        let holder = self.requested_holder(op, holder).await?;
        let project_id = match &project {
            None => None,
            Some(project) => self.requested_project(project).await?,
        };
        let seen = match project_id {
            Some(id) => self.would(op, Action::ViewProject, &Resource::Project(id)).await?,
            None => false,
        };
        let limits = scope(project_id.filter(|_| seen));
        let asked = Arc::new(Asked { role, project, project_id, holder, terms, limits });
        let (id, by, token) = (self.fresh::<AccessRequestId>(op), op.actor.id(), token(op));
        self.change(op, Action::RequestAccess, &Resource::Organization, &[], move |tx, record| {
            let (asked, by) = (Arc::clone(&asked), by.clone());
            Box::pin(async move {
                let Asked { role, holder, .. } = *asked;
                // A project's own workload holds roles there alone, whatever else there is: that tells of no project.
                if !can_hold(tx, holder, asked.project_id).await? {
                    return Err(cannot_hold(tx, holder).await?);
                }
                if rows::waiting(tx, &by).await? >= MOST_WAITING {
                    return Err(RequestError::TooMany);
                }
                let known = holder.to_string() == by || asked.limits == scope(asked.project_id);
                if known && holds(tx, holder, role, asked.project_id).await? {
                    return Err(RequestError::AlreadyHeld);
                }
                let (rule, _) = rule::in_force(tx, asked.limits).await?;
                if asked.terms.lasts > rule.longest() {
                    return Err(RequestError::TooLong(rule.longest()));
                }
                let behind = match token {
                    Some(token) => tokens::find(tx, token).await?.map(|it| it.created_by),
                    None => None,
                };
                let now = record.now();
                let expires_at = later(now, rule.unanswered());
                let row = rows::Insert {
                    id,
                    project_id: asked.project_id,
                    project: asked.project.as_deref(),
                    role: role.as_str(),
                    holder_kind: holder.kind(),
                    holder_id: &holder.to_string(),
                    lasts_seconds: asked.terms.lasts.num_seconds(),
                    reason: asked.terms.reason.as_str(),
                    ticket: asked.terms.ticket.as_str(),
                    created_at: now,
                    created_by: &by,
                    behind: behind.as_deref(),
                    expires_at,
                };
                rows::insert(tx, row).await?;
                let event = record
                    .event(Action::RequestAccess.name(), REQUEST, id)
                    .project(asked.project_id)
                    .fact("role", role)
                    .fact("holder", fact(holder))
                    .fact("lasts_seconds", asked.terms.lasts.num_seconds())
                    .fact("expires_at", expires_at)
                    .text("reason", &asked.terms.reason)
                    .text("ticket", &asked.terms.ticket);
                Ok(Written::new(id, event.finish()?))
            })
        })
        .await
    }

    /// By slug or id, whether or not the caller may see it.
    async fn requested_project(&self, project: &str) -> Result<Option<ProjectId>, Refused> {
        let mut conn = self.store().read().await?;
        let row = match project.parse::<ProjectId>() {
            Ok(id) => projects::find(&mut conn, id).await?,
            Err(_) => projects::find_by_slug(&mut conn, project).await?,
        };
        Ok(row.filter(|it| it.archived_at.is_none()).map(|it| it.id))
    }

    /// For whom the caller may ask: themselves, somebody of their teams, a workload whose tokens they may issue.
    async fn requested_holder(&self, op: &Op, wanted: Option<Holder>) -> Result<Holder, RequestError> {
        let own = match &op.actor {
            Actor::Person(person) => Holder::Person(person.id),
            Actor::Workload { id, .. } => Holder::Workload(*id),
            _ => return Err(RequestError::NoSuchHolder),
        };
        match (wanted, own) {
            (None, own) => Ok(own),
            (Some(wanted), own) if wanted == own => Ok(own),
            (Some(wanted @ Holder::Person(mate)), Holder::Person(person)) => {
                if self.are_mates(person, mate).await? { Ok(wanted) } else { Err(RequestError::NoSuchHolder) }
            }
            (Some(wanted @ Holder::Workload(id)), _) => {
                if self.manages(op, id).await? {
                    Ok(wanted)
                } else {
                    Err(RequestError::NoSuchHolder)
                }
            }
            _ => Err(RequestError::NoSuchHolder),
        }
    }

    async fn are_mates(&self, one: UserId, other: UserId) -> Result<bool, Fault> {
        let mut conn = self.store().read().await?;
        Ok(teams::are_mates(&mut conn, one, other).await?)
    }

    async fn manages(&self, op: &Op, id: WorkloadId) -> Result<bool, Refused> {
        let mut conn = self.store().read().await?;
        let Some(row) = workloads::find(&mut conn, id).await? else { return Ok(false) };
        drop(conn);
        let project = row.project_id.map(|it| it.parse()).transpose();
        let project = project.map_err(|_| Fault::Damaged(format!("workload {id}: project")))?;
        self.would(op, Action::IssueServiceToken, &Resource::Workload { id, project }).await
    }
}

/// Where there is no project: the organization.
pub(super) fn scope(project: Option<ProjectId>) -> PolicyScope {
    project.map_or(PolicyScope::Organization, PolicyScope::Project)
}

/// Why it holds nothing there: it is at home elsewhere, or not there any more.
async fn cannot_hold(conn: &mut Conn, holder: Holder) -> Result<RequestError, StoreError> {
    let Holder::Workload(id) = holder else { return Ok(RequestError::NoSuchHolder) };
    let active = workloads::find(conn, id).await?.is_some_and(|row| row.state == "active");
    Ok(if active { RequestError::OnlyAtHome } else { RequestError::NoSuchHolder })
}

/// The token that the operation came with: whoever made it is behind what it asks for.
fn token(op: &Op) -> Option<keywarden_model::ServiceTokenId> {
    match &op.actor {
        Actor::Workload { token, .. } => Some(*token),
        _ => None,
    }
}

/// Whether they hold the role there without an end.
pub(super) async fn holds(
    conn: &mut Conn,
    holder: Holder,
    role: Role,
    project: Option<ProjectId>,
) -> Result<bool, Fault> {
    let held = authority::held(conn, &holder.to_string()).await?;
    let project = project.map(|it| it.to_string());
    let there = |it: &authority::Held| it.role == role.as_str() && it.project_id == project;
    Ok((role.scope() == RoleScope::Organization || project.is_some()) && held.iter().any(there))
}

pub(super) fn fact(holder: Holder) -> Fact {
    match holder {
        Holder::Person(id) => id.into(),
        Holder::Team(id) => id.into(),
        Holder::Workload(id) => id.into(),
    }
}
