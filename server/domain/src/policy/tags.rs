//! Tags that conditions are likely to be about.

use std::collections::BTreeSet;

use keywarden_store::tags;

use super::project;
use crate::authz::{PolicyScope, Reach};
use crate::{Action, Domain, Fault, Op, Refused};

/// Of keys, and of secrets.
const MOST: u32 = 200;

impl Domain {
    /// Tags that keys and secrets have where a policy holds, for whoever may see all of those there; the first few, in order.
    pub async fn tags_in_sight(&self, op: &Op, scope: PolicyScope) -> Result<BTreeSet<String>, Refused> {
        let there = project(scope);
        let sees = |reach: Reach| there.map_or(reach == Reach::All, |project| reach.covers(project));
        let keys = sees(self.reach(op, Action::ViewKey).await?);
        let secrets = sees(self.reach(op, Action::ViewSecret).await?);
        let mut found = BTreeSet::new();
        let mut conn = self.store().read().await.map_err(Fault::from)?;
        if keys {
            found.extend(tags::of_keys(&mut conn, there, MOST).await.map_err(Fault::from)?);
        }
        if secrets {
            found.extend(tags::of_secrets(&mut conn, there, MOST).await.map_err(Fault::from)?);
        }
        Ok(found)
    }
}
