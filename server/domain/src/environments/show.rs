//! One environment, or all of a project.

use keywarden_model::{EnvironmentId, ProjectId};
use keywarden_store::environments as rows;

use super::Environment;
use crate::{Action, Domain, Fault, Op, Refused, Resource};

/// More than any project has; a list of environments is never cut in practice.
const MANY: u32 = 1_000;

impl Domain {
    /// A project's environments, by slug.
    pub async fn environments(&self, op: &Op, project: ProjectId) -> Result<Vec<Environment>, Refused> {
        let _permit = self.authorize(op, Action::ViewProject, &Resource::Project(project)).await?;
        let mut conn = self.store().read().await.map_err(Fault::from)?;
        let found = rows::list(&mut conn, project, MANY).await?;
        Ok(found.into_iter().map(Environment::from).collect())
    }

    /// An environment of a project, by its slug or id.
    pub async fn environment(
        &self,
        op: &Op,
        project: ProjectId,
        slug_or_id: &str,
    ) -> Result<Environment, Refused> {
        let _permit = self.authorize(op, Action::ViewProject, &Resource::Project(project)).await?;
        let mut conn = self.store().read().await.map_err(Fault::from)?;
        let found = match slug_or_id.parse::<EnvironmentId>() {
            Ok(id) => rows::find(&mut conn, id).await?.filter(|row| row.project_id == project),
            Err(_) => rows::find_by_slug(&mut conn, project, slug_or_id).await?,
        };
        found.map(Environment::from).ok_or(Refused::NotFound)
    }
}
