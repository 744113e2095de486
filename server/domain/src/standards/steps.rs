//! What happens to a version: put to review, approved, in force, in force again, withdrawn; and the end of a standard.

use keywarden_model::StandardId;
use keywarden_model::policy::PolicyStep;
use keywarden_store::{ChangeKind, Tx, Written, standards as rows};

use super::{ChangeStandardError, meanwhile, read_rules, sha256, stepped, version};
use crate::audit::{Draft, Fact, Record};
use crate::authz::PolicyScope;
use crate::policy::{ReviewRule, is_person, project, resource, was_looked_at};
use crate::{Action, Domain, Fault, Op, Refused};

impl Domain {
    /// Puts a draft before a second person.
    pub async fn submit_standard(
        &self,
        op: &Op,
        id: StandardId,
        number: i64,
        row_version: i64,
    ) -> Result<StandardId, ChangeStandardError> {
        self.move_standard(op, id, number, row_version, (PolicyStep::Submit, "standard.submit")).await
    }

    /// Takes a version back that was not in force yet.
    pub async fn withdraw_standard(
        &self,
        op: &Op,
        id: StandardId,
        number: i64,
        row_version: i64,
    ) -> Result<StandardId, ChangeStandardError> {
        self.move_standard(op, id, number, row_version, (PolicyStep::Withdraw, "standard.withdraw")).await
    }

