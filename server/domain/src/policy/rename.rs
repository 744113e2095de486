//! Calling a policy something else.

use keywarden_model::{Name, PolicyId};
use keywarden_store::{Written, policies as rows};

use super::{ChangePolicyError, is_reserved, meanwhile, project, resource};
use crate::{Action, Domain, Op, Refused};

impl Domain {
    /// Gives a policy another name. What it decides is told by its id.
    pub async fn rename_policy(
        &self,
        op: &Op,
        id: PolicyId,
        name: Name,
        row_version: i64,
    ) -> Result<PolicyId, ChangePolicyError> {
        let scope = self.policy_in_sight(op, id).await?;
        self.change(op, Action::DraftPolicy, &resource(scope), &[], move |tx, record| {
            let name = name.clone();
            Box::pin(async move {
                if is_reserved(&name) {
                    return Err(ChangePolicyError::NameTaken);
                }
                let before = rows::find(tx, id).await?.ok_or(Refused::NotFound)?;
                rows::touch(tx, id, row_version).await.map_err(meanwhile)?;
                rows::rename(tx, id, &name).await.map_err(meanwhile)?;
                let event = record
                    .event("policy.rename", "policy", id)
                    .project(project(scope))
                    .text("name", &name)
                    .text("name_before", before.name)
                    .finish()?;
                Ok(Written::new(id, event))
            })
        })
        .await
    }
}
