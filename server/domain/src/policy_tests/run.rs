//! Asking what was saved, or what a file asks, again: under what decides, with drafts, or with texts that are not even kept.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use keywarden_model::{PolicyId, TypedId};
use keywarden_store::{Conn, names, policies, policy_tests as rows};

use super::PolicyTest;
use crate::authz::{Deciding, InForce, PolicyScope, Target, TextError, Who, load};
use crate::permissions::{Case, Thing, Under};
use crate::policy::{project, resource};
use crate::refused::carries_refused;
use crate::roles::Holder;
use crate::{Action, Domain, Fault, Op, Refused};

/// Cases that are asked at once.
pub const MOST_CASES: usize = 200;
/// Policies' texts that are asked with them.
pub const MOST_TEXTS: usize = 200;

/// What came of a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The policies say yes.
    Allowed,
    /// There is no such person, workload or thing (any more), or the action is not done to it.
    Gone,
    /// The policies say no.
    Refused,
}

/// A test that was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ran {
    /// The test.
    pub test: PolicyTest,
    /// What came of it.
    pub outcome: Outcome,
}

/// A test that would fail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failing {
    pub(crate) scope: PolicyScope,
    pub(crate) name: String,
}

/// A policy as a file has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyText {
    /// What it is called. It takes the place of the policy of this name.
    pub name: String,
    /// The Cedar text: one statement.
    pub text: String,
}

/// Why nothing was asked.
#[derive(Debug, thiserror::Error)]
pub enum RunTestsError {
    /// As everywhere.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// One of the texts is no policy that could decide here: which, from 0, and what is wrong.
    #[error("policy {} cannot decide: {}", .0.saturating_add(1), .1.first().map(ToString::to_string).unwrap_or_default())]
    Text(usize, Vec<TextError>),
    /// A text names the policy of a text before it: which, from 0.
    #[error("policy {} is called as one before it", .0.saturating_add(1))]
    Twice(usize),
    /// More than is asked at once.
    #[error("at most two hundred cases and two hundred policies are asked at once")]
    TooMany,
}
carries_refused!(RunTestsError);

impl Outcome {
    /// The stable word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Gone => "gone",
            Self::Refused => "refused",
        }
    }

    /// Whether that is the answer that was expected.
    pub fn is_as_expected(self, allowed: bool) -> bool {
        self == if allowed { Self::Allowed } else { Self::Refused }
    }
}

impl Ran {
    /// Whether it came out as expected.
    pub fn passes(&self) -> bool {
        self.outcome.is_as_expected(self.test.allowed)
    }
}

impl Domain {
    /// Asks the saved tests of a scope.
    pub async fn run_policy_tests(
        &self,
        op: &Op,
        scope: PolicyScope,
        under: Under,
    ) -> Result<Vec<Ran>, Refused> {
        let tests = self.policy_tests(op, scope).await?;
        let in_force = self.supposed(op, under).await?;
        let mut conn = self.store().read().await?;
        let mut ran = Vec::with_capacity(tests.len());
        for test in tests {
            let outcome = self.outcome(&mut conn, &test.case, &in_force, op.now).await?;
            ran.push(Ran { test, outcome });
        }
        Ok(ran)
    }

    /// Asks cases under what decides, with these texts in the place of the scope's policies of the same names. Nothing is kept.
    /// What the caller may not see is gone.
    pub async fn run_policy_cases(
        &self,
        op: &Op,
        scope: PolicyScope,
        texts: &[PolicyText],
        cases: &[Case],
    ) -> Result<Vec<Outcome>, RunTestsError> {
        let _permit = self.authorize(op, Action::ViewPolicy, &resource(scope)).await?;
        let sight = self.explains(op).await?;
        if cases.len() > MOST_CASES || texts.len() > MOST_TEXTS {
            return Err(RunTestsError::TooMany);
        }
        let in_force = self.with_texts(op, scope, texts).await?;
        let mut outcomes = Vec::with_capacity(cases.len());
        for case in cases {
            outcomes.push(match self.ask_case(op, &sight, case, &in_force).await {
                Ok(simulated) if simulated.allowed => Outcome::Allowed,
                Ok(_) => Outcome::Refused,
                Err(Refused::NotFound) => Outcome::Gone,
                Err(refused) => return Err(refused.into()),
            });
        }
        Ok(outcomes)
    }

    async fn with_texts(
        &self,
        op: &Op,
        scope: PolicyScope,
        texts: &[PolicyText],
    ) -> Result<InForce, RunTestsError> {
        let in_force = self.supposed(op, Under::InForce).await?;
        let mut changed = Vec::with_capacity(texts.len());
        for (at, PolicyText { name, text }) in texts.iter().enumerate() {
            let checked = self.gate().check(scope, text).map_err(|errors| RunTestsError::Text(at, errors))?;
            let word = project(scope).map_or_else(|| policies::ORGANIZATION.to_owned(), |it| it.to_string());
            let known = policies::named(&mut self.store().read().await?, &word, name).await?;
            // What there is no policy of gets an id for as long as it is asked.
            let policy = known.unwrap_or_else(|| PolicyId::from_parts(op.now, at as u128));
            if changed.iter().any(|it: &Deciding| it.policy == policy) {
                return Err(RunTestsError::Twice(at));
            }
            changed.push(Deciding { policy, number: 0, scope, checked: Arc::new(checked) });
        }
        Ok(in_force.with_all(changed)?)
    }

    /// The tests that what is to decide would fail: any of its own scope, and those of others that pass as it is. Inside a write
    /// it holds for that write.
    pub(crate) async fn failing_tests(
        &self,
        conn: &mut Conn,
        scope: PolicyScope,
        (before, after): (&InForce, &InForce),
        at: DateTime<Utc>,
    ) -> Result<Vec<Failing>, Fault> {
        let mut failing = Vec::new();
        for row in rows::all(conn).await? {
            let test = PolicyTest::try_from(row)?;
            let own = test.scope == scope;
            // A project's policy says nothing about another project.
            let touched =
                own || scope == PolicyScope::Organization || test.scope == PolicyScope::Organization;
            if !touched || self.outcome(conn, &test.case, after, at).await?.is_as_expected(test.allowed) {
                continue;
            }
            if own || self.outcome(conn, &test.case, before, at).await?.is_as_expected(test.allowed) {
                failing.push(Failing { scope: test.scope, name: test.name });
            }
        }
        Ok(failing)
    }

    async fn outcome(
        &self,
        conn: &mut Conn,
        case: &Case,
        in_force: &InForce,
        now: DateTime<Utc>,
    ) -> Result<Outcome, Fault> {
        let Case { holder, action, thing, setting } = case;
        let id = holder.to_string();
        let who = match *holder {
            Holder::Person(id) => Who::Person(id),
            Holder::Team(_) => return Ok(Outcome::Gone),
            Holder::Workload(id) => Who::Workload(id),
        };
        let there = Thing::find(conn, thing).await?.filter(|it| action.applies_to(&it.resource));
        let known = names::of(conn, [id.as_str()]).await?;
        let Some(there) = there.filter(|_| known.contains_key(&id)) else { return Ok(Outcome::Gone) };
        let circumstances = setting.circumstances(&who, now);
        let principal = load(who, &id, None, conn).await?;
        let target = Target::as_asked(conn, in_force, *action, there.resource).await?;
        let yes = self.gate().would_under(in_force, &principal, (*action, &target), &circumstances);
        Ok(if yes { Outcome::Allowed } else { Outcome::Refused })
    }
}
