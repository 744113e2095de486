//! One policy with its versions.

use keywarden_model::PolicyId;
use keywarden_store::policies as rows;

use super::{Policy, PolicyVersion, resource};
use crate::{Action, Domain, Op, Refused};

/// Versions that are shown, newest first.
const VERSIONS: u32 = 1_000;

/// A policy, all of it.
#[derive(Debug, Clone)]
pub struct ShownPolicy {
    /// The policy.
    pub policy: Policy,
    /// Its versions, newest first.
    pub versions: Vec<PolicyVersion>,
}

impl ShownPolicy {
    /// The version that decides.
    pub fn active(&self) -> Option<&PolicyVersion> {
        self.versions.iter().find(|it| it.state == keywarden_model::PolicyState::Active)
    }
}

impl Domain {
    /// A policy with its versions.
    pub async fn policy(&self, op: &Op, id: PolicyId) -> Result<ShownPolicy, Refused> {
        let scope = self.policy_in_sight(op, id).await?;
        let _permit = self.authorize(op, Action::ViewPolicy, &resource(scope)).await?;
        let mut conn = self.store().read().await?;
        let policy = rows::find(&mut conn, id).await?.ok_or(Refused::NotFound)?;
        let versions = rows::versions(&mut conn, id, VERSIONS).await?;
        let versions = versions.into_iter().map(PolicyVersion::try_from).collect::<Result<_, _>>()?;
        Ok(ShownPolicy { policy: policy.try_into()?, versions })
    }
}
