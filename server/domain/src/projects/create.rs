//! Making a project.

use keywarden_model::{Name, ProjectId, Slug};
use keywarden_store::{StoreError, Written, projects as rows};

use crate::audit::Fact;
use crate::refused::carries_refused;
use crate::{Action, Domain, Op, Refused, Resource};

/// What a new project is.
#[derive(Debug, Clone)]
pub struct NewProject {
    /// The name in addresses, for good.
    pub slug: Slug,
    /// What people call it.
    pub name: Name,
}

/// Why no project was made.
#[derive(Debug, thiserror::Error)]
pub enum CreateProjectError {
    /// Another project has the name, perhaps spelled differently, perhaps archived.
    #[error("another project has this name: choose another")]
    NameTaken,
    /// As everywhere.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// Another project has the slug, perhaps an archived one.
    #[error("another project has this slug: choose another")]
    SlugTaken,
}
carries_refused!(CreateProjectError);

impl Domain {
    /// Makes a project. Its maker gets no role by it: whoever may make one may see all.
    pub async fn create_project(&self, op: &Op, new: NewProject) -> Result<ProjectId, CreateProjectError> {
        let id: ProjectId = self.fresh(op);
        let by = op.actor.id();
        self.change(op, Action::CreateProject, &Resource::Organization, &[], move |tx, record| {
            let (new, by) = (new.clone(), by.clone());
            Box::pin(async move {
                let row = rows::Insert {
                    id,
                    slug: &new.slug,
                    name: &new.name,
                    created_at: record.now(),
                    created_by: &by,
                };
                rows::insert(tx, row).await.map_err(taken)?;
                let event = record
                    .event("project.create", "project", id)
                    .project(id)
                    .change("slug", Fact::none(), &new.slug)
                    .text("name", &new.name)
                    .finish()?;
                Ok(Written::new(id, event))
            })
        })
        .await
    }
}

fn taken(error: StoreError) -> CreateProjectError {
    match error {
        StoreError::Conflict(what) if what.contains("slug") => CreateProjectError::SlugTaken,
        StoreError::Conflict(what) if what.contains("folded_name") => CreateProjectError::NameTaken,
        other => other.into(),
    }
}
