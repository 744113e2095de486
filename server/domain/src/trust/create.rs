//! Making a rule.

use keywarden_model::trust::ClaimRulesError;
use keywarden_model::{TrustRuleId, WorkloadId};
use keywarden_store::{Written, trust_rules as rows, workloads};

use super::Terms;
use crate::refused::carries_refused;
use crate::{Action, Domain, Op, Refused, Resource};

/// Rules of one workload.
const AT_MOST: i64 = 20;

/// Why no rule was made.
#[derive(Debug, thiserror::Error)]
pub enum CreateTrustRuleError {
    /// The claims do not say whose tokens these are.
    #[error(transparent)]
    Claims(#[from] ClaimRulesError),
    /// The workload is deactivated.
    #[error("this workload is deactivated: nobody signs in as it")]
    Deactivated,
    /// As everywhere.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The workload has as many as it may.
    #[error("this workload has 20 sign-in rules: delete some first")]
    TooMany,
}
carries_refused!(CreateTrustRuleError);

impl Domain {
    /// Lets a workload sign in with tokens of another issuer.
    pub async fn create_trust_rule(
        &self,
        op: &Op,
        workload: WorkloadId,
        terms: Terms,
    ) -> Result<TrustRuleId, CreateTrustRuleError> {
        let project = self.workload_home(workload).await?;
        let id: TrustRuleId = self.fresh(op);
        let by = op.actor.id();
        let resource = Resource::Workload { id: workload, project };
        self.change(op, Action::CreateTrustRule, &resource, &[], move |tx, record| {
            let (terms, by) = (terms.clone(), by.clone());
            Box::pin(async move {
                let home = workloads::find(tx, workload).await?.ok_or(Refused::NotFound)?;
                if home.deactivated_at.is_some() {
                    return Err(CreateTrustRuleError::Deactivated);
                }
                terms.claims.suit(&terms.issuer)?;
                if rows::count(tx, workload).await? >= AT_MOST {
                    return Err(CreateTrustRuleError::TooMany);
                }
                let claims = terms.stored_claims();
                let row = rows::Insert {
                    id,
                    workload,
                    terms: terms.row(&claims),
                    created_at: record.now(),
                    created_by: &by,
                };
                rows::insert(tx, row).await?;
                let event = record
                    .event("trust-rule.create", "trust-rule", id)
                    .project(project)
                    .fact("workload", workload)
                    .fact("keys", terms.keys.fact())
                    .fact("single_use", terms.single_use)
                    .text("issuer", &terms.issuer)
                    .text("audience", &terms.audience)
                    .text("claims", &terms.claims)
                    .finish()?;
                Ok(Written::new(id, event))
            })
        })
        .await
    }
}
