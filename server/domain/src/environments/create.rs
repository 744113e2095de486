//! Making an environment.

use keywarden_model::{EnvironmentId, KeyLabel, Name, ProjectId, Slug};
use keywarden_store::{StoreError, Written, environments as rows, projects};

use super::Terms;
use crate::audit::Fact;
use crate::refused::carries_refused;
use crate::{Action, Domain, Op, Refused, Resource};

/// What a new environment is. The doors' default for the label is `live`.
#[derive(Debug, Clone)]
pub struct NewEnvironment {
    /// The name in addresses, for good.
    pub slug: Slug,
    /// What people call it.
    pub name: Name,
    /// What its keys' values show, for good.
    pub label: KeyLabel,
    /// How long its keys may live.
    pub terms: Terms,
}

/// Why no environment was made.
#[derive(Debug, thiserror::Error)]
pub enum CreateEnvironmentError {
    /// The project is archived.
    #[error("this project is archived: nothing new is made in it")]
    Archived,
    /// Another environment of the project has the name, perhaps spelled differently.
    #[error("another environment of this project has this name: choose another")]
    NameTaken,
    /// As everywhere.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// Another environment of the project has the slug.
    #[error("another environment of this project has this slug: choose another")]
    SlugTaken,
}
carries_refused!(CreateEnvironmentError);

impl Domain {
    /// Makes an environment in a project.
    pub async fn create_environment(
        &self,
        op: &Op,
        project: ProjectId,
        new: NewEnvironment,
    ) -> Result<EnvironmentId, CreateEnvironmentError> {
        let id: EnvironmentId = self.fresh(op);
        let by = op.actor.id();
        self.change(op, Action::CreateEnvironment, &Resource::Project(project), &[], move |tx, record| {
            let (new, by) = (new.clone(), by.clone());
            Box::pin(async move {
                let home = projects::find(tx, project).await?.ok_or(Refused::NotFound)?;
                if home.archived_at.is_some() {
                    return Err(CreateEnvironmentError::Archived);
                }
                let row = rows::Insert {
                    id,
                    project,
                    slug: &new.slug,
                    name: &new.name,
                    label: &new.label,
                    max_lifetime_seconds: new.terms.max_lifetime_seconds(),
                    overlap_seconds: new.terms.overlap_seconds(),
                    created_at: record.now(),
                    created_by: &by,
                };
                rows::insert(tx, row).await.map_err(taken)?;
                let event = record
                    .event("environment.create", "environment", id)
                    .project(project)
                    .change("slug", Fact::none(), &new.slug)
                    .change("label", Fact::none(), &new.label)
                    .change("max_lifetime_seconds", Fact::none(), new.terms.max_lifetime_seconds())
                    .change("overlap_seconds", Fact::none(), new.terms.overlap_seconds())
                    .text("name", &new.name)
                    .finish()?;
                Ok(Written::new(id, event))
            })
        })
        .await
    }
}

fn taken(error: StoreError) -> CreateEnvironmentError {
    // SQLite names both columns of the index, PostgreSQL the index.
    match error {
        StoreError::Conflict(what) if what.contains("slug") => CreateEnvironmentError::SlugTaken,
        StoreError::Conflict(what) if what.contains("folded_name") => CreateEnvironmentError::NameTaken,
        other => other.into(),
    }
}
