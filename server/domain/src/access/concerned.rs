//! Whom a request concerns: who could approve it, and who asked.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use keywarden_model::{AccessRequestId, AccessState, UserId};

use super::Loaded;
use crate::authz::{Circumstances, SignInMethod, Target, Who};
use crate::policy::difference::{Standings, World};
use crate::policy::resource;
use crate::{Action, Domain, Fault, Refused};

impl Domain {
    /// The people who could approve it, if they were here with a passkey of theirs: allowed by the policies in force, named where
    /// the rule names people, and having no part in it. Nobody for one that is not pending.
    pub(crate) async fn access_approvers(
        &self,
        id: AccessRequestId,
        now: DateTime<Utc>,
    ) -> Result<BTreeSet<UserId>, Fault> {
        let mut conn = self.store().read().await?;
        let Some(loaded) = found(Loaded::find(&mut conn, id).await)? else { return Ok(BTreeSet::new()) };
        if loaded.life.state != AccessState::Pending || loaded.leads_nowhere() {
            return Ok(BTreeSet::new());
        }
        let in_force = self.gate().in_force_now(&mut conn).await?;
        let (action, thing) = (Action::ApproveAccess, resource(loaded.scope));
        let target = Target::as_asked(&mut conn, &in_force, action, thing).await?;
        let standings = Standings::read(&mut conn).await?;
        let mut world = World::default();
        world.read_people(&mut conn, &standings).await?;
        drop(conn);
        let then =
            Circumstances { passkey_age: Some(0), ..Circumstances::absent(now, SignInMethod::Passkey) };
        let mut able = BTreeSet::new();
        for principal in world.people.iter().map(|it| &it.before) {
            let Who::Person(user) = principal.who else { continue };
            let who = user.to_string();
            let has_part = loaded.life.concerns(&who);
            let teams: Vec<_> = principal.teams.iter().map(ToString::to_string).collect();
            if !has_part
                && loaded.rule.names(&who, &teams)
                && self.gate().would_under(&in_force, principal, (action, &target), &then)
            {
                able.insert(user);
            }
        }
        Ok(able)
    }

    /// Whoever asked, and whoever is to hold the role: those of them who are people.
    pub(crate) async fn access_askers(&self, id: AccessRequestId) -> Result<BTreeSet<UserId>, Fault> {
        let mut conn = self.store().read().await?;
        let Some(loaded) = found(Loaded::find(&mut conn, id).await)? else { return Ok(BTreeSet::new()) };
        let both = [&loaded.row.created_by, &loaded.row.holder_id];
        Ok(both.into_iter().filter_map(|it| it.parse().ok()).collect())
    }
}

/// A request that was purged meanwhile concerns nobody.
fn found(loaded: Result<Loaded, Refused>) -> Result<Option<Loaded>, Fault> {
    match loaded {
        Ok(loaded) => Ok(Some(loaded)),
        Err(Refused::NotFound) => Ok(None),
        Err(Refused::Fault(fault)) => Err(fault),
        Err(other) => Err(Fault::Unexpected(other.to_string())),
    }
}
