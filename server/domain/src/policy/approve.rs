//! The second look at a version: by a person, and never by whoever wrote it.

use keywarden_model::PolicyId;
use keywarden_model::policy::PolicyStep;
use keywarden_store::{Written, policies as rows};

use super::{ChangePolicyError, meanwhile, project, resource, sha256, stepped, version};
use crate::audit::Fact;
use crate::{Action, Domain, Op, Refused};

impl Domain {
    /// Approves a version that is in review. It decides nothing by that: somebody activates it.
    pub async fn approve_policy(
        &self,
        op: &Op,
        id: PolicyId,
        number: i64,
        row_version: i64,
    ) -> Result<PolicyId, ChangePolicyError> {
        let scope = self.policy_in_sight(op, id).await?;
        // A machine is nobody's second look: its token may be the author's.
        let person = op.actor.person().is_some();
        let by = op.actor.id();
        self.change(op, Action::ApprovePolicy, &resource(scope), &[], move |tx, record| {
            let by = by.clone();
            Box::pin(async move {
                if !person {
                    return Err(Refused::Forbidden(Action::ApprovePolicy).into());
                }
                let (_, waiting) = version(tx, id, number).await?;
                stepped(&waiting, PolicyStep::Approve)?;
                if waiting.created_by == by {
                    return Err(ChangePolicyError::OwnDraft);
                }
                rows::touch(tx, id, row_version).await.map_err(meanwhile)?;
                rows::approve(tx, &waiting, &by, record.now()).await?;
                let event = record
                    .event("policy.approve", "policy", id)
                    .project(project(scope))
                    .fact("version", number)
                    .fact("text", Fact::digest(&sha256(&waiting)?))
                    .fact("before", waiting.approved_at.is_some())
                    .finish()?;
                Ok(Written::new(id, event))
            })
        })
        .await
    }
}
