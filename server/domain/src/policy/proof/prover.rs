//! Whoever can show that something holds of every request: a solver outside, behind a trait.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use cedar_policy::{Entities, Policy, PolicySet, Request, RequestEnv, Schema};

/// There is no solver, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NoSolver(pub String);

/// What is to be shown of every request in one environment.
#[derive(Debug, Clone)]
pub struct Question {
    /// The vocabulary.
    pub schema: Arc<Schema>,
    /// A type of principal, an action and a type of thing.
    pub environment: RequestEnv,
    /// What.
    pub claim: Claim,
}

/// A claim about every request.
#[derive(Debug, Clone)]
pub enum Claim {
    /// What `narrow` allows, `wide` allows, too.
    Implies {
        /// The set that may be narrower.
        narrow: Box<PolicySet>,
        /// The set that may be wider.
        wide: Box<PolicySet>,
    },
    /// This policy never fails when it is asked.
    NeverFails(Box<Policy>),
}

/// A request of which a claim does not hold, with everything that was known then.
#[derive(Debug, Clone)]
pub struct Witness {
    /// The request.
    pub request: Request,
    /// The entities.
    pub entities: Entities,
}

/// What came of a claim.
#[derive(Debug, Clone)]
pub enum Shown {
    /// It does not hold of this request.
    Fails(Box<Witness>),
    /// It holds of every request.
    Holds,
    /// The solver is not there, was not done in time, or answered nothing that is an answer: why, in words.
    NotRun(String),
    /// Nobody knows: why, in words.
    Unknown(String),
}

/// Shows claims, or finds requests of which they do not hold. Nothing that it answers is taken on trust but that a claim holds.
#[async_trait]
pub trait Prover: fmt::Debug + Send + Sync {
    /// Looks whether there is a solver, at most once a minute; what it calls itself: `cvc5 1.0.3`.
    async fn look(&self) -> Result<String, NoSolver>;

    /// What [`Prover::look`] found last.
    fn last(&self) -> Result<String, NoSolver>;

    /// Whether a claim holds. It takes no longer than `limit`, or a little more, and leaves nothing running.
    async fn show(&self, question: Question, limit: Duration) -> Shown;
}

/// Nobody.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoProver;

#[async_trait]
impl Prover for NoProver {
    async fn look(&self) -> Result<String, NoSolver> {
        self.last()
    }

    fn last(&self) -> Result<String, NoSolver> {
        Err(NoSolver("no solver is set up here".to_owned()))
    }

    async fn show(&self, _question: Question, _limit: Duration) -> Shown {
        Shown::NotRun("no solver is set up here".to_owned())
    }
}
