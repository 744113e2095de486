//! From memory to the audit record.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write as _;

use keywarden_store::Written;

use super::Refusal;
use crate::audit::{Draft, Fact, HOUSE, Record};
use crate::decisions::Who;
use crate::{Domain, Fault, Refused};

/// Callers who get an event of their own; the others are told of with the strangers.
const CALLERS: usize = 100;

/// Refusals of one caller, or of all strangers.
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
        let subjects: Vec<_> = callers.keys().filter_map(|who| subject(*who)).collect();
        let op = self.system_op("flush-refusals");
        let wrote: Result<(), Refused> = self
            .change_unasked(&op, "refusals are told in summary", &subjects, move |_, record| {
                let callers = callers.clone();
                Box::pin(async move {
                    let mut written: Option<Written<()>> = None;
                    for (who, refusals) in &callers {
                        let event = told(&record, *who, refusals).finish()?;
                        written = Some(match written {
                            None => Written::new((), event),
                            Some(written) => written.and(event),
                        });
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

fn by_caller(taken: &HashMap<Refusal, u64>) -> BTreeMap<Who, Tallies> {
    let mut callers: BTreeMap<Who, Tallies> = BTreeMap::new();
    let mut sorted: Vec<_> = taken.iter().collect();
    sorted.sort_unstable_by(|a, b| b.1.cmp(a.1).then_with(|| a.0.cmp(b.0)));
    for (refusal, times) in sorted {
        let room = callers.len() < CALLERS || callers.contains_key(&refusal.who);
        let who = if room { refusal.who } else { Who::Nobody };
        callers.entry(who).or_default().push((refusal.clone(), *times));
    }
    callers
}

/// The event: how many in the open, by verdict; from where and what sealed under the key of whom it tells of. The most
/// frequent come first, for the text is cut at its end.
fn told(record: &Record, who: Who, refusals: &Tallies) -> Draft {
    let (kind, id) = match who {
        Who::Nobody => ("organization", "organization".to_owned()),
        Who::Operator(None) => ("operator", "shell".to_owned()),
        Who::Operator(Some(token)) => ("service-token", token.to_string()),
        Who::Person(id) => ("user", id.to_string()),
        Who::Workload(id) => ("workload", id.to_string()),
    };
    let (mut verdicts, mut sources, mut lines) = (BTreeMap::new(), BTreeSet::new(), String::new());
    for (refusal, times) in refusals {
        *verdicts.entry(refusal.verdict).or_insert(0_u64) += times;
        sources.insert(refusal.address);
        let address = refusal.address.map_or_else(|| "?".to_owned(), |it| it.to_string());
        let _ = writeln!(lines, "{times} {address} {} {}", refusal.route, refusal.verdict);
    }
    let verdicts = verdicts.into_iter().map(|(word, times)| Fact::list([Fact::word(word), times.into()]));
    record
        .event("refusals.count", kind, id)
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
