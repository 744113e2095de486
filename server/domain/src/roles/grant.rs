//! Giving a role.

use std::sync::Arc;

use keywarden_model::{ProjectId, Role, RoleBindingId};
use keywarden_store::{ChangeKind, Conn, StoreError, Written, projects, roles as rows, teams, workloads};

use super::{Holder, permit_for};
use crate::audit::Fact;
use crate::authz::Circumstances;
use crate::refused::carries_refused;
use crate::{Action, Domain, Fault, Op, Refused, Resource};

/// A role to be given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grant {
    /// To whom.
    pub holder: Holder,
    /// Which role.
    pub role: Role,
    /// In which project; `None` for the organization's roles.
    pub project: Option<ProjectId>,
}

/// Why no role was given.
#[derive(Debug, thiserror::Error)]
pub enum GrantRoleError {
    /// The holder has this role there already.
    #[error("this role is held already")]
    AlreadyHeld,
    /// The project is archived.
    #[error("this project is archived: no role is given in it")]
    Archived,
    /// A policy forbids whoever holds the role what owners must be able to do, and it would be held by all who can.
    #[error(
        "with this role no owner could invite people, give roles and change policies any more: change the policies first"
    )]
    LocksOut,
    /// There is no such active person, team or workload, or it cannot hold roles there.
    #[error("there is no such active person, team or workload that could hold a role here")]
    NoSuchHolder,
    /// Teams and workloads cannot be owners.
    #[error("only a person can be an owner")]
    OnlyPeopleOwn,
    /// As everywhere.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// Owner, admin and auditor are roles of the organization, the others are held in a project.
    #[error(
        "`{0}` is not held in such a place: owner, admin and auditor without a project, the others in one"
    )]
    WrongScope(Role),
}
carries_refused!(GrantRoleError);

impl Domain {
    /// Gives a role to a person, team or workload.
    pub async fn grant_role(&self, op: &Op, grant: Grant) -> Result<RoleBindingId, GrantRoleError> {
        let Grant { holder, role, project } = grant;
        let (action, resource) = permit_for(role, project).ok_or(GrantRoleError::WrongScope(role))?;
        if role == Role::Owner && !matches!(holder, Holder::Person(_)) {
            return Err(GrantRoleError::OnlyPeopleOwn);
        }
        // The permit first: only who may give the role learns whether the holder exists.
        let _permit = self.authorize(op, action, &resource).await?;
        if !self.knows_holder(op, holder).await? {
            return Err(GrantRoleError::NoSuchHolder);
        }
        let id: RoleBindingId = self.fresh(op);
        let by = op.actor.id();
        let (domain, circumstances) = (self.clone(), Arc::new(Circumstances::of(op)));
        self.change(op, action, &resource, &[], move |tx, record| {
            let (by, domain, circumstances) = (by.clone(), domain.clone(), Arc::clone(&circumstances));
            Box::pin(async move {
                if let Some(project) = project {
                    let home = projects::find(tx, project).await?.ok_or(Refused::NotFound)?;
                    if home.archived_at.is_some() {
                        return Err(GrantRoleError::Archived);
                    }
                }
                if !can_hold(tx, holder, project).await? {
                    return Err(GrantRoleError::NoSuchHolder);
                }
                let row = rows::Insert {
                    id,
                    principal_kind: holder.kind(),
                    principal_id: &holder.to_string(),
                    role,
                    project,
                    created_at: record.now(),
                    created_by: &by,
                };
                let mattered = project.is_none() && domain.is_administered(tx, &circumstances).await?;
                rows::insert(tx, row).await.map_err(|error| match error {
                    StoreError::Conflict(_) => GrantRoleError::AlreadyHeld,
                    other => other.into(),
                })?;
                if mattered && !domain.is_administered(tx, &circumstances).await? {
                    return Err(GrantRoleError::LocksOut);
                }
                // Not for a no: so that every node learns of the new yes at once.
                tx.restrict(ChangeKind::Authority, holder, record.now()).await?;
                let event = record
                    .event("role.grant", holder.event_kind(), holder)
                    .project(project)
                    .change("role", Fact::none(), role)
                    .fact("binding", id)
                    .finish()?;
                Ok(Written::new(id, event))
            })
        })
        .await
    }

    /// Whether the caller may know that the holder exists.
    async fn knows_holder(&self, op: &Op, holder: Holder) -> Result<bool, Refused> {
        match holder {
            Holder::Person(_) => self.would(op, Action::ViewUsers, &Resource::Organization).await,
            Holder::Team(_) => self.would(op, Action::ViewTeams, &Resource::Organization).await,
            Holder::Workload(id) => {
                let mut conn = self.store().read().await.map_err(Fault::from)?;
                let found = workloads::find(&mut conn, id).await?;
                drop(conn);
                let project = found.and_then(|row| row.project_id).map(|id| id.parse()).transpose();
                let project = project.map_err(|_| Fault::Damaged(format!("workload {id}: project")))?;
                self.would(op, Action::ViewWorkload, &Resource::Workload { id, project }).await
            }
        }
    }
}

/// Whether it is there, active, and may hold roles in this place.
pub(crate) async fn can_hold(
    conn: &mut Conn,
    holder: Holder,
    project: Option<ProjectId>,
) -> Result<bool, StoreError> {
    match holder {
        Holder::Person(id) => teams::is_active_person(conn, id).await,
        Holder::Team(id) => Ok(teams::find(conn, id).await?.is_some()),
        Holder::Workload(id) => Ok(workloads::find(conn, id).await?.is_some_and(|row| {
            let home = row.project_id;
            row.state == "active" && (home.is_none() || home == project.map(|it| it.to_string()))
        })),
    }
}
