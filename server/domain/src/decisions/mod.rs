//! The distinct decisions of the last 30 days: who asked what about which thing, with what else policies looked at. A
//! changed policy can be asked the same questions before it counts.
//!
//! Noted in memory, for it happens with every request, and written once a minute. Verifications are not decisions of
//! people and would be too many, and so is what lists leave out; things that the caller may not know of are refusals, see [`crate::refusals`].
//!
//! **Invariant:** bounded. A flood of distinct questions loses questions, never memory; how many is logged.

mod address;
mod flush;
mod refusal;
mod show;

pub use refusal::{Answer, LastRefusal};
pub use show::{Question as Explained, Refusal};

pub(crate) use address::opened;

use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use keywarden_model::time::micros;
use keywarden_model::{ServiceTokenId, UserId, WorkloadId};

use crate::authz::{Circumstances, SignInMethod};
use crate::{Action, Actor, Op, Permit, Refused, Resource};

/// Distinct decisions kept between two flushes.
const AT_MOST: usize = 10_000;

/// What is noted since the last flush.
#[derive(Default)]
pub(crate) struct Decisions(Mutex<Noted>);

#[derive(Default)]
struct Noted {
    tallies: HashMap<Question, Tally>,
    lost: u64,
}

/// What makes a decision distinct.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Question {
    who: Who,
    action: Action,
    resource: Resource,
    recovering: bool,
}

/// Who asked, as small as it can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Who {
    /// Nobody whom we know.
    Nobody,
    /// The operator's shell, or a token made there.
    Operator(Option<ServiceTokenId>),
    /// A person.
    Person(UserId),
    /// A machine identity.
    Workload(WorkloadId),
}

impl Who {
    pub(crate) fn of(actor: &Actor) -> Self {
        match actor {
            Actor::Link(_) | Actor::Nobody | Actor::Share(_) | Actor::System(_) => Self::Nobody,
            Actor::Operator { token, .. } => Self::Operator(*token),
            Actor::Person(person) => Self::Person(person.id),
            Actor::Workload { id, .. } => Self::Workload(*id),
        }
    }
}

/// How it was answered, how often, when.
#[derive(Debug, Clone)]
struct Tally {
    allowed: bool,
    policies: Vec<String>,
    times: i64,
    first_at: i64,
    last_at: i64,
    moment: Moment,
}

/// How the latest was asked.
#[derive(Debug, Clone, Copy)]
struct Moment {
    method: SignInMethod,
    passkey_age: Option<i64>,
    address: Option<IpAddr>,
}

impl Moment {
    fn of(op: &Op) -> Self {
        let Circumstances { address, passkey_age, method, .. } = Circumstances::of(op);
        Self { method, passkey_age, address }
    }
}

impl Decisions {
    /// Notes an answer of the gate.
    pub(crate) fn note(
        &self,
        op: &Op,
        action: Action,
        resource: &Resource,
        answer: &Result<Permit, Refused>,
    ) {
        let permit = match answer {
            Ok(permit) => Some(permit),
            Err(Refused::Forbidden(_)) => None,
            // A fault decides nothing, a missing passkey is no matter of policy, the unknown is a refusal.
            Err(
                Refused::Fault(_)
                | Refused::NotFound
                | Refused::Replayed(_)
                | Refused::Stale
                | Refused::StepUp,
            ) => return,
        };
        let who = Who::of(&op.actor);
        if action == Action::VerifyKeys || who == Who::Nobody {
            return;
        }
        let recovering = op.actor.person().is_some_and(|person| person.recovering);
        let question = Question { who, action, resource: *resource, recovering };
        let at = micros(op.now);
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(tally) = noted.tallies.get_mut(&question) {
            tally.times = tally.times.saturating_add(1);
            if at >= tally.last_at {
                (tally.last_at, tally.moment) = (at, Moment::of(op));
            }
            if tally.allowed != permit.is_some() {
                tally.allowed = permit.is_some();
                tally.policies = policies(permit);
            }
        } else if noted.tallies.len() < AT_MOST {
            let tally = Tally {
                allowed: permit.is_some(),
                policies: policies(permit),
                times: 1,
                first_at: at,
                last_at: at,
                moment: Moment::of(op),
            };
            noted.tallies.insert(question, tally);
        } else {
            noted.lost = noted.lost.saturating_add(1);
        }
    }

    fn take(&self) -> Noted {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes back what could not be written, as far as there is room. What was decided since stands as the latest.
    fn put_back(&self, unwritten: impl IntoIterator<Item = (Question, Tally)>) {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (question, older) in unwritten {
            if let Some(tally) = noted.tallies.get_mut(&question) {
                tally.times = tally.times.saturating_add(older.times);
                tally.first_at = tally.first_at.min(older.first_at);
                if older.last_at > tally.last_at {
                    (tally.last_at, tally.moment) = (older.last_at, older.moment);
                }
            } else if noted.tallies.len() < AT_MOST {
                noted.tallies.insert(question, older);
            } else {
                noted.lost = noted.lost.saturating_add(1);
            }
        }
    }
}

fn policies(permit: Option<&Permit>) -> Vec<String> {
    permit.map(|permit| permit.policies().to_vec()).unwrap_or_default()
}

impl fmt::Debug for Decisions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Decisions")
    }
}
