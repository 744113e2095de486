//! One policy with its versions.

use std::collections::BTreeMap;

use keywarden_model::PolicyId;
use keywarden_store::{policies as rows, proofs};

use super::proof::{NoSolver, Proof};
use super::{Policy, PolicyVersion, resource};
use crate::{Action, Domain, Fault, Op, Refused};

/// Versions that are shown, newest first.
const VERSIONS: u32 = 1_000;

/// A policy, all of it.
#[derive(Debug, Clone)]
pub struct ShownPolicy {
    /// The policy.
    pub policy: Policy,
    /// Its versions, newest first.
    pub versions: Vec<PolicyVersion>,
    /// What a solver showed of versions, or is to show, by their number.
    pub proofs: BTreeMap<i64, Proof>,
    /// The solver that is there, or why there is none.
    pub solver: Result<String, NoSolver>,
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
        let revision = rows::set(&mut conn).await?.revision;
        let found = proofs::of(&mut conn, id).await?;
        let proofs = found.iter().map(|row| Ok((row.number, Proof::read(row, revision)?)));
        let proofs = proofs.collect::<Result<_, Fault>>()?;
        Ok(ShownPolicy { policy: policy.try_into()?, versions, proofs, solver: self.proof_solver() })
    }
}
