//! Letting scheduled versions decide when their moment has come. A job asks for it.

use keywarden_model::policy::PolicyStep;
use keywarden_model::{PolicyId, PolicyState};
use keywarden_store::{Tx, Written, policies as rows};

use super::activate::{Turn, told, unattended};
use super::{ChangePolicyError, resource, state, version};
use crate::audit::Record;
use crate::authz;
use crate::{Action, Domain, Fault, Op, Refused};

/// Versions in one run.
const AT_ONCE: u32 = 100;

impl Domain {
    /// Lets each version decide whose moment has come, if whoever scheduled it may still do that and everything else still
    /// allows it; one that may not is withdrawn, and its event says why. Says how many now decide.
    pub async fn activate_due_policies(&self, op: &Op) -> Result<u32, Fault> {
        let mut conn = self.store().read().await?;
        let due = rows::due(&mut conn, op.now, AT_ONCE).await?;
        drop(conn);
        let mut decide = 0_u32;
        for waiting in due {
            let (id, number) = (waiting.policy_id, waiting.number);
            let domain = self.clone();
            let done = self.change_unasked(op, "a scheduled policy", &[], move |tx, record| {
                let domain = domain.clone();
                Box::pin(async move { domain.activate_due(tx, &record, id, number).await })
            });
            match done.await {
                Ok(_) => decide = decide.saturating_add(1),
                // Another node was faster, or somebody withdrew it; or it waits until every node decides by policies.
                Err(ChangePolicyError::Step(_) | ChangePolicyError::OlderNodes) => {}
                Err(ChangePolicyError::Refused(Refused::Fault(fault))) => return Err(fault),
                Err(refused) => {
                    tracing::warn!(policy = %id, number, %refused, "a scheduled policy may not decide");
                    self.withdraw_due(op, id, number, why(&refused)).await?;
                }
            }
        }
        Ok(decide)
    }

    async fn activate_due(
        &self,
        tx: &mut Tx,
        record: &Record,
        id: PolicyId,
        number: i64,
    ) -> Result<Written<PolicyId>, ChangePolicyError> {
        let (policy, waiting) = version(tx, id, number).await?;
        let scope = authz::scope(policy.project_id.as_deref(), id)?;
        let state = state(&waiting)?;
        let Some(by) = waiting.due_by.clone().filter(|_| state == PolicyState::Scheduled) else {
            let step = PolicyStep::Schedule;
            return Err(keywarden_model::policy::PolicyStepError { state, step }.into());
        };
        let asked = [(Action::ActivatePolicy, resource(scope))];
        if !self.gate().may_still(tx, &by, &asked, record.now()).await? {
            return Err(Refused::Forbidden(Action::ActivatePolicy).into());
        }
        rows::touch(tx, id, policy.row_version).await?;
        let circumstances = unattended(record.now());
        let step = PolicyStep::Activate;
        let turn = Turn { step, scope, version: &waiting, by: &by, circumstances: &circumstances };
        let turned = self.let_decide(tx, record, turn).await?;
        let event = told(record, "policy.activate", scope, &waiting)?
            .fact("superseded", turned.superseded)
            .fact("revision", turned.revision)
            .fact("scheduled", true)
            .finish()?;
        Ok(Written::new(id, event))
    }

    async fn withdraw_due(&self, op: &Op, id: PolicyId, number: i64, why: &'static str) -> Result<(), Fault> {
        let done =
            self.change_unasked(op, "a scheduled policy that may not decide", &[], move |tx, record| {
                Box::pin(async move {
                    let (policy, waiting) = version(tx, id, number).await?;
                    let scope = authz::scope(policy.project_id.as_deref(), id)?;
                    let to = super::stepped(&waiting, PolicyStep::Withdraw)?;
                    rows::touch(tx, id, policy.row_version).await?;
                    rows::set_state(tx, &waiting, to, record.now()).await?;
                    let event = told(&record, "policy.activate", scope, &waiting)?.failed(why).finish()?;
                    Ok::<_, ChangePolicyError>(Written::new(id, event))
                })
            });
        match done.await {
            Ok(_) | Err(ChangePolicyError::Step(_)) => Ok(()),
            Err(ChangePolicyError::Refused(Refused::Fault(fault))) => Err(fault),
            Err(other) => Err(Fault::Unexpected(other.to_string())),
        }
    }
}

/// The reason as events say it.
fn why(refused: &ChangePolicyError) -> &'static str {
    match refused {
        ChangePolicyError::FailsTests(_) => "fails-tests",
        ChangePolicyError::LocksOut => "locks-out",
        ChangePolicyError::NeedsApproval => "needs-approval",
        ChangePolicyError::Refused(_) => "not-allowed",
        ChangePolicyError::Text(_) => "text",
        _ => "changed",
    }
}
