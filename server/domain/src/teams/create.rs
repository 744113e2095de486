//! Making a team.

use keywarden_model::{Name, Slug, TeamId};
use keywarden_store::{StoreError, Written, teams as rows};

use crate::audit::Fact;
use crate::refused::carries_refused;
use crate::{Action, Domain, Op, Refused, Resource};

/// What a new team is.
#[derive(Debug, Clone)]
pub struct NewTeam {
    /// The name in addresses, for good.
    pub slug: Slug,
    /// What people call it.
    pub name: Name,
}

/// Why no team was made.
#[derive(Debug, thiserror::Error)]
pub enum CreateTeamError {
    /// Another team has the name, perhaps spelled differently.
    #[error("another team has this name: choose another")]
    NameTaken,
    /// As everywhere.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// Another team has the slug.
    #[error("another team has this slug: choose another")]
    SlugTaken,
}
carries_refused!(CreateTeamError);

impl Domain {
    /// Makes a team; nobody is in it yet.
    pub async fn create_team(&self, op: &Op, new: NewTeam) -> Result<TeamId, CreateTeamError> {
        let id: TeamId = self.fresh(op);
        let by = op.actor.id();
        self.change(op, Action::CreateTeam, &Resource::Organization, &[], move |tx, record| {
            let (new, by) = (new.clone(), by.clone());
            Box::pin(async move {
                let row = rows::Insert {
                    id,
                    slug: new.slug.as_str(),
                    name: &new.name,
                    created_at: record.now(),
                    created_by: &by,
                };
                rows::insert(tx, row).await.map_err(taken)?;
                let event = record
                    .event("team.create", "team", id)
                    .change("slug", Fact::none(), &new.slug)
                    .text("name", &new.name)
                    .finish()?;
                Ok(Written::new(id, event))
            })
        })
        .await
    }
}

fn taken(error: StoreError) -> CreateTeamError {
    match error {
        StoreError::Conflict(what) if what.contains("slug") => CreateTeamError::SlugTaken,
        StoreError::Conflict(what) if what.contains("folded_name") => CreateTeamError::NameTaken,
        other => other.into(),
    }
}
