//! Running what waits. A job asks for it.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use keywarden_model::time::later;
use keywarden_store::{Written, policies, proofs as rows};

use super::compare::{Comparing, Sofar, Unclear};
use super::{NoSolver, Verdict};
use crate::audit::Fact;
use crate::authz::{self, Change, Deciding, Rules, Shape};
use crate::policy::project;
use crate::refused::carries_refused;
use crate::tokens::silent;
use crate::{Domain, Fault, Op, Refused};

/// The job that runs proofs.
const JOB: &str = "prove-policies";
/// One question to the solver.
const A_QUESTION: Duration = Duration::from_secs(20);
/// One proof, all in all.
const ALTOGETHER: Duration = Duration::from_mins(2);
/// A node that is at one for longer was cut off.
const CLAIM: TimeDelta = TimeDelta::minutes(5);
/// How often progress is noted, and whether the proof is still wanted.
const NOTED: Duration = Duration::from_millis(500);

/// How one that was run ended.
struct Ran {
    verdict: Verdict,
    revision: i64,
}

/// Why nothing is kept of a proof.
#[derive(Debug, thiserror::Error)]
enum EndError {
    #[error("nobody wants it any more")]
    Cancelled,
    #[error(transparent)]
    Refused(#[from] Refused),
}
carries_refused!(EndError);

impl Domain {
    /// The solver that proofs are run with, as of the last look; or why there is none.
    pub fn proof_solver(&self) -> Result<String, NoSolver> {
        self.settings().prover.last()
    }

    /// Runs the proof that waits longest, if there is a solver; says whether it ended. What is not wanted any more is left alone.
    pub async fn run_waiting_proof(&self, op: &Op) -> Result<bool, Fault> {
        let solver = self.settings().prover.look().await;
        let Some(waiting) = rows::next(&mut self.store().read().await?, op.now).await? else {
            return Ok(false);
        };
        let Ok(solver) = solver else { return Ok(false) };
        let until = later(op.now, CLAIM);
        if !self.claim_proof(&waiting, op.now, until).await? {
            return Ok(false);
        }
        let began = self.env().monotonic();
        let Some((ran, counts)) = self.run_proof(&waiting, op.now, until).await? else { return Ok(false) };
        let took = self.env().monotonic().saturating_duration_since(began);
        self.end_proof(&waiting, until, (ran, counts), (solver, took)).await
    }

