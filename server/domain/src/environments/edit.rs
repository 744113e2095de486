//! Changing an environment's name and terms.

use keywarden_model::{EnvironmentId, Name, ProjectId};
use keywarden_store::{StoreError, Written, environments as rows, projects};

use super::Terms;
use crate::refused::carries_refused;
use crate::{Action, Domain, Fault, Op, Refused, Resource};

/// What an edit sets. Slug and label stay.
#[derive(Debug, Clone)]
pub struct EditEnvironment {
    /// What people call it from now on.
    pub name: Name,
    /// How long keys made from now on may live.
    pub terms: Terms,
    /// Whether whoever reads a value from now on says why.
    pub reads_need_reason: bool,
    /// The version that was edited.
    pub row_version: i64,
}

/// Why nothing was edited.
#[derive(Debug, thiserror::Error)]
pub enum EditEnvironmentError {
    /// Its project is archived.
    #[error("this project is archived: it cannot be edited")]
    Archived,
    /// Somebody else edited it since it was read.
    #[error("this environment was edited meanwhile: look at it again")]
    ChangedMeanwhile,
    /// Another environment of the project has the name, perhaps spelled differently.
    #[error("another environment of this project has this name: choose another")]
    NameTaken,
    /// As everywhere.
    #[error(transparent)]
    Refused(#[from] Refused),
}
carries_refused!(EditEnvironmentError);

impl Domain {
    /// Edits an environment.
    pub async fn edit_environment(
        &self,
        op: &Op,
        id: EnvironmentId,
        edit: EditEnvironment,
    ) -> Result<EnvironmentId, EditEnvironmentError> {
        let mut conn = self.store().read().await.map_err(Fault::from)?;
        let found = rows::find(&mut conn, id).await?;
        drop(conn);
        let project = found.map_or(ProjectId::NIL, |row| row.project_id);
        let resource = Resource::Environment { id, project };
        self.change(op, Action::EditEnvironment, &resource, &[], move |tx, record| {
            let edit = edit.clone();
            Box::pin(async move {
                let before = rows::find(tx, id).await?.ok_or(Refused::NotFound)?;
                let home = projects::find(tx, project).await?.ok_or(Refused::NotFound)?;
                if home.archived_at.is_some() {
                    return Err(EditEnvironmentError::Archived);
                }
                let row = rows::Edit {
                    id,
                    name: &edit.name,
                    max_lifetime_seconds: edit.terms.max_lifetime_seconds(),
                    overlap_seconds: edit.terms.overlap_seconds(),
                    reads_need_reason: edit.reads_need_reason,
                    row_version: edit.row_version,
                };
                rows::edit(tx, row).await.map_err(|error| match error {
                    StoreError::Stale(_) => EditEnvironmentError::ChangedMeanwhile,
                    StoreError::Conflict(_) => EditEnvironmentError::NameTaken,
                    other => other.into(),
                })?;
                let (lifetime, overlap) = (edit.terms.max_lifetime_seconds(), edit.terms.overlap_seconds());
                let mut event = record
                    .event("environment.edit", "environment", id)
                    .project(project)
                    .change("max_lifetime_seconds", before.max_lifetime_seconds, lifetime)
                    .change("overlap_seconds", before.overlap_seconds, overlap)
                    .change("reads_need_reason", before.reads_need_reason, edit.reads_need_reason);
                if before.name != edit.name.as_str() {
                    event = event.text("name", &edit.name).text("name_before", before.name);
                }
                Ok(Written::new(id, event.finish()?))
            })
        })
        .await
    }
}
