//! What a solver shows of a version before it decides: that it grants nothing new, that nothing changes at all, or a request
//! that would be answered otherwise.
//!
//! For each request environment that the policy can touch (a type of principal, an action, a type of thing) the set that decides
//! now is compared with the set that would decide with the version in it: the built-in policies with their guards, and what
//! people wrote, each narrowed to where it is asked. What is shown holds of every request that can be put, whoever holds what. What
//! it does not know: which environment lies in which project, and what a policy's tests cover.
//!
//! # How it is run
//! Whoever submits a version, or asks for it, leaves a row; a job takes one at a time, on one node, outside every request, and asks
//! a [`Prover`]. A request that it finds is decided by both sets before anybody sees it; one that decisions answer alike is
//! none. A version that is withdrawn meanwhile is left alone. Without a solver the row waits, and the page says so.
//!
//! **Invariants:** a verdict names the revision of what was in force; after another one decides it is stale, and said to be. An
//! answer that is unclear shows nothing. Whatever becomes of the solver, a proof ends, and says that it was not run.

mod ask;
mod compare;
mod example;
mod moments;
mod prover;
mod run;
#[cfg(test)]
mod tests;

use std::time::Duration;

use chrono::{DateTime, Utc};
use keywarden_model::time::from_micros;
use keywarden_store::proofs as rows;

use crate::Fault;

pub use example::{CounterExample, ExampleFact};
pub use prover::{Claim, NoProver, NoSolver, Prover, Question, Shown, Witness};

/// What is known of a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// When somebody asked.
    pub asked_at: DateTime<Utc>,
    /// By whom: an actor's id.
    pub asked_by: String,
    /// How many request environments the policy can touch; 0 until a node has looked.
    pub environments: i64,
    /// How many of them are compared.
    pub compared: i64,
    /// How far it is.
    pub state: ProofState,
}

/// How far a proof is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProofState {
    /// It ended.
    Done(ProofEnd),
    /// A node is at it.
    Running,
    /// No node has begun.
    Waiting,
}

/// How a proof ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProofEnd {
    /// What was shown.
    pub verdict: Verdict,
    /// The revision of what was in force.
    pub revision: i64,
    /// Whether something else is in force by now.
    pub is_stale: bool,
    /// The solver with its version.
    pub solver: String,
    /// When.
    pub at: DateTime<Utc>,
    /// How long it took.
    pub took: Duration,
}

/// What was shown of a version against what was in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Every request is answered as before.
    Equivalent,
    /// This request would be allowed and is not.
    Grants(Box<CounterExample>),
    /// No request is allowed that is not now. Whether all others still are is not known: why.
    GrantsNothing(String),
    /// No request is allowed that is not now, and this one would no longer be.
    Narrows(Box<CounterExample>),
    /// The solver did not do its part, so that nothing is known: why.
    NotRun(String),
    /// It is not known whether it grants something: why.
    Unproven(String),
}

impl ProofState {
    /// The stable word.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Done(_) => "done",
            Self::Running => "running",
            Self::Waiting => "waiting",
        }
    }
}

impl Verdict {
    /// The stable word.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Equivalent => "equivalent",
            Self::Grants(_) => "grants",
            Self::GrantsNothing(_) => "grants-nothing",
            Self::Narrows(_) => "narrows",
            Self::NotRun(_) => "not-run",
            Self::Unproven(_) => "unproven",
        }
    }

    /// The request that is answered otherwise.
    pub fn counter_example(&self) -> Option<&CounterExample> {
        match self {
            Self::Grants(example) | Self::Narrows(example) => Some(example),
            Self::Equivalent | Self::GrantsNothing(_) | Self::NotRun(_) | Self::Unproven(_) => None,
        }
    }

    /// Why something is not known.
    pub fn why(&self) -> Option<&str> {
        match self {
            Self::GrantsNothing(why) | Self::NotRun(why) | Self::Unproven(why) => Some(why),
            Self::Equivalent | Self::Grants(_) | Self::Narrows(_) => None,
        }
    }

    /// As it is stored.
    fn detail(&self) -> Result<Option<String>, Fault> {
        let unwritable = |cause: serde_json::Error| Fault::Unexpected(format!("a counter-example: {cause}"));
        match self.counter_example() {
            Some(example) => serde_json::to_string(example).map(Some).map_err(unwritable),
            None => Ok(self.why().map(ToOwned::to_owned)),
        }
    }

    fn read(word: &str, detail: Option<&str>) -> Option<Self> {
        let example = || serde_json::from_str(detail?).ok().map(Box::new);
        let why = || detail.map(ToOwned::to_owned);
        match word {
            "equivalent" => Some(Self::Equivalent),
            "grants" => example().map(Self::Grants),
            "grants-nothing" => why().map(Self::GrantsNothing),
            "narrows" => example().map(Self::Narrows),
            "not-run" => why().map(Self::NotRun),
            "unproven" => why().map(Self::Unproven),
            _ => None,
        }
    }
}

impl Proof {
    /// From its row; `revision` is that of what is in force.
    pub(super) fn read(row: &rows::Proof, revision: i64) -> Result<Self, Fault> {
        let damaged =
            |what: &str| Fault::Damaged(format!("policy_proofs {}@{}: {what}", row.policy_id, row.number));
        let state = match row.state.as_str() {
            "done" => {
                let verdict = row.verdict.as_deref().and_then(|it| Verdict::read(it, row.detail.as_deref()));
                let against = row.revision.ok_or_else(|| damaged("revision"))?;
                ProofState::Done(ProofEnd {
                    verdict: verdict.ok_or_else(|| damaged("verdict"))?,
                    revision: against,
                    is_stale: against != revision,
                    solver: row.solver.clone().unwrap_or_default(),
                    at: from_micros(row.ended_at.ok_or_else(|| damaged("ended_at"))?),
                    took: Duration::from_millis(
                        row.took_ms.and_then(|it| it.try_into().ok()).unwrap_or_default(),
                    ),
                })
            }
            "running" => ProofState::Running,
            "waiting" => ProofState::Waiting,
            _ => return Err(damaged("state")),
        };
        Ok(Self {
            asked_at: from_micros(row.asked_at),
            asked_by: row.asked_by.clone(),
            environments: row.environments,
            compared: row.compared,
            state,
        })
    }
}
