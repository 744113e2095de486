//! Letting a version decide: now, from a moment on, or again.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use keywarden_model::policy::PolicyStep;
use keywarden_model::{PolicyId, PolicyState};
use keywarden_store::{ChangeKind, Tx, Written, policies as rows};

use super::review::ReviewRule;
use super::{ChangePolicyError, is_person, meanwhile, project, resource, sha256, state, stepped, version};
use crate::audit::{Draft, Fact, Record};
use crate::authz::{Circumstances, Deciding, PolicyScope, SignInMethod, TextError};
use crate::{Action, Domain, Fault, Op, Resource};

/// How far ahead something may be scheduled.
const FARTHEST: TimeDelta = TimeDelta::days(366);

/// Which version decides, and from when on.
#[derive(Debug, Clone, Copy)]
pub struct Activate {
    /// Its number.
    pub version: i64,
    /// From when on; at once where none is named.
    pub at: Option<DateTime<Utc>>,
    /// The state of the policy that was seen.
    pub row_version: i64,
}

/// A version that shall decide, and on whose word.
pub(super) struct Turn<'a> {
    pub(super) step: PolicyStep,
    pub(super) scope: PolicyScope,
    pub(super) version: &'a rows::Version,
    pub(super) by: &'a str,
    pub(super) circumstances: &'a Circumstances,
}

/// What came of it.
pub(super) struct Turned {
    pub(super) revision: i64,
    pub(super) superseded: Option<i64>,
}

impl Domain {
    /// Lets a version decide from now on, in place of the one that does; or from a moment on, if one is named: then it is
    /// looked at again.
    pub async fn activate_policy(
        &self,
        op: &Op,
        id: PolicyId,
        what: Activate,
    ) -> Result<PolicyId, ChangePolicyError> {
        let done = match what.at {
            Some(at) => self.schedule_policy(op, id, what, at).await,
            None => self.turn_policy(op, id, what, PolicyStep::Activate).await,
        };
        self.told_in_sight(op, done).await
    }

    /// Lets a version decide again that did before.
    pub async fn roll_back_policy(
        &self,
        op: &Op,
        id: PolicyId,
        number: i64,
        row_version: i64,
    ) -> Result<PolicyId, ChangePolicyError> {
        let what = Activate { version: number, at: None, row_version };
        let done = self.turn_policy(op, id, what, PolicyStep::RollBack).await;
        self.told_in_sight(op, done).await
    }

    /// Tests that fail are named to those who may see them.
    async fn told_in_sight(
        &self,
        op: &Op,
        done: Result<PolicyId, ChangePolicyError>,
    ) -> Result<PolicyId, ChangePolicyError> {
        let Err(ChangePolicyError::FailsTests(mut failing)) = done else { return done };
        if !self.would(op, Action::ViewPolicy, &Resource::Organization).await? {
            failing.hide_the_organizations();
        }
        // Whose project's tests they are sees no others than these: a policy of the organization is turned by who sees all.
        Err(ChangePolicyError::FailsTests(failing))
    }

    async fn turn_policy(
        &self,
        op: &Op,
        id: PolicyId,
        what: Activate,
        step: PolicyStep,
    ) -> Result<PolicyId, ChangePolicyError> {
        let scope = self.policy_in_sight(op, id).await?;
        let (domain, by) = (self.clone(), op.actor.id());
        let circumstances = Arc::new(Circumstances::of(op));
        self.change(op, Action::ActivatePolicy, &resource(scope), &[], move |tx, record| {
            let (domain, by, circumstances) = (domain.clone(), by.clone(), Arc::clone(&circumstances));
            Box::pin(async move {
                let (_, version) = version(tx, id, what.version).await?;
                rows::touch(tx, id, what.row_version).await.map_err(meanwhile)?;
                let turn = Turn { step, scope, version: &version, by: &by, circumstances: &circumstances };
                let turned = domain.let_decide(tx, &record, turn).await?;
                let event = if step == PolicyStep::RollBack { "policy.roll-back" } else { "policy.activate" };
                let event = told(&record, event, scope, &version)?
                    .fact("superseded", turned.superseded)
                    .fact("revision", turned.revision)
                    .finish()?;
                Ok(Written::new(id, event))
            })
        })
        .await
    }

