//! Taking a version back that has decided nothing.

use keywarden_model::policy::PolicyStep;
use keywarden_model::{PolicyId, PolicyState};
use keywarden_store::{Written, policies as rows};

use super::{ChangePolicyError, meanwhile, project, resource, state, stepped, version};
use crate::{Action, Domain, Op};

impl Domain {
    /// Takes a draft back, or one that is in review; whoever may activate takes one back that is scheduled. It ends there.
    pub async fn withdraw_policy(
        &self,
        op: &Op,
        id: PolicyId,
        number: i64,
        row_version: i64,
    ) -> Result<PolicyId, ChangePolicyError> {
        let scope = self.policy_in_sight(op, id).await?;
        let (_, seen) = version(&mut self.store().read().await?, id, number).await?;
        let scheduled = state(&seen)? == PolicyState::Scheduled;
        let action = if scheduled { Action::ActivatePolicy } else { Action::DraftPolicy };
        self.change(op, action, &resource(scope), &[], move |tx, record| {
            Box::pin(async move {
                let (_, open) = version(tx, id, number).await?;
                if scheduled != (state(&open)? == PolicyState::Scheduled) {
                    return Err(ChangePolicyError::ChangedMeanwhile);
                }
                let to = stepped(&open, PolicyStep::Withdraw)?;
                rows::touch(tx, id, row_version).await.map_err(meanwhile)?;
                rows::set_state(tx, &open, to, record.now()).await?;
                let event = record
                    .event("policy.withdraw", "policy", id)
                    .project(project(scope))
                    .fact("version", number)
                    .finish()?;
                Ok(Written::new(id, event))
            })
        })
        .await
    }
}
