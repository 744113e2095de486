//! Who uses a key, as its verifiers told.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use keywarden_domain::keys::{Caller, DrainBoard};

use crate::{text::Text, ui::relative};

/// Callers that a page names before it only counts them.
const NAMED: usize = 12;

/// A caller and its last use.
pub(super) type Seen = (Caller, DateTime<Utc>);

/// `10.0.0.7 · checkout/2.1`.
pub(super) fn who(t: Text, caller: &Caller) -> String {
    let known: Vec<&str> = [&caller.address, &caller.agent]
        .into_iter()
        .map(String::as_str)
        .filter(|it| !it.is_empty())
        .collect();
    if !known.is_empty() {
        known.join(" · ")
    } else if caller.verifier.is_empty() {
        t.callers_rest().to_owned()
    } else {
        t.callers_unnamed().to_owned()
    }
}

/// Whoever used a value of the key that still works, latest first.
pub(super) fn seen(board: &DrainBoard) -> Vec<Seen> {
    let mut last: BTreeMap<&Caller, DateTime<Utc>> = BTreeMap::new();
    let old = board.draining.iter().flat_map(|it| &it.callers).map(|it| (&it.caller, it.last_old));
    for (caller, at) in board.current.iter().map(|(caller, at)| (caller, *at)).chain(old) {
        let known = last.entry(caller).or_insert(at);
        *known = at.max(*known);
    }
    let mut seen: Vec<Seen> = last.into_iter().map(|(caller, at)| (caller.clone(), at)).collect();
    seen.sort_by_key(|(_, at)| std::cmp::Reverse(*at));
    seen
}

/// How many break, and who, for a page that asks before it happens.
pub(super) fn breaks(t: Text, now: DateTime<Utc>, seen: &[Seen]) -> (String, Vec<String>) {
    if seen.is_empty() {
        return (t.callers_nobody().to_owned(), Vec::new());
    }
    let mut callers = Vec::with_capacity(seen.len().min(NAMED + 1));
    callers.extend(seen.iter().take(NAMED).map(|(caller, at)| {
        let (who, ago) = (who(t, caller), relative(t, *at, now));
        if caller.verifier_name.is_empty() {
            t.callers_last(&who, &ago)
        } else {
            t.callers_last_via(&who, &ago, &caller.verifier_name)
        }
    }));
    if let Some(more) = seen.len().checked_sub(NAMED).filter(|more| *more > 0) {
        callers.push(t.callers_more(more));
    }
    (t.callers_break(seen.len()), callers)
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    fn caller(address: &str, agent: &str) -> Caller {
        Caller {
            address: address.into(),
            agent: agent.into(),
            verifier: "wkl_1".into(),
            verifier_name: "gateway".into(),
        }
    }

    #[test]
    fn nobody_is_said_to_be_nobody_and_a_crowd_is_counted() {
        let (t, now) = (Text::default(), DateTime::UNIX_EPOCH);
        assert_eq!(breaks(t, now, &[]), (t.callers_nobody().to_owned(), Vec::new()));
        let crowd: Vec<Seen> = (0..NAMED + 2)
            .map(|n| (caller(&format!("10.0.0.{n}"), "curl/8"), now - TimeDelta::hours(3)))
            .collect();
        let (said, callers) = breaks(t, now, &crowd);
        assert_eq!(said, t.callers_break(NAMED + 2));
        assert_eq!(callers.len(), NAMED + 1);
        assert!(callers[0].contains("10.0.0.0 · curl/8") && callers[0].contains("3 h ago"), "{}", callers[0]);
        assert_eq!(callers[NAMED], t.callers_more(2));
    }

    #[test]
    fn who_is_seen_with_two_values_counts_once_with_the_later_use() {
        let early = DateTime::UNIX_EPOCH;
        let late = early + TimeDelta::hours(1);
        let board = DrainBoard {
            draining: Vec::new(),
            current: vec![(caller("a", ""), early), (caller("b", ""), early), (caller("a", ""), late)],
            more: false,
        };
        assert_eq!(seen(&board), [(caller("a", ""), late), (caller("b", ""), early)]);
    }
}
