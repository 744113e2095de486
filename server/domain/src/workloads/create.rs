//! Making a workload.

use keywarden_model::{Name, ProjectId, Role, RoleBindingId, WorkloadId};
use keywarden_store::{StoreError, Written, projects, roles, workloads as rows};

use crate::audit::Fact;
use crate::refused::carries_refused;
use crate::roles::permit_for;
use crate::{Action, Domain, Op, Refused, Resource};

/// What a new workload is.
#[derive(Debug, Clone)]
pub struct NewWorkload {
    /// What people call it.
    pub name: Name,
    /// The project that it belongs to; `None` makes one of the organization, which can be given roles in several.
    pub project: Option<ProjectId>,
    /// What it may do: in its project, or in the organization.
    pub role: Option<Role>,
}

/// Why no workload was made.
#[derive(Debug, thiserror::Error)]
pub enum CreateWorkloadError {
    /// The project is archived.
    #[error("this project is archived: nothing new is made in it")]
    Archived,
    /// Another active workload of this project has the name, perhaps spelled differently.
    #[error("another workload has this name: choose another")]
    NameTaken,
    /// A workload cannot be an owner.
    #[error("only a person can be an owner")]
    OnlyPeopleOwn,
    /// As everywhere.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// Admin and auditor are roles of the organization, the others are held in a project.
    #[error("`{0}` is not held in such a place: admin and auditor without a project, the others in one")]
    WrongScope(Role),
}
carries_refused!(CreateWorkloadError);

impl Domain {
    /// Makes a workload with its first role. Whoever makes it must be allowed to give that role too.
    pub async fn create_workload(
        &self,
        op: &Op,
        new: NewWorkload,
    ) -> Result<WorkloadId, CreateWorkloadError> {
        if new.role == Some(Role::Owner) {
            return Err(CreateWorkloadError::OnlyPeopleOwn);
        }
        let home = new.project.map_or(Resource::Organization, Resource::Project);
        if let Some(role) = new.role {
            let (action, resource) =
                permit_for(role, new.project).ok_or(CreateWorkloadError::WrongScope(role))?;
            let _permit = self.authorize(op, action, &resource).await?;
        }
        let (id, binding): (WorkloadId, RoleBindingId) = (self.fresh(op), self.fresh(op));
        let by = op.actor.id();
        self.change(op, Action::CreateWorkload, &home, &[], move |tx, record| {
            let (new, by) = (new.clone(), by.clone());
            Box::pin(async move {
                if let Some(project) = new.project {
                    let home = projects::find(tx, project).await?.ok_or(Refused::NotFound)?;
                    if home.archived_at.is_some() {
                        return Err(CreateWorkloadError::Archived);
                    }
                }
                let now = record.now();
                let row = rows::Insert {
                    id,
                    name: &new.name,
                    project: new.project,
                    created_at: now,
                    created_by: &by,
                };
                rows::insert(tx, row).await.map_err(|error| match error {
                    StoreError::Conflict(_) => CreateWorkloadError::NameTaken,
                    other => other.into(),
                })?;
                if let Some(role) = new.role {
                    let row = roles::Insert {
                        id: binding,
                        principal_kind: "workload",
                        principal_id: &id.to_string(),
                        role,
                        project: new.project,
                        created_at: now,
                        created_by: &by,
                    };
                    roles::insert(tx, row).await?;
                }
                let event = record
                    .event("workload.create", "workload", id)
                    .project(new.project)
                    .change("role", Fact::none(), new.role)
                    .text("name", &new.name)
                    .finish()?;
                Ok(Written::new(id, event))
            })
        })
        .await
    }
}
