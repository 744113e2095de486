//! Disabling a policy: no version of it decides any more.

use std::sync::Arc;

use keywarden_model::PolicyId;
use keywarden_model::policy::PolicyStep;
use keywarden_store::{ChangeKind, Written, policies as rows};

use super::review::ReviewRule;
use super::{ChangePolicyError, is_person, meanwhile, project, resource, stepped};
use crate::authz::Circumstances;
use crate::{Action, Domain, Op, Refused};

impl Domain {
    /// Disables a policy. Where policies need a second person, the first one's word is noted ([`super::Policy::ending_by`])
    /// and another person's does it.
    pub async fn disable_policy(
        &self,
        op: &Op,
        id: PolicyId,
        row_version: i64,
    ) -> Result<PolicyId, ChangePolicyError> {
        let scope = self.policy_in_sight(op, id).await?;
        let (domain, by, person) = (self.clone(), op.actor.id(), op.actor.person().is_some());
        let circumstances = Arc::new(Circumstances::of(op));
        self.change(op, Action::DisablePolicy, &resource(scope), &[], move |tx, record| {
            let (domain, by, circumstances) = (domain.clone(), by.clone(), Arc::clone(&circumstances));
            Box::pin(async move {
                let policy = rows::find(tx, id).await?.ok_or(Refused::NotFound)?;
                rows::touch(tx, id, row_version).await.map_err(meanwhile)?;
                let revision = rows::turn(tx).await?;
                let active = rows::active(tx, id).await?.ok_or(ChangePolicyError::NotInForce)?;
                let to = stepped(&active, PolicyStep::Supersede)?;
                let event = |name| {
                    let event = record.event(name, "policy", id).project(project(scope));
                    event.fact("version", active.number)
                };
                // The word of a machine is nobody's: it may be in the hand of whoever comes second.
                let first = policy.ending_by.filter(|first| is_person(first));
                let alone = first.is_none_or(|first| first == by || !person);
                if ReviewRule::read(tx).await?.needs_second_person() && alone {
                    rows::set_ending(tx, id, Some(&by)).await?;
                    return Ok(Written::new(id, event("policy.ask-disable").finish()?));
                }
                // A permit may have been what let somebody through a door that a forbid leaves open.
                let in_force = domain.gate().in_force_now(tx).await?;
                let next = in_force.with(id, None)?;
                domain.keeps_an_owner(tx, (&in_force, &next), &circumstances).await?;
                let now = record.now();
                rows::set_state(tx, &active, to, now).await?;
                rows::set_ending(tx, id, None).await?;
                tx.restrict(ChangeKind::Authority, id, now).await?;
                let event = event("policy.disable").fact("revision", revision).finish()?;
                Ok(Written::new(id, event))
            })
        })
        .await
    }
}
