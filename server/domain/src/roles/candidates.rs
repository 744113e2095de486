//! Who could be given a role: for choosers.

use keywarden_model::ProjectId;
use keywarden_store::roles as rows;

use super::Holder;
use crate::{Action, Domain, Fault, Op, Refused, Resource};

/// More than this and a chooser is no help: the page asks for the id then.
const MANY: u32 = 500;

/// Somebody who could hold a role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Who.
    pub holder: Holder,
    /// What they are called.
    pub name: String,
}

impl Domain {
    /// Active people, teams and the project's active workloads by name, the first 500 of each kind: for those who may
    /// give roles in the project.
    pub async fn role_candidates(&self, op: &Op, project: ProjectId) -> Result<Vec<Candidate>, Refused> {
        let _permit = self.authorize(op, Action::ViewUsers, &Resource::Organization).await?;
        if !self.would(op, Action::GrantProjectRole, &Resource::Project(project)).await? {
            return Err(Refused::NotFound);
        }
        let mut conn = self.store().read().await.map_err(Fault::from)?;
        let found = rows::candidates(&mut conn, project, MANY).await?;
        drop(conn);
        found
            .into_iter()
            .map(|row| {
                let holder = Holder::parse(&row.id)
                    .ok_or_else(|| Fault::Damaged(format!("`{}` is nobody's id", row.id)))?;
                Ok(Candidate { holder, name: row.name })
            })
            .collect()
    }
}
