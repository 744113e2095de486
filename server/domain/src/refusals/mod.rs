//! Refusals: counted in memory per source, route, thing and verdict, and told in one event a minute. A flood of them is a flood
//! of additions, not of writes.
//!
//! Strangers share an event; whoever we know gets one of their own, with what they tried.
//!
//! **Invariant:** bounded. When too many sources knock at once, the rest are counted without their address.

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
pub(crate) struct Refusals(Mutex<HashMap<Refusal, u64>>);

/// What makes a refusal distinct.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Refusal {
    who: Who,
    address: Option<IpAddr>,
    /// A route's template or an action's name; no text of the caller's.
    route: Box<str>,
    verdict: &'static str,
    /// The id of the thing that it was about, of somebody whom we know: it is there, so there are not many.
    thing: Option<Box<str>>,
}

impl Refusals {
    fn note(&self, refusal: Refusal, times: u64) {
        let add = |count: &mut u64| *count = count.saturating_add(times);
        let mut refusals = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if refusals.len() < AT_MOST || refusals.contains_key(&refusal) {
            add(refusals.entry(refusal).or_default());
        } else {
            let rest = Refusal {
                who: Who::Nobody,
                address: None,
                route: ELSEWHERE.into(),
                verdict: refusal.verdict,
                thing: None,
            };
            add(refusals.entry(rest).or_default());
        }
    }

    fn take(&self) -> HashMap<Refusal, u64> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
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
            Err(Refused::NotFound) => ("not-found", lies_somewhere(resource)),
            Ok(_) | Err(Refused::Fault(_) | Refused::Replayed(_) | Refused::StepUp) => return,
        };
        let (who, address) = (Who::of(&op.actor), op.source.address);
        let named = is_there && who != Who::Nobody && *resource != Resource::Organization;
        let thing = named.then(|| resource.name().1.into());
        self.note(Refusal { who, address, route: action.name().into(), verdict, thing }, 1);
    }
}

/// Whether it is a thing that was found: its project was read with it. An id that somebody made up lies nowhere.
fn lies_somewhere(resource: &Resource) -> bool {
    resource.project().is_some_and(|project| project != ProjectId::NIL)
}

impl Domain {
    /// Counts a request that a door refused before anybody was known: a bad token, a foreign origin, too many at once.
    /// `route` is the route's template, never its path as asked; `verdict` is a word of the code's.
    pub fn note_refusal(&self, source: &Source, route: &str, verdict: &'static str) {
        let (who, address, route) = (Who::Nobody, source.address, route.into());
        let refusal = Refusal { who, address, route, verdict, thing: None };
        self.refusals().note(refusal, 1);
    }
}

impl fmt::Debug for Refusals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Refusals")
    }
}
