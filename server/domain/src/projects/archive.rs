//! Archiving a project.

use keywarden_model::ProjectId;
use keywarden_store::{ChangeKind, Written, projects as rows};

use super::Count;
use crate::audit::Fact;
use crate::refused::carries_refused;
use crate::{Action, Domain, Op, Refused, Resource};

/// Why nothing was archived.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveProjectError {
    /// It is archived already.
    #[error("this project is archived already")]
    Archived,
    /// Something in it still works; archiving would stop it for callers whom nobody named.
    #[error("revoke its keys and deactivate its workloads first")]
    InUse {
        /// Keys that are not revoked and not past their expiry.
        keys: Count,
        /// Workloads that are not deactivated.
        workloads: Count,
    },
    /// As everywhere.
    #[error(transparent)]
    Refused(#[from] Refused),
}
carries_refused!(ArchiveProjectError);

impl Domain {
    /// Archives a project in which nothing works any more. It stays readable, its slug and name stay taken, and nothing
    /// new is made in it.
    ///
    /// Who makes a key or workload at the same time holds the change counter's row, and this waits for them; who comes
    /// later has to decide anew and finds the project archived.
    pub async fn archive_project(&self, op: &Op, id: ProjectId) -> Result<ProjectId, ArchiveProjectError> {
        self.change(op, Action::ArchiveProject, &Resource::Project(id), &[], move |tx, record| {
            Box::pin(async move {
                let before = rows::find(tx, id).await?.ok_or(Refused::NotFound)?;
                if before.archived_at.is_some() {
                    return Err(ArchiveProjectError::Archived);
                }
                let now = record.now();
                let keys = Count::of(rows::live_keys(tx, id, now).await?);
                let workloads = Count::of(rows::live_workloads(tx, id).await?);
                if keys.counted > 0 || workloads.counted > 0 {
                    return Err(ArchiveProjectError::InUse { keys, workloads });
                }
                rows::archive(tx, id, now).await?;
                tx.restrict(ChangeKind::Authority, id, now).await?;
                let event = record
                    .event("project.archive", "project", id)
                    .project(id)
                    .change("archived_at", Fact::none(), now)
                    .finish()?;
                Ok(Written::new(id, event))
            })
        })
        .await
    }
}
