//! Putting a draft before a second person.

use keywarden_model::PolicyId;
use keywarden_model::policy::PolicyStep;
use keywarden_store::{Written, policies as rows, proofs};

use super::{ChangePolicyError, meanwhile, project, resource, stepped, version};
use crate::{Action, Domain, Op};

impl Domain {
    /// Puts a draft before a second person, who is shown what a solver says of it.
    pub async fn submit_policy(
        &self,
        op: &Op,
        id: PolicyId,
        number: i64,
        row_version: i64,
    ) -> Result<PolicyId, ChangePolicyError> {
        let scope = self.policy_in_sight(op, id).await?;
        let by = op.actor.id();
        self.change(op, Action::DraftPolicy, &resource(scope), &[], move |tx, record| {
            let by = by.clone();
            Box::pin(async move {
                let (_, draft) = version(tx, id, number).await?;
                let to = stepped(&draft, PolicyStep::Submit)?;
                rows::touch(tx, id, row_version).await.map_err(meanwhile)?;
                rows::set_state(tx, &draft, to, record.now()).await?;
                proofs::ask(tx, id, number, &by, record.now()).await?;
                let event = record
                    .event("policy.submit", "policy", id)
                    .project(project(scope))
                    .fact("version", number)
                    .finish()?;
                Ok(Written::new(id, event))
            })
        })
        .await
    }
}
