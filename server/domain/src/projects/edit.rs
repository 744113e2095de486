//! Renaming a project.

use keywarden_model::{Name, ProjectId};
use keywarden_store::{StoreError, Written, projects as rows};

use crate::refused::carries_refused;
use crate::{Action, Domain, Op, Refused, Resource};

/// What an edit sets.
#[derive(Debug, Clone)]
pub struct EditProject {
    /// What people call it from now on.
    pub name: Name,
    /// The version that was edited.
    pub row_version: i64,
}

/// Why nothing was edited.
#[derive(Debug, thiserror::Error)]
pub enum EditProjectError {
    /// It is archived.
    #[error("this project is archived: it cannot be edited")]
    Archived,
    /// Somebody else edited it since it was read.
    #[error("this project was edited meanwhile: look at it again")]
    ChangedMeanwhile,
    /// Another project has the name, perhaps spelled differently, perhaps archived.
    #[error("another project has this name: choose another")]
    NameTaken,
    /// As everywhere.
    #[error(transparent)]
    Refused(#[from] Refused),
}
carries_refused!(EditProjectError);

impl Domain {
    /// Gives a project another name. Its slug stays.
    pub async fn edit_project(
        &self,
        op: &Op,
        id: ProjectId,
        edit: EditProject,
    ) -> Result<ProjectId, EditProjectError> {
        self.change(op, Action::EditProject, &Resource::Project(id), &[], move |tx, record| {
            let edit = edit.clone();
            Box::pin(async move {
                let before = rows::find(tx, id).await?.ok_or(Refused::NotFound)?;
                if before.archived_at.is_some() {
                    return Err(EditProjectError::Archived);
                }
                rows::rename(tx, id, &edit.name, edit.row_version).await.map_err(|error| match error {
                    StoreError::Stale(_) => EditProjectError::ChangedMeanwhile,
                    StoreError::Conflict(_) => EditProjectError::NameTaken,
                    other => other.into(),
                })?;
                let event = record
                    .event("project.edit", "project", id)
                    .project(id)
                    .text("name", &edit.name)
                    .text("name_before", before.name)
                    .finish()?;
                Ok(Written::new(id, event))
            })
        })
        .await
    }
}
