//! Deleting a rule.

use keywarden_model::{TrustRuleId, WorkloadId};
use keywarden_store::{ChangeKind, Written, tokens, trust_rules as rows};

use super::TrustRule;
use crate::refused::carries_refused;
use crate::{Action, Domain, Op, Refused, Resource};

/// Why nothing was deleted.
#[derive(Debug, thiserror::Error)]
pub enum DeleteTrustRuleError {
    /// As everywhere.
    #[error(transparent)]
    Refused(#[from] Refused),
}
carries_refused!(DeleteTrustRuleError);

impl Domain {
    /// Deletes a rule, and revokes the service tokens that it gave, on every node within a second.
    pub async fn delete_trust_rule(
        &self,
        op: &Op,
        workload: WorkloadId,
        id: TrustRuleId,
    ) -> Result<TrustRuleId, DeleteTrustRuleError> {
        let project = self.workload_home(workload).await?;
        let resource = Resource::Workload { id: workload, project };
        self.change(op, Action::DeleteTrustRule, &resource, &[], move |tx, record| {
            Box::pin(async move {
                let row = rows::find(tx, id).await?.filter(|row| row.workload_id == workload);
                let before = TrustRule::try_from(row.ok_or(Refused::NotFound)?)?;
                let now = record.now();
                // First the rule: whoever is exchanging by it has written, or will find it gone.
                rows::delete(tx, id).await?;
                let revoked = tokens::revoke_exchanged(tx, workload, id, now).await?;
                tx.restrict(ChangeKind::Authority, id, now).await?;
                let event = record
                    .event("trust-rule.delete", "trust-rule", id)
                    .project(project)
                    .fact("workload", workload)
                    .fact("tokens_revoked", revoked)
                    .text("issuer", &before.terms.issuer)
                    .text("audience", &before.terms.audience)
                    .text("claims", &before.terms.claims)
                    .finish()?;
                Ok(Written::new(id, event))
            })
        })
        .await
    }
}
