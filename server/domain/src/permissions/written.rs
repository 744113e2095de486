//! The policies that an answer names, as people call them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use keywarden_model::PolicyId;
use keywarden_store::policies as rows;

use crate::authz::{self, InForce, PolicyScope};
use crate::{Action, Domain, Fault, Op, Refused, policy};

/// A version of a policy that people wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenPolicy {
    /// The policy.
    pub policy: PolicyId,
    /// Which version of it.
    pub version: i64,
    /// What people call it.
    pub name: String,
    /// Whether the caller may see it.
    pub viewable: bool,
}

/// Versions by the names that decisions have for them: `pol_…@3`.
pub type WrittenPolicies = BTreeMap<String, WrittenPolicy>;

/// The policies that are asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Under {
    /// Those in force.
    #[default]
    InForce,
    /// The same with this version of one policy.
    With(PolicyId, i64),
}

impl Domain {
    /// Those of these names that are of policies that people wrote.
    pub(crate) async fn written<'a>(
        &self,
        op: &Op,
        names: impl IntoIterator<Item = &'a str>,
    ) -> Result<WrittenPolicies, Refused> {
        let names: BTreeSet<_> = names.into_iter().collect();
        let versions: Vec<_> = names.into_iter().filter_map(|name| Some((name, version(name)?))).collect();
        let mut found = WrittenPolicies::new();
        if versions.is_empty() {
            return Ok(found);
        }
        let ids: BTreeSet<_> = versions.iter().map(|(_, (policy, _))| *policy).collect();
        let mut conn = self.store().read().await.map_err(Fault::from)?;
        let policies =
            rows::of(&mut conn, &ids.into_iter().collect::<Vec<_>>()).await.map_err(Fault::from)?;
        drop(conn);
        let mut seen: BTreeMap<PolicyScope, bool> = BTreeMap::new();
        for row in policies {
            let scope = authz::scope(row.project_id.as_deref(), row.id)?;
            let viewable = match seen.get(&scope) {
                Some(known) => *known,
                None => self.would(op, Action::ViewPolicy, &policy::resource(scope)).await?,
            };
            seen.insert(scope, viewable);
            for (name, (policy, version)) in versions.iter().filter(|(_, (policy, _))| *policy == row.id) {
                let (policy, version, called) = (*policy, *version, row.name.clone());
                found.insert((*name).to_owned(), WrittenPolicy { policy, version, name: called, viewable });
            }
        }
        Ok(found)
    }

    /// What decides, or what would with a version that the caller may see. One that cannot be asked is none.
    pub(crate) async fn supposed(&self, op: &Op, under: Under) -> Result<Arc<InForce>, Refused> {
        let counter = self.counter().await?;
        let in_force = self.gate().in_force(self.store(), counter).await?;
        let Under::With(id, number) = under else { return Ok(in_force) };
        let scope = self.policy_in_sight(op, id).await?;
        let mut conn = self.store().read().await.map_err(Fault::from)?;
        let row = rows::version(&mut conn, id, number).await.map_err(Fault::from)?;
        drop(conn);
        let version = row.ok_or(Refused::NotFound)?;
        let deciding = self.would_decide(scope, &version).map_err(|_| Refused::NotFound)?;
        Ok(Arc::new(in_force.with(id, Some(deciding))?))
    }
}

fn version(name: &str) -> Option<(PolicyId, i64)> {
    let (policy, number) = name.split_once('@')?;
    Some((policy.parse().ok()?, number.parse().ok()?))
}
