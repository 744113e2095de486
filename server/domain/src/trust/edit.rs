//! Changing what a rule says.

use keywarden_model::trust::ClaimRulesError;
use keywarden_model::{TrustRuleId, WorkloadId};
use keywarden_store::{ChangeKind, StoreError, Written, tokens, trust_rules as rows};

use super::{Terms, TrustRule};
use crate::refused::carries_refused;
use crate::{Action, Domain, Op, Refused, Resource};

/// Why nothing was edited.
#[derive(Debug, thiserror::Error)]
pub enum EditTrustRuleError {
    /// Somebody else edited it since it was read.
    #[error("this rule was edited meanwhile: look at it again")]
    ChangedMeanwhile,
    /// The claims do not say whose tokens these are.
    #[error(transparent)]
    Claims(#[from] ClaimRulesError),
    /// As everywhere.
    #[error(transparent)]
    Refused(#[from] Refused),
}
carries_refused!(EditTrustRuleError);

impl Domain {
    /// Sets what a rule says. The service tokens that it gave are revoked: they were got on other terms.
    pub async fn edit_trust_rule(
        &self,
        op: &Op,
        workload: WorkloadId,
        id: TrustRuleId,
        terms: Terms,
        row_version: i64,
    ) -> Result<TrustRuleId, EditTrustRuleError> {
        let project = self.workload_home(workload).await?;
        let resource = Resource::Workload { id: workload, project };
        self.change(op, Action::EditTrustRule, &resource, &[], move |tx, record| {
            let terms = terms.clone();
            Box::pin(async move {
                let row = rows::find(tx, id).await?.filter(|row| row.workload_id == workload);
                let before = TrustRule::try_from(row.ok_or(Refused::NotFound)?)?;
                terms.claims.suit(&terms.issuer)?;
                let claims = terms.stored_claims();
                rows::edit(tx, id, terms.row(&claims), row_version).await.map_err(|error| match error {
                    StoreError::Stale(_) => EditTrustRuleError::ChangedMeanwhile,
                    other => other.into(),
                })?;
                rows::forget_refused(tx, id).await?;
                let now = record.now();
                let revoked = tokens::revoke_exchanged(tx, workload, id, now).await?;
                tx.restrict(ChangeKind::Authority, id, now).await?;
                let old = before.terms;
                let mut event = record
                    .event("trust-rule.edit", "trust-rule", id)
                    .project(project)
                    .fact("workload", workload)
                    .fact("tokens_revoked", revoked)
                    .change("keys", old.keys.fact(), terms.keys.fact())
                    .change("single_use", old.single_use, terms.single_use);
                for (now, then, field, field_before) in [
                    (terms.issuer.to_string(), old.issuer.to_string(), "issuer", "issuer_before"),
                    (terms.audience.to_string(), old.audience.to_string(), "audience", "audience_before"),
                    (terms.claims.to_string(), old.claims.to_string(), "claims", "claims_before"),
                ] {
                    if now != then {
                        event = event.text(field, now).text(field_before, then);
                    }
                }
                Ok(Written::new(id, event.finish()?))
            })
        })
        .await
    }
}
