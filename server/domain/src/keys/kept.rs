//! Uses that could not be written: kept for the next flush, so that a database that is away for minutes costs no chart
//! an hour and no drain board a caller.
//!
//! **Invariant:** bounded. [`APART`] rows are told apart, those used last before others. What comes on top is summed per
//! value, hour and outcome, as callers beyond the two hundredth are; of these there are at most [`SUMS`] more.

use std::cmp::{Ordering, Reverse};
use std::sync::{Mutex, PoisonError};

use keywarden_store::keys::usage::Uses;

/// Rows that are told apart at most.
const APART: usize = 100_000;
/// Sums that are kept beside them at most.
const SUMS: usize = 100_000;

/// What waits for the next flush.
#[derive(Debug, Default)]
pub(super) struct Kept(Mutex<Vec<Uses>>);

impl Kept {
    /// Takes out what is kept and adds up what came since, in the order in which two nodes lock rows.
    pub(super) fn with(&self, fresh: Vec<Uses>) -> Vec<Uses> {
        let mut all = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        if all.is_empty() {
            return fresh;
        }
        all.extend(fresh);
        sum(&mut all);
        all
    }

    /// Keeps what was not written; says how many uses there was no room for.
    pub(super) fn keep(&self, unwritten: &[Uses]) -> u64 {
        if unwritten.is_empty() {
            return 0;
        }
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.extend_from_slice(unwritten);
        sum(&mut kept);
        bound(&mut kept, APART, SUMS)
    }
}

/// One row for each value, hour, caller and outcome.
fn sum(all: &mut Vec<Uses>) {
    all.sort_unstable_by(order);
    all.dedup_by(|next, sum| {
        let same = order(next, sum) == Ordering::Equal;
        if same {
            sum.uses = sum.uses.saturating_add(next.uses);
            sum.first_at = sum.first_at.min(next.first_at);
            sum.last_at = sum.last_at.max(next.last_at);
        }
        same
    });
}

/// By what makes a row one, in the order in which rows are locked.
fn order(a: &Uses, b: &Uses) -> Ordering {
    let thing = |it: &Uses| (it.key, it.value, it.hour, it.outcome);
    let by_thing = thing(a).cmp(&thing(b));
    by_thing.then_with(|| (&a.address, &a.agent, &a.workload).cmp(&(&b.address, &b.agent, &b.workload)))
}

fn bound(all: &mut Vec<Uses>, apart: usize, sums: usize) -> u64 {
    if all.len() <= apart {
        return 0;
    }
    all.sort_unstable_by_key(|it| Reverse(it.last_at));
    let mut rest = all.split_off(apart);
    for it in &mut rest {
        it.address.clear();
        it.agent.clear();
        it.workload.clear();
    }
    sum(&mut rest);
    rest.sort_unstable_by_key(|it| Reverse(it.last_at));
    let lost = rest.drain(sums.min(rest.len())..).map(|it| u64::try_from(it.uses).unwrap_or(0)).sum();
    all.append(&mut rest);
    lost
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta};
    use keywarden_model::{ApiKeyId, KeyValueId, TypedId};

    use super::*;

    fn used(value: u128, caller: &str, second: i64, uses: i64) -> Uses {
        let start = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let at = start + TimeDelta::seconds(second);
        Uses {
            value: KeyValueId::from_parts(start, value),
            key: ApiKeyId::NIL,
            hour: 500_000,
            address: String::new(),
            agent: caller.into(),
            workload: "w".into(),
            outcome: "valid",
            uses,
            first_at: at,
            last_at: at,
        }
    }

    #[test]
    fn what_was_kept_and_what_came_since_is_one_row_each() {
        let kept = Kept::default();
        assert_eq!(kept.keep(&[used(1, "shop", 5, 2), used(1, "cron", 5, 1)]), 0);
        assert_eq!(kept.keep(&[used(1, "shop", 1, 3)]), 0);
        let all = kept.with(vec![used(1, "shop", 9, 4), used(2, "shop", 9, 1)]);
        let told: Vec<_> = all.iter().map(|it| (it.agent.as_str(), it.uses)).collect();
        assert_eq!(told, [("cron", 1), ("shop", 9), ("shop", 1)]);
        assert_eq!(all[1].last_at - all[1].first_at, TimeDelta::seconds(8));
        assert!(kept.with(Vec::new()).is_empty());
    }

    #[test]
    fn beyond_the_bound_the_callers_seen_longest_ago_are_summed_and_beyond_that_counted_as_lost() {
        let mut all: Vec<_> = (0..10).map(|n| used(1, &format!("caller {n}"), n, 1)).collect();
        all.push(used(2, "alone", -1, 7));
        assert_eq!(bound(&mut all, 4, 1), 7);
        let told: Vec<_> = all.iter().map(|it| (it.agent.as_str(), it.uses)).collect();
        assert_eq!(told, [("caller 9", 1), ("caller 8", 1), ("caller 7", 1), ("caller 6", 1), ("", 6)]);
        assert_eq!(all[4].workload, "");
    }
}
