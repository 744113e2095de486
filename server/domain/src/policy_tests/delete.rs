//! Deleting a test.

use keywarden_model::PolicyTestId;
use keywarden_store::{Written, policy_tests as rows};

use super::PolicyTest;
use crate::policy::{project, resource};
use crate::{Action, Domain, Op, Refused};

impl Domain {
    /// A test that the caller may see.
    pub async fn policy_test(&self, op: &Op, id: PolicyTestId) -> Result<PolicyTest, Refused> {
        let row = rows::find(&mut self.store().read().await?, id).await?.ok_or(Refused::NotFound)?;
        let test = PolicyTest::try_from(row)?;
        let seen = self.would(op, Action::ViewPolicy, &resource(test.scope)).await?;
        if seen { Ok(test) } else { Err(Refused::NotFound) }
    }

    /// Deletes a test: policies that fail it can come to decide.
    pub async fn delete_policy_test(&self, op: &Op, id: PolicyTestId) -> Result<PolicyTestId, Refused> {
        let scope = self.policy_test(op, id).await?.scope;
        self.change(op, Action::DraftPolicy, &resource(scope), &[], move |tx, record| {
            Box::pin(async move {
                let row = rows::find(tx, id).await?.ok_or(Refused::NotFound)?;
                rows::delete(tx, id).await?;
                let event = record
                    .event("policy-test.delete", "policy-test", id)
                    .project(project(scope))
                    .text("name", row.name)
                    .finish()?;
                Ok::<_, Refused>(Written::new(id, event))
            })
        })
        .await
    }
}
