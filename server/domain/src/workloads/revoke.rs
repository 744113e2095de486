//! Revoking a service token.

use keywarden_model::{ProjectId, ServiceTokenId, WorkloadId};
use keywarden_store::{ChangeKind, Written, tokens};

use crate::audit::Fact;
use crate::refused::carries_refused;
use crate::{Action, Domain, Fault, Op, Refused, Resource};

/// Why nothing was revoked.
#[derive(Debug, thiserror::Error)]
pub enum RevokeTokenError {
    /// It is revoked already.
    #[error("this token is revoked already")]
    Revoked,
    /// As everywhere.
    #[error(transparent)]
    Refused(#[from] Refused),
}
carries_refused!(RevokeTokenError);

impl Domain {
    /// Revokes a token: refused here from now on, and on every node within a second. A token of the operator's shell
    /// belongs to no workload; whoever may revoke those of the organization may revoke it.
    pub async fn revoke_service_token(
        &self,
        op: &Op,
        id: ServiceTokenId,
    ) -> Result<ServiceTokenId, RevokeTokenError> {
        let (workload, project) = self.token_home(id).await?;
        let resource = Resource::Workload { id: workload.unwrap_or(WorkloadId::NIL), project };
        self.change(op, Action::RevokeServiceToken, &resource, &[], move |tx, record| {
            Box::pin(async move {
                tokens::find(tx, id).await?.ok_or(Refused::NotFound)?;
                let now = record.now();
                if !tokens::revoke(tx, id, now).await? {
                    return Err(RevokeTokenError::Revoked);
                }
                tx.restrict(ChangeKind::Authority, id, now).await?;
                let event = record
                    .event("service-token.revoke", "service-token", id)
                    .project(project)
                    .fact("workload", workload)
                    .change("revoked_at", Fact::none(), now)
                    .finish()?;
                Ok(Written::new(id, event))
            })
        })
        .await
    }

    async fn token_home(&self, id: ServiceTokenId) -> Result<(Option<WorkloadId>, Option<ProjectId>), Fault> {
        let mut conn = self.store().read().await?;
        let found = tokens::find(&mut conn, id).await?;
        drop(conn);
        let workload = found.and_then(|row| row.workload_id).map(|it| it.parse()).transpose();
        let workload = workload.map_err(|_| Fault::Damaged(format!("service_tokens {id}: workload")))?;
        let project = match workload {
            Some(workload) => self.workload_home(workload).await?,
            None => None,
        };
        Ok((workload, project))
    }
}