    async fn claim_proof(
        &self,
        waiting: &rows::Proof,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<bool, Fault> {
        let waiting = waiting.clone();
        let claimed = self.store().write_silently("a proof begins: its end is told", move |tx| {
            let waiting = waiting.clone();
            Box::pin(async move { rows::claim(tx, &waiting, now, until).await })
        });
        claimed.await.map_err(silent)
    }

    /// Notes how far it is; whether it is still wanted.
    async fn advance_proof(
        &self,
        waiting: &rows::Proof,
        until: DateTime<Utc>,
        counts: (i64, i64),
    ) -> Result<bool, Fault> {
        let waiting = waiting.clone();
        let noted = self.store().write_silently("how far a proof is", move |tx| {
            let waiting = waiting.clone();
            Box::pin(async move { rows::advance(tx, &waiting, until, counts).await })
        });
        noted.await.map_err(silent)
    }

    /// What is shown, and of how many environments; `None`: it was cancelled.
    async fn run_proof(
        &self,
        waiting: &rows::Proof,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<Option<(Ran, (i64, i64))>, Fault> {
        let id = waiting.policy_id;
        let mut conn = self.store().read().await?;
        let (policy, text) = match (
            policies::find(&mut conn, id).await?,
            policies::version(&mut conn, id, waiting.number).await?,
        ) {
            (Some(policy), Some(version)) => (policy, version.text),
            _ => return Ok(None),
        };
        let before = self.gate().in_force_now(&mut conn).await?;
        drop(conn);
        let (revision, scope) = (before.revision, authz::scope(policy.project_id.as_deref(), id)?);
        let ended = |verdict| Ran { verdict, revision };
        let checked = match self.gate().check(scope, &text) {
            Ok(checked) => Arc::new(checked),
            Err(errors) => {
                let why = errors.first().map(ToString::to_string).unwrap_or_default();
                return Ok(Some((
                    ended(Verdict::Unproven(format!("the text cannot decide: {why}"))),
                    (0, 0),
                )));
            }
        };
        let version = Deciding { policy: id, number: waiting.number, scope, checked };
        let after = before.with(id, Some(version))?;
        let change = Change { policy: id, before: &before, after: &after };
        let schema = Arc::new(Rules::schema()?);
        let prover = &*self.settings().prover;
        let touched = change.touches(&schema);
        let comparing = Comparing {
            rules: self.gate().rules(),
            schema,
            shape: Shape::of_schema()?,
            looks_at: change.looks_at(),
            change,
            prover,
            today: now,
        };
        let environments = i64::try_from(touched.len()).unwrap_or(i64::MAX);
        let (began, mut noted) = (self.env().monotonic(), None);
        let (mut sofar, mut compared) = (Sofar::default(), 0_i64);
        for one in touched {
            let at = self.env().monotonic();
            if noted.is_none_or(|before| at.saturating_duration_since(before) >= NOTED) {
                noted = Some(at);
                if !self.advance_proof(waiting, until, (compared, environments)).await? {
                    return Ok(None);
                }
            }
            let left = ALTOGETHER.saturating_sub(at.saturating_duration_since(began));
            if left.is_zero() {
                let seconds = ALTOGETHER.as_secs();
                sofar.unclear(Unclear::Unknown(format!(
                    "{compared} of {environments} were compared in {seconds} seconds"
                )));
                break;
            }
            comparing.compare(&one, A_QUESTION.min(left), &mut sofar).await;
            compared = compared.saturating_add(1);
            if sofar.is_decided() {
                break;
            }
        }
        Ok(Some((ended(sofar.verdict()), (compared, environments))))
    }

    /// Keeps what was shown, unless nobody wants it any more.
    async fn end_proof(
        &self,
        waiting: &rows::Proof,
        until: DateTime<Utc>,
        (ran, counts): (Ran, (i64, i64)),
        (solver, took): (String, Duration),
    ) -> Result<bool, Fault> {
        let op = self.system_op(JOB);
        let (waiting, ran) = (waiting.clone(), Arc::new(ran));
        let (id, number) = (waiting.policy_id, waiting.number);
        let detail = ran.verdict.detail()?;
        let took_ms = i64::try_from(took.as_millis()).unwrap_or(i64::MAX);
        let done = self.change_unasked(&op, "a proof has ended", &[], move |tx, record| {
            let (waiting, ran) = (waiting.clone(), Arc::clone(&ran));
            let (detail, solver) = (detail.clone(), solver.clone());
            Box::pin(async move {
                if !rows::advance(tx, &waiting, until, counts).await? {
                    return Err(EndError::Cancelled);
                }
                let policy = policies::find(tx, id).await?.ok_or(EndError::Cancelled)?;
                let scope = authz::scope(policy.project_id.as_deref(), id)?;
                let verdict = ran.verdict.as_str();
                let end = rows::End {
                    verdict,
                    detail: detail.as_deref(),
                    revision: ran.revision,
                    solver: &solver,
                    took_ms,
                };
                rows::end(tx, &waiting, end, record.now()).await?;
                let event = record
                    .event("policy.prove", "policy", id)
                    .project(project(scope))
                    .fact("version", number)
                    .fact("verdict", Fact::word(verdict))
                    .fact("revision", ran.revision)
                    .fact("environments", counts.1)
                    .fact("compared", counts.0)
                    .finish()?;
                Ok(Written::new((), event))
            })
        });
        match done.await {
            Ok(()) => Ok(true),
            Err(EndError::Cancelled) => Ok(false),
            Err(EndError::Refused(Refused::Fault(fault))) => Err(fault),
            Err(EndError::Refused(other)) => Err(Fault::Unexpected(other.to_string())),
        }
    }
}
