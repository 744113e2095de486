//! Asking for a proof.

use keywarden_model::PolicyId;
use keywarden_model::policy::PolicyStep;
use keywarden_store::{Written, proofs};

use crate::policy::{ChangePolicyError, project, resource, stepped, version};
use crate::{Action, Domain, Op};

impl Domain {
    /// Asks for a proof of a version that may come to decide, in place of what was shown of it before. A job takes it up where there
    /// is a solver.
    pub async fn ask_for_proof(
        &self,
        op: &Op,
        id: PolicyId,
        number: i64,
    ) -> Result<PolicyId, ChangePolicyError> {
        let scope = self.policy_in_sight(op, id).await?;
        let by = op.actor.id();
        self.change(op, Action::DraftPolicy, &resource(scope), &[], move |tx, record| {
            let by = by.clone();
            Box::pin(async move {
                let (_, asked) = version(tx, id, number).await?;
                stepped(&asked, PolicyStep::Prove)?;
                proofs::ask(tx, id, number, &by, record.now()).await?;
                let event = record
                    .event("policy.ask-proof", "policy", id)
                    .project(project(scope))
                    .fact("version", number)
                    .finish()?;
                Ok(Written::new(id, event))
            })
        })
        .await
    }
}
