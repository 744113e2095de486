//! The tests of a place.

use keywarden_store::{policies::ORGANIZATION, policy_tests as rows};

use super::PolicyTest;
use crate::authz::PolicyScope;
use crate::policy::resource;
use crate::{Action, Domain, Op, Refused};

impl Domain {
    /// The tests of a scope, by name; all of them.
    pub async fn policy_tests(&self, op: &Op, scope: PolicyScope) -> Result<Vec<PolicyTest>, Refused> {
        let _permit = self.authorize(op, Action::ViewPolicy, &resource(scope)).await?;
        let word = match scope {
            PolicyScope::Organization => ORGANIZATION.to_owned(),
            PolicyScope::Project(project) => project.to_string(),
        };
        let rows = rows::of(&mut self.store().read().await?, &word).await?;
        Ok(rows.into_iter().map(PolicyTest::try_from).collect::<Result<_, _>>()?)
    }
}
