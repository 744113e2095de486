//! Ending a workload.

use keywarden_model::{ProjectId, WorkloadId};
use keywarden_store::{ChangeKind, Written, tokens, workloads as rows};

use super::home;
use crate::audit::Fact;
use crate::refused::carries_refused;
use crate::{Action, Domain, Fault, Op, Refused, Resource};

/// Why nothing was deactivated.
#[derive(Debug, thiserror::Error)]
pub enum DeactivateWorkloadError {
    /// It is deactivated already.
    #[error("this workload is deactivated already")]
    Deactivated,
    /// As everywhere.
    #[error(transparent)]
    Refused(#[from] Refused),
}
carries_refused!(DeactivateWorkloadError);

impl Domain {
    /// Ends a workload for good: it may do nothing any more, and its tokens are revoked. Its name is free again.
    pub async fn deactivate_workload(
        &self,
        op: &Op,
        id: WorkloadId,
    ) -> Result<WorkloadId, DeactivateWorkloadError> {
        let project = self.workload_home(id).await?;
        let resource = Resource::Workload { id, project };
        self.change(op, Action::DeactivateWorkload, &resource, &[], move |tx, record| {
            Box::pin(async move {
                let before = rows::find(tx, id).await?.ok_or(Refused::NotFound)?;
                if before.deactivated_at.is_some() {
                    return Err(DeactivateWorkloadError::Deactivated);
                }
                let now = record.now();
                rows::deactivate(tx, id, now).await?;
                let revoked = tokens::revoke_all(tx, id, now).await?;
                tx.restrict(ChangeKind::Authority, id, now).await?;
                let event = record
                    .event("workload.deactivate", "workload", id)
                    .project(project)
                    .change("state", Fact::word("active"), Fact::word("deactivated"))
                    .fact("tokens_revoked", revoked)
                    .finish()?;
                Ok(Written::new(id, event))
            })
        })
        .await
    }

    /// The project that decides who may know of the workload. One that is not there belongs to nobody's project: who
    /// is asked about it sees the same as for one that is none of their business.
    pub(crate) async fn workload_home(&self, id: WorkloadId) -> Result<Option<ProjectId>, Fault> {
        let mut conn = self.store().read().await?;
        let found = rows::find(&mut conn, id).await?;
        found.as_ref().map_or(Ok(None), home)
    }
}
