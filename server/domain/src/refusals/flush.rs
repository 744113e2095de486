//! From memory to the audit record.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write as _;

use keywarden_model::ProjectId;
use keywarden_store::Written;

use super::Refusal;
use crate::audit::{Draft, Fact, HOUSE, Record, TEXT};
use crate::decisions::Who;
use crate::{Domain, Fault, Refused};

/// Events that tell of one caller in a project line by line; one more sums up the rest.
const EVENTS: usize = 20;

/// One caller in one project, or outside of any; or all strangers.
type Caller = (Who, Option<ProjectId>);

/// Refusals of one.
type Tallies = Vec<(Refusal, u64)>;

impl Domain {
    /// Tells in events what was refused since the last flush, all in one write; says how many refusals. A job calls it
    /// every minute and when the node stops. What cannot be written is kept for the next time.
    pub async fn flush_refusals(&self) -> Result<u64, Fault> {
        let taken = self.refusals().take();
        if taken.is_empty() {
            return Ok(0);
        }
        let total = taken.values().sum();
        let callers = by_caller(&taken);
        let subjects: Vec<_> = callers.keys().filter_map(|(who, _)| subject(*who)).collect();
        let op = self.system_op("flush-refusals");
        let wrote: Result<(), Refused> = self
            .change_unasked(&op, "refusals are told in summary", &subjects, move |_, record| {
                let callers = callers.clone();
                Box::pin(async move {
                    let mut written: Option<Written<()>> = None;
                    for (caller, refusals) in &callers {
                        for part in parts(refusals) {
                            let event = told(&record, *caller, part).finish()?;
                            written = Some(match written {
                                None => Written::new((), event),
                                Some(written) => written.and(event),
                            });
                        }
                    }
                    written.ok_or_else(|| Fault::Unexpected("no refusal to tell of".into()).into())
                })
            })
            .await;
        if let Err(error) = wrote {
            for (refusal, times) in taken {
                self.refusals().note(refusal, times);
            }
            return Err(match error {
                Refused::Fault(fault) => fault,
                other => Fault::Unexpected(other.to_string()),
            });
        }
        Ok(total)
    }
}

fn by_caller(taken: &HashMap<Refusal, u64>) -> BTreeMap<Caller, Tallies> {
    let mut callers: BTreeMap<Caller, Tallies> = BTreeMap::new();
    let mut sorted: Vec<_> = taken.iter().collect();
    sorted.sort_unstable_by(|a, b| b.1.cmp(a.1).then_with(|| a.0.cmp(b.0)));
    for (refusal, times) in sorted {
        callers.entry((refusal.who, refusal.project)).or_default().push((refusal.clone(), *times));
    }
    callers
}

/// What one event tells.
struct Part<'a> {
    refusals: Vec<&'a (Refusal, u64)>,
    lines: String,
}

/// Refusals in as many notes as hold them line by line, the most frequent first; what is beyond [`EVENTS`] is summed up by
/// verdict in a last one.
fn parts(refusals: &Tallies) -> Vec<Part<'_>> {
    let mut parts: Vec<Part<'_>> = Vec::new();
    let mut rest = Vec::new();
    for it in refusals {
        let line = line(it);
        let fits = rest.is_empty()
            && parts.last().is_some_and(|part| part.lines.len().saturating_add(line.len()) <= TEXT);
        if let Some(part) = parts.last_mut().filter(|_| fits) {
            part.refusals.push(it);
            part.lines.push_str(&line);
        } else if parts.len() < EVENTS {
            parts.push(Part { refusals: vec![it], lines: line });
        } else {
            rest.push(it);
        }
    }
    if !rest.is_empty() {
        let mut lines = String::new();
        for (verdict, times) in by_verdict(&rest) {
            let _ = writeln!(lines, "{times} elsewhere {verdict}");
        }
        parts.push(Part { refusals: rest, lines });
    }
    parts
}

fn line((refusal, times): &(Refusal, u64)) -> String {
    let address = refusal.address.map_or_else(|| "?".to_owned(), |it| it.to_string());
    let thing = refusal.thing.as_deref().map(|id| format!(" {id}")).unwrap_or_default();
    format!("{times} {address} {} {}{thing}\n", refusal.route, refusal.verdict)
}

fn by_verdict(refusals: &[&(Refusal, u64)]) -> BTreeMap<&'static str, u64> {
    let mut verdicts = BTreeMap::new();
    for (refusal, times) in refusals {
        let sum = verdicts.entry(refusal.verdict).or_insert(0_u64);
        *sum = sum.saturating_add(*times);
    }
    verdicts
}

/// The event: how many in the open, by verdict; from where and what sealed under the key of whom it tells of.
fn told(record: &Record, (who, project): Caller, Part { refusals, lines }: Part<'_>) -> Draft {
    let (kind, id) = match who {
        Who::Nobody => ("organization", "organization".to_owned()),
        Who::Operator(None) => ("operator", "shell".to_owned()),
        Who::Operator(Some(token)) => ("service-token", token.to_string()),
        Who::Person(id) => ("user", id.to_string()),
        Who::Workload(id) => ("workload", id.to_string()),
    };
    let sources: BTreeSet<_> = refusals.iter().map(|(refusal, _)| refusal.address).collect();
    let verdicts = by_verdict(&refusals).into_iter();
    let verdicts = verdicts.map(|(word, times)| Fact::list([Fact::word(word), times.into()]));
    record
        .event("refusals.count", kind, id)
        .project(project)
        .refused(if who == Who::Nobody { "strangers" } else { "not-allowed" })
        .fact("times", refusals.iter().map(|(_, times)| times).sum::<u64>())
        .fact("sources", sources.len() as u64)
        .fact("verdicts", Fact::list(verdicts))
        .personal(&subject(who).unwrap_or_else(|| HOUSE.into()), "refusals", lines)
}

fn subject(who: Who) -> Option<String> {
    match who {
        Who::Nobody | Who::Operator(_) => None,
        Who::Person(id) => Some(id.to_string()),
        Who::Workload(id) => Some(id.to_string()),
    }
}
