//! Ending a role that is held for a while, before its time.

use keywarden_model::{AccessGrantId, GrantEnd};
use keywarden_store::access::{grants as rows, requests};
use keywarden_store::{ChangeKind, Tx, Written};

use super::{AccessError, GRANT, Grant, LifeError, Loaded};
use crate::audit::{Fact, Record};
use crate::authz::PolicyScope;
use crate::policy::resource;
use crate::{Action, Domain, Op, Refused, Resource};

impl Domain {
    /// Gives a role back: whoever holds it, or asked for it.
    pub async fn give_back_access(&self, op: &Op, id: AccessGrantId) -> Result<AccessGrantId, AccessError> {
        self.grant_in_sight(op, id).await?;
        let by = op.actor.id();
        self.change(op, Action::GiveBackAccess, &Resource::Organization, &[], move |tx, record| {
            let by = by.clone();
            Box::pin(async move {
                let grant = rows::find(tx, id).await?.ok_or(Refused::NotFound)?;
                if grant.holder_id != by && grant.asked_by != by {
                    return Err(LifeError::NotAsker.into());
                }
                over(tx, &record, Action::GiveBackAccess.name(), grant.try_into()?, GrantEnd::GivenBack, &by)
                    .await
            })
        })
        .await
    }

    /// Takes a role from somebody who holds it for a while.
    pub async fn revoke_access(&self, op: &Op, id: AccessGrantId) -> Result<AccessGrantId, AccessError> {
        let grant = self.grant_in_sight(op, id).await?;
        let by = op.actor.id();
        self.change(op, Action::RevokeAccess, &resource(scope(&grant)), &[], move |tx, record| {
            let by = by.clone();
            Box::pin(async move {
                let grant = rows::find(tx, id).await?.ok_or(Refused::NotFound)?;
                over(tx, &record, Action::RevokeAccess.name(), grant.try_into()?, GrantEnd::Revoked, &by)
                    .await
            })
        })
        .await
    }

    /// A grant, for whoever may know of it.
    pub async fn access_grant(&self, op: &Op, id: AccessGrantId) -> Result<Grant, Refused> {
        self.grant_in_sight(op, id).await
    }

    async fn grant_in_sight(&self, op: &Op, id: AccessGrantId) -> Result<Grant, Refused> {
        let mut conn = self.store().read().await?;
        let row = rows::find(&mut conn, id).await?.ok_or(Refused::NotFound)?;
        drop(conn);
        let (grant, own) = (Grant::try_from(row)?, op.actor.id());
        let is_own = grant.holder.to_string() == own || grant.asked_by == own;
        let seen = is_own || self.would(op, Action::ViewAccess, &resource(scope(&grant))).await?;
        if seen { Ok(grant) } else { Err(Refused::NotFound) }
    }
}

fn scope(grant: &Grant) -> PolicyScope {
    grant.project_id.map_or(PolicyScope::Organization, PolicyScope::Project)
}

/// It is over: whoever asks from now on is answered without it, on every node.
pub(super) async fn over(
    tx: &mut Tx,
    record: &Record,
    event: &'static str,
    grant: Grant,
    how: GrantEnd,
    by: &str,
) -> Result<Written<AccessGrantId>, AccessError> {
    let now = record.now();
    let request = Loaded::find(tx, grant.request).await?;
    let life = request.life.clone().end(how, now)?;
    if !rows::end(tx, grant.id, (how.as_str(), by), now).await? {
        return Err(LifeError::NotActive.into());
    }
    requests::set_state(tx, grant.request, life.state.as_str()).await?;
    tx.restrict(ChangeKind::Authority, grant.holder, now).await?;
    let event = record
        .event(event, GRANT, grant.id)
        .project(grant.project_id)
        .fact("request", grant.request)
        .fact("holder", super::request::fact(grant.holder))
        .fact("how", Fact::word(how.as_str()))
        .change("role", grant.role, Fact::none());
    Ok(Written::new(grant.id, event.finish()?))
}
