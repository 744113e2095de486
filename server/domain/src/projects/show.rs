//! One project.

use keywarden_model::ProjectId;
use keywarden_store::projects as rows;

use super::Project;
use crate::{Action, Domain, Fault, Op, Refused, Resource};

impl Domain {
    /// A project by its slug or id. One that the caller may not see is not there, and says so in the same way.
    pub async fn project(&self, op: &Op, slug_or_id: &str) -> Result<Project, Refused> {
        let mut conn = self.store().read().await.map_err(Fault::from)?;
        let found = match slug_or_id.parse::<ProjectId>() {
            Ok(id) => rows::find(&mut conn, id).await?,
            Err(_) => rows::find_by_slug(&mut conn, slug_or_id).await?,
        };
        drop(conn);
        // Asked even about what is not there, so that both answers take as long.
        let id = found.as_ref().map_or(ProjectId::NIL, |row| row.id);
        let _permit = self.authorize(op, Action::ViewProject, &Resource::Project(id)).await?;
        found.map(Project::from).ok_or(Refused::NotFound)
    }
}
