//! The person or workload that is asked about.

use chrono::{DateTime, Utc};
use keywarden_model::{ProjectId, Role};
use keywarden_store::{Conn, people::users, roles, workloads};

use super::Sight;
use crate::authz::{Principal, Who};
use crate::roles::Holder;
use crate::{Domain, Fault, Refused};

/// More roles than anybody holds.
const MANY: u32 = 1_000;

/// A person or workload, with what it holds and by what.
pub(super) struct Known {
    pub(super) holder: Holder,
    pub(super) name: String,
    pub(super) active: bool,
    /// Who it is, active or not.
    pub(super) who: Who,
    /// The project that it belongs to.
    pub(super) home: Option<ProjectId>,
    pub(super) principal: Principal,
    /// Its roles, own and teams'.
    pub(super) roles: Vec<roles::Binding>,
}

impl Known {
    /// Whether it could be given this role.
    pub(super) fn may_hold(&self, role: Role, project: Option<ProjectId>) -> bool {
        match self.holder {
            Holder::Person(_) => true,
            Holder::Team(_) => false,
            Holder::Workload(_) => role != Role::Owner && (self.home.is_none() || self.home == project),
        }
    }
}

impl Domain {
    /// By its id. Whoever looks into projects alone learns of no workload elsewhere.
    pub(super) async fn known(
        &self,
        conn: &mut Conn,
        sight: &Sight,
        holder: Holder,
        now: DateTime<Utc>,
    ) -> Result<Known, Refused> {
        let id = holder.to_string();
        let (who, name, active, home) = match holder {
            Holder::Team(_) => return Err(Refused::NotFound),
            Holder::Person(user) => {
                let row = users::find(conn, user).await.map_err(Fault::from)?.ok_or(Refused::NotFound)?;
                (Who::Person(user), row.name, row.state == "active", None)
            }
            Holder::Workload(workload) => {
                let row = workloads::find(conn, workload).await.map_err(Fault::from)?;
                let row = row.ok_or(Refused::NotFound)?;
                let home = row.project_id.map(|it| it.parse()).transpose();
                let home = home.map_err(|_| Fault::Damaged(format!("workload {id}: project")))?;
                (Who::Workload(workload), row.name, row.state == "active", home)
            }
        };
        let roles = roles::of_principal(conn, &id, MANY).await.map_err(Fault::from)?;
        let principal = self.gate().principal_of(conn, who.clone(), &id, now).await?;
        let holds = || principal.projects.iter().any(|(project, _)| sight.covers(Some(*project)));
        if matches!(holder, Holder::Workload(_)) && !sight.covers(home) && !holds() {
            return Err(Refused::NotFound);
        }
        Ok(Known { holder, name, active, who, home, principal, roles })
    }
}