    async fn move_standard(
        &self,
        op: &Op,
        id: StandardId,
        number: i64,
        row_version: i64,
        (step, name): (PolicyStep, &'static str),
    ) -> Result<StandardId, ChangeStandardError> {
        let scope = self.standard_in_sight(op, id).await?;
        self.change(op, Action::DraftPolicy, &resource(scope), &[], move |tx, record| {
            Box::pin(async move {
                let (_, open) = version(tx, id, number).await?;
                let to = stepped(&open, step)?;
                rows::touch(tx, id, row_version).await.map_err(meanwhile)?;
                rows::set_state(tx, &open, to, record.now()).await?;
                Ok(Written::new(id, told(&record, name, scope, &open)?.finish()?))
            })
        })
        .await
    }

    /// Approves a version that is in review. It comes into force by nobody's hand but whose activates it.
    pub async fn approve_standard(
        &self,
        op: &Op,
        id: StandardId,
        number: i64,
        row_version: i64,
    ) -> Result<StandardId, ChangeStandardError> {
        let scope = self.standard_in_sight(op, id).await?;
        // A machine is nobody's second look: its token may be the author's.
        let person = op.actor.person().is_some();
        let by = op.actor.id();
        self.change(op, Action::ApprovePolicy, &resource(scope), &[], move |tx, record| {
            let by = by.clone();
            Box::pin(async move {
                if !person {
                    return Err(Refused::Forbidden(Action::ApprovePolicy).into());
                }
                let (_, waiting) = version(tx, id, number).await?;
                stepped(&waiting, PolicyStep::Approve)?;
                if waiting.created_by == by {
                    return Err(ChangeStandardError::OwnDraft);
                }
                rows::touch(tx, id, row_version).await.map_err(meanwhile)?;
                rows::approve(tx, &waiting, &by, record.now()).await?;
                let event = told(&record, "standard.approve", scope, &waiting)?;
                Ok(Written::new(id, event.fact("before", waiting.approved_at.is_some()).finish()?))
            })
        })
        .await
    }

    /// Lets a version come into force, in place of the one that is.
    pub async fn activate_standard(
        &self,
        op: &Op,
        id: StandardId,
        number: i64,
        row_version: i64,
    ) -> Result<StandardId, ChangeStandardError> {
        self.turn_standard(op, id, number, row_version, (PolicyStep::Activate, "standard.activate")).await
    }

    /// Lets a version be in force again that was before.
    pub async fn roll_back_standard(
        &self,
        op: &Op,
        id: StandardId,
        number: i64,
        row_version: i64,
    ) -> Result<StandardId, ChangeStandardError> {
        self.turn_standard(op, id, number, row_version, (PolicyStep::RollBack, "standard.roll-back")).await
    }

    async fn turn_standard(
        &self,
        op: &Op,
        id: StandardId,
        number: i64,
        row_version: i64,
        (step, name): (PolicyStep, &'static str),
    ) -> Result<StandardId, ChangeStandardError> {
        let scope = self.standard_in_sight(op, id).await?;
        let by = op.actor.id();
        self.change(op, Action::ActivatePolicy, &resource(scope), &[], move |tx, record| {
            let by = by.clone();
            Box::pin(async move {
                let (_, next) = version(tx, id, number).await?;
                rows::touch(tx, id, row_version).await.map_err(meanwhile)?;
                let to = stepped(&next, step)?;
                if !rows::all_hold(tx).await? {
                    return Err(ChangeStandardError::OlderNodes);
                }
                // What cannot be read would refuse everything.
                read_rules(&next).ok_or(ChangeStandardError::Unreadable)?;
                let looked_at = was_looked_at(&next.created_by, next.approved_by.as_deref(), &by);
                if ReviewRule::read(tx).await?.needs_second_person() && !looked_at {
                    return Err(ChangeStandardError::NeedsApproval);
                }
                let now = record.now();
                let superseded = rows::active(tx, id).await?;
                if let Some(active) = &superseded {
                    rows::set_state(tx, active, stepped(active, PolicyStep::Supersede)?, now).await?;
                }
                rows::set_state(tx, &next, to, now).await?;
                rows::activated(tx, &next, &by, now).await?;
                rows::set_ending(tx, id, None).await?;
                takes_effect(tx, &record, id).await?;
                let event = told(&record, name, scope, &next)?
                    .fact("superseded", superseded.map(|it| it.number))
                    .fact("approved", next.approved_by.is_some());
                Ok(Written::new(id, event.finish()?))
            })
        })
        .await
    }

    /// Ends a standard: nothing of it is in force any more. Where a second person is needed, the first one's word is noted
    /// ([`super::Standard::ending_by`]) and another person's does it.
    pub async fn end_standard(
        &self,
        op: &Op,
        id: StandardId,
        row_version: i64,
    ) -> Result<StandardId, ChangeStandardError> {
        let scope = self.standard_in_sight(op, id).await?;
        let (by, person) = (op.actor.id(), op.actor.person().is_some());
        self.change(op, Action::DisablePolicy, &resource(scope), &[], move |tx, record| {
            let by = by.clone();
            Box::pin(async move {
                let standard = rows::find(tx, id).await?.ok_or(Refused::NotFound)?;
                rows::touch(tx, id, row_version).await.map_err(meanwhile)?;
                let active = rows::active(tx, id).await?.ok_or(ChangeStandardError::NotInForce)?;
                let to = stepped(&active, PolicyStep::Supersede)?;
                // The word of a machine is nobody's: it may be in the hand of whoever comes second.
                let first = standard.ending_by.filter(|first| is_person(first));
                let alone = first.is_none_or(|first| first == by || !person);
                if ReviewRule::read(tx).await?.needs_second_person() && alone {
                    rows::set_ending(tx, id, Some(&by)).await?;
                    let event = told(&record, "standard.ask-end", scope, &active)?;
                    return Ok(Written::new(id, event.finish()?));
                }
                rows::set_state(tx, &active, to, record.now()).await?;
                rows::set_ending(tx, id, None).await?;
                takes_effect(tx, &record, id).await?;
                Ok(Written::new(id, told(&record, "standard.end", scope, &active)?.finish()?))
            })
        })
        .await
    }
}

/// Whatever was decided before this is decided anew, and reads what is in force then.
async fn takes_effect(tx: &mut Tx, record: &Record, id: StandardId) -> Result<(), Refused> {
    tx.restrict(ChangeKind::Authority, id, record.now()).await?;
    Ok(())
}

/// What every event of a step says.
fn told(
    record: &Record,
    event: &'static str,
    scope: PolicyScope,
    version: &rows::Version,
) -> Result<Draft, Fault> {
    Ok(record
        .event(event, "standard", version.standard_id)
        .project(project(scope))
        .fact("version", version.number)
        .fact("rules", Fact::digest(&sha256(version)?)))
}
