//! Refusals: counted in memory per source, route, thing and verdict, and told in one event a minute. A flood of them is a flood
//! of additions, not of writes.
//!
//! Strangers share an event; whoever we know gets one of their own for each project in which they were refused something,
//! with what they tried.
//!
//! **Invariant:** bounded. When too many sources knock at once, the rest are counted without their address; however many
//! strangers do, they take no room from those whom we know.

mod flush;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use keywarden_model::ProjectId;

use crate::decisions::Who;
use crate::{Action, Domain, Op, Permit, Refused, Resource, Source};

/// Distinct refusals kept between two flushes.
const AT_MOST: usize = 10_000;
/// What the refusals are called whose source was not kept.
const ELSEWHERE: &str = "elsewhere";

/// What was refused since the last flush.
#[derive(Default)]
pub(crate) struct Refusals(Mutex<Kept>);

/// How often each was.
#[derive(Default)]
struct Kept {
    known: HashMap<Refusal, u64>,
    strangers: HashMap<Refusal, u64>,
}

/// What makes a refusal distinct.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Refusal {
    who: Who,
    /// Of the thing, if it is there.
    project: Option<ProjectId>,
    address: Option<IpAddr>,
    /// A route's template or an action's name; no text of the caller's.
    route: Box<str>,
    verdict: &'static str,
    /// The id of the thing that it was about, of somebody whom we know: it is there, so there are not many.
    thing: Option<Box<str>>,
}

impl Refusal {
    /// Of whom and why, and no more.
    fn in_sum(self) -> Self {
        let Self { who, verdict, .. } = self;
        Self { who, project: None, address: None, route: ELSEWHERE.into(), verdict, thing: None }
    }
}

impl Refusals {
    fn note(&self, refusal: Refusal, times: u64) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = if refusal.who == Who::Nobody { &mut kept.strangers } else { &mut kept.known };
        let fits = kept.len() < AT_MOST || kept.contains_key(&refusal);
        let count = kept.entry(if fits { refusal } else { refusal.in_sum() }).or_default();
        *count = count.saturating_add(times);
    }

    fn take(&self) -> HashMap<Refusal, u64> {
        let Kept { mut known, strangers } =
            std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        known.extend(strangers);
        known
    }

    /// Notes a no of the gate.
    pub(crate) fn note_answer(
        &self,
        op: &Op,
        action: Action,
        resource: &Resource,
        answer: &Result<Permit, Refused>,
    ) {
        let (verdict, is_there) = match answer {
            Err(Refused::Forbidden(_)) => ("forbidden", true),
            // Its project was read with it; of people, teams and the organization's own workloads nobody knows.
            Err(Refused::NotFound) => ("not-found", resource.project().is_some() && !resource.lies_nowhere()),
            Ok(_) | Err(Refused::Fault(_) | Refused::Replayed(_) | Refused::Stale | Refused::StepUp) => {
                return;
            }
        };
        let (who, address) = (Who::of(&op.actor), op.source.address);
        let named = is_there && who != Who::Nobody && *resource != Resource::Organization;
        let thing = named.then(|| resource.name().1.into());
        let project = resource.project().filter(|_| named);
        self.note(Refusal { who, project, address, route: action.name().into(), verdict, thing }, 1);
    }
}

impl Domain {
    /// Counts a request that a door refused before anybody was known: a bad token, a foreign origin, too many at once.
    /// `route` is the route's template, never its path as asked; `verdict` is a word of the code's.
    pub fn note_refusal(&self, source: &Source, route: &str, verdict: &'static str) {
        let (who, address, route) = (Who::Nobody, source.address, route.into());
        let refusal = Refusal { who, project: None, address, route, verdict, thing: None };
        self.refusals().note(refusal, 1);
    }
}

impl fmt::Debug for Refusals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Refusals")
    }
}
