//! Who holds which roles.

use keywarden_model::{ProjectId, RoleBindingId};
use keywarden_store::{roles as rows, workloads};

use super::{Holder, RoleBinding};
use crate::projects::projects_in;
use crate::{Action, Domain, Fault, Op, Refused, Resource};

/// More roles than anybody holds.
const MANY: u32 = 1_000;

/// A page of bindings, oldest first, and where the next one begins.
#[derive(Debug)]
pub struct RolePage {
    /// The bindings.
    pub bindings: Vec<RoleBinding>,
    /// Continue after this one.
    pub next: Option<RoleBindingId>,
}

impl Domain {
    /// Roles in a project, at most `limit` (1 to 200): for those who may see its keys. A service that only verifies
    /// them learns no names.
    pub async fn project_roles(
        &self,
        op: &Op,
        project: ProjectId,
        after: Option<RoleBindingId>,
        limit: u32,
    ) -> Result<RolePage, Refused> {
        let _permit = self.authorize(op, Action::ViewProject, &Resource::Project(project)).await?;
        let seen = projects_in(self.reach(op, Action::ViewKey).await?);
        if seen.is_some_and(|seen| !seen.contains(&project)) {
            return Err(Refused::NotFound);
        }
        self.role_page(Some(project), after, limit).await
    }

    /// Roles of the organization, at most `limit` (1 to 200).
    pub async fn organization_roles(
        &self,
        op: &Op,
        after: Option<RoleBindingId>,
        limit: u32,
    ) -> Result<RolePage, Refused> {
        let _permit = self.authorize(op, Action::ViewUsers, &Resource::Organization).await?;
        self.role_page(None, after, limit).await
    }

    async fn role_page(
        &self,
        project: Option<ProjectId>,
        after: Option<RoleBindingId>,
        limit: u32,
    ) -> Result<RolePage, Refused> {
        let limit = limit.clamp(1, 200);
        let mut conn = self.store().read().await.map_err(Fault::from)?;
        let mut found = rows::list(&mut conn, project, after, limit.saturating_add(1)).await?;
        let more = found.len() > limit as usize;
        found.truncate(limit as usize);
        let bindings = found.into_iter().map(RoleBinding::try_from).collect::<Result<Vec<_>, _>>()?;
        let next = bindings.last().map(|it| it.id).filter(|_| more);
        Ok(RolePage { bindings, next })
    }

    /// What somebody holds: own roles, and a person's through teams. Of others, only roles in projects that the caller
    /// may see.
    pub async fn roles_of(&self, op: &Op, holder: Holder) -> Result<Vec<RoleBinding>, Refused> {
        let own = match holder {
            Holder::Person(id) => {
                let own = op.actor.person().is_some_and(|person| person.id == id);
                let (action, resource) = if own {
                    (Action::ViewOwnAccount, Resource::Person(id))
                } else {
                    (Action::ViewUsers, Resource::Organization)
                };
                let _permit = self.authorize(op, action, &resource).await?;
                own
            }
            Holder::Team(_) => {
                let _permit = self.authorize(op, Action::ViewTeams, &Resource::Organization).await?;
                false
            }
            Holder::Workload(id) => {
                let mut conn = self.store().read().await.map_err(Fault::from)?;
                let found = workloads::find(&mut conn, id).await?;
                drop(conn);
                let home = found.and_then(|row| row.project_id).map(|id| id.parse()).transpose();
                let project = home.map_err(|_| Fault::Damaged(format!("workload {id}: project")))?;
                let _permit =
                    self.authorize(op, Action::ViewWorkload, &Resource::Workload { id, project }).await?;
                false
            }
        };
        let seen = projects_in(self.reach(op, Action::ViewProject).await?);
        let mut conn = self.store().read().await.map_err(Fault::from)?;
        let found = rows::of_principal(&mut conn, &holder.to_string(), MANY).await?;
        let mut bindings = found.into_iter().map(RoleBinding::try_from).collect::<Result<Vec<_>, _>>()?;
        if let Some(seen) = seen.filter(|_| !own) {
            bindings.retain(|it| it.project.is_none_or(|project| seen.contains(&project)));
        }
        Ok(bindings)
    }
}