    async fn schedule_policy(
        &self,
        op: &Op,
        id: PolicyId,
        what: Activate,
        at: DateTime<Utc>,
    ) -> Result<PolicyId, ChangePolicyError> {
        let scope = self.policy_in_sight(op, id).await?;
        let (domain, by) = (self.clone(), op.actor.id());
        self.change(op, Action::ActivatePolicy, &resource(scope), &[], move |tx, record| {
            let (domain, by) = (domain.clone(), by.clone());
            Box::pin(async move {
                let now = record.now();
                if at <= now || at - now > FARTHEST {
                    return Err(ChangePolicyError::Moment);
                }
                let (_, version) = version(tx, id, what.version).await?;
                let step = PolicyStep::Schedule;
                stepped(&version, step)?;
                rows::touch(tx, id, what.row_version).await.map_err(meanwhile)?;
                let circumstances = unattended(at);
                let turn = Turn { step, scope, version: &version, by: &by, circumstances: &circumstances };
                domain.may_decide(tx, &turn).await?;
                rows::schedule(tx, &version, &by, at).await?;
                let event = told(&record, "policy.schedule", scope, &version)?.fact("at", at).finish()?;
                Ok(Written::new(id, event))
            })
        })
        .await
    }

    /// What would decide with this version, if it may: it was approved where that is asked for, it can be asked, and somebody
    /// can administer beside it.
    pub(super) async fn may_decide(&self, tx: &mut Tx, turn: &Turn<'_>) -> Result<(), ChangePolicyError> {
        let Turn { scope, version, circumstances, .. } = *turn;
        if ReviewRule::read(tx).await?.needs_second_person()
            && !was_looked_at(&version.created_by, version.approved_by.as_deref(), turn.by)
        {
            return Err(ChangePolicyError::NeedsApproval);
        }
        let deciding = self.would_decide(scope, version).map_err(ChangePolicyError::Text)?;
        let in_force = self.gate().in_force_now(tx).await?;
        let next = in_force.with(version.policy_id, Some(deciding))?;
        self.keeps_an_owner(tx, (&in_force, &next), circumstances).await?;
        let failing = self.failing_tests(tx, scope, (&in_force, &next), circumstances.now).await?;
        if failing.is_empty() { Ok(()) } else { Err(ChangePolicyError::FailsTests(failing.into())) }
    }

    /// A version as it would decide, if its text can.
    pub(crate) fn would_decide(
        &self,
        scope: PolicyScope,
        version: &rows::Version,
    ) -> Result<Deciding, Vec<TextError>> {
        let checked = Arc::new(self.gate().check(scope, &version.text)?);
        Ok(Deciding { policy: version.policy_id, number: version.number, scope, checked })
    }

    /// Lets it decide, in place of the one that does. The revision moves first: whoever else turns the set waits for this
    /// write, and then reads what it left.
    pub(super) async fn let_decide(
        &self,
        tx: &mut Tx,
        record: &Record,
        turn: Turn<'_>,
    ) -> Result<Turned, ChangePolicyError> {
        let (id, now) = (turn.version.policy_id, record.now());
        let to = stepped(turn.version, turn.step)?;
        if !rows::all_decide(tx).await? {
            return Err(ChangePolicyError::OlderNodes);
        }
        let revision = rows::turn(tx).await?;
        self.may_decide(tx, &turn).await?;
        let mut superseded = None;
        if let Some(active) = rows::active(tx, id).await? {
            rows::set_state(tx, &active, stepped(&active, PolicyStep::Supersede)?, now).await?;
            superseded = Some(active.number);
        }
        // What was scheduled before this one was written would take its place.
        for older in rows::open(tx, id).await? {
            if state(&older)? == PolicyState::Scheduled && older.number < turn.version.number {
                rows::set_state(tx, &older, PolicyState::Withdrawn, now).await?;
            }
        }
        rows::set_state(tx, turn.version, to, now).await?;
        rows::activated(tx, turn.version, turn.by, now).await?;
        rows::set_ending(tx, id, None).await?;
        tx.restrict(ChangeKind::Authority, id, now).await?;
        Ok(Turned { revision, superseded })
    }
}

/// Whether two people stand behind a version that `by` lets decide: whoever wrote it and whoever approved it. What a machine
/// wrote may be from the hand of whoever approves it, so that somebody else has to let it decide.
pub(crate) fn was_looked_at(created_by: &str, approved_by: Option<&str>, by: &str) -> bool {
    let approved = approved_by.filter(|it| *it != created_by);
    let behind = [Some(created_by), approved, Some(by)];
    let people: BTreeSet<_> = behind.into_iter().flatten().filter(|it| is_person(it)).collect();
    approved.is_some() && people.len() > 1
}

/// What every event of a turn says.
pub(super) fn told(
    record: &Record,
    event: &'static str,
    scope: PolicyScope,
    version: &rows::Version,
) -> Result<Draft, Fault> {
    Ok(record
        .event(event, "policy", version.policy_id)
        .project(project(scope))
        .fact("version", version.number)
        .fact("text", Fact::digest(&sha256(version)?))
        .fact("approved", version.approved_by.is_some()))
}

/// The moment at which nobody is there: what is scheduled must not hang on from where somebody looks.
pub(super) fn unattended(at: DateTime<Utc>) -> Circumstances {
    Circumstances::absent(at, SignInMethod::Passkey)
}
