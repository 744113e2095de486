//! Renaming a team.

use keywarden_model::{Name, TeamId};
use keywarden_store::{StoreError, Written, teams as rows};

use crate::refused::carries_refused;
use crate::{Action, Domain, Op, Refused, Resource};

/// What a rename sets.
#[derive(Debug, Clone)]
pub struct RenameTeam {
    /// What people call it from now on.
    pub name: Name,
    /// The version that was edited.
    pub row_version: i64,
}

/// Why nothing was renamed.
#[derive(Debug, thiserror::Error)]
pub enum RenameTeamError {
    /// Somebody else edited it since it was read.
    #[error("this team was edited meanwhile: look at it again")]
    ChangedMeanwhile,
    /// Another team has the name, perhaps spelled differently.
    #[error("another team has this name: choose another")]
    NameTaken,
    /// As everywhere.
    #[error(transparent)]
    Refused(#[from] Refused),
}
carries_refused!(RenameTeamError);

impl Domain {
    /// Gives a team another name. Its slug stays.
    pub async fn rename_team(
        &self,
        op: &Op,
        id: TeamId,
        edit: RenameTeam,
    ) -> Result<TeamId, RenameTeamError> {
        self.change(op, Action::EditTeam, &Resource::Team(id), &[], move |tx, record| {
            let edit = edit.clone();
            Box::pin(async move {
                let before = rows::find(tx, id).await?.ok_or(Refused::NotFound)?;
                rows::rename(tx, id, &edit.name, edit.row_version).await.map_err(|error| match error {
                    StoreError::Stale(_) => RenameTeamError::ChangedMeanwhile,
                    StoreError::Conflict(_) => RenameTeamError::NameTaken,
                    other => other.into(),
                })?;
                let event = record
                    .event("team.rename", "team", id)
                    .text("name", &edit.name)
                    .text("name_before", before.name)
                    .finish()?;
                Ok(Written::new(id, event))
            })
        })
        .await
    }
}
