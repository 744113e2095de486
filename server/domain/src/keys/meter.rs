//! Uses in memory, until a job writes them every five seconds; and verdicts, until one event tells of them a minute.
//!
//! **Invariant:** bounded. A value has at most [`CALLERS`] callers in an hour and the rest in sum; beyond [`BUSY`]
//! values at once, uses are counted as lost instead of kept. Where more values are in use than one flush should write,
//! the rest stays here, goes on counting, and is the first to be written next time.

use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, Utc};
use keywarden_model::{ApiKeyId, KeyValueId, VerifyCode};
use keywarden_store::keys::usage::Uses;

use super::verify::Route;
use crate::decisions::Who;

/// Callers that are told apart, per value and hour.
pub(super) const CALLERS: u32 = 200;
/// Values in an hour that are kept at most between two flushes.
const BUSY: usize = 1_000_000;
/// Parts that are locked and taken out one by one.
const SHARDS: usize = 256;

/// Who used a value, and how that went.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Tally {
    address: Option<IpAddr>,
    agent: Box<str>,
    who: Option<Who>,
    outcome: VerifyCode,
    uses: u64,
    first_at: DateTime<Utc>,
    last_at: DateTime<Utc>,
}

#[derive(Debug)]
struct Busy {
    key: ApiKeyId,
    tallies: Vec<Tally>,
}

type Shard = HashMap<(KeyValueId, i64), Busy>;

/// One use, borrowed from the question.
#[derive(Debug, Clone, Copy)]
pub(super) struct Use<'a> {
    pub(super) key: ApiKeyId,
    pub(super) value: KeyValueId,
    pub(super) address: Option<IpAddr>,
    pub(super) agent: &'a str,
    pub(super) who: Who,
    pub(super) outcome: VerifyCode,
    pub(super) at: DateTime<Utc>,
}

pub(super) struct Meter {
    shards: Vec<Mutex<Shard>>,
    hasher: RandomState,
    /// The shard that has waited longest.
    next: AtomicUsize,
    busy: AtomicUsize,
    lost: AtomicU64,
}

impl Meter {
    pub(super) fn new() -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            hasher: RandomState::new(),
            next: AtomicUsize::new(0),
            busy: AtomicUsize::new(0),
            lost: AtomicU64::new(0),
        }
    }

    /// Counts one use.
    pub(super) fn record(&self, used: &Use<'_>) {
        let hour = hour(used.at);
        let at = self.hasher.hash_one(used.value).checked_rem(SHARDS as u64).unwrap_or(0);
        let at = usize::try_from(at).unwrap_or(0);
        let Some(shard) = self.shards.get(at) else { return };
        let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(busy) = shard.get_mut(&(used.value, hour)) {
            return busy.add(used);
        }
        if self.busy.load(Ordering::Relaxed) >= BUSY {
            self.lost.fetch_add(1, Ordering::Relaxed);
            return;
        }
        self.busy.fetch_add(1, Ordering::Relaxed);
        let mut busy = Busy { key: used.key, tallies: Vec::with_capacity(1) };
        busy.add(used);
        shard.insert((used.value, hour), busy);
    }

    /// What was counted since the last time, in the order in which rows lie, and how much was lost: shard after shard, those
    /// that have waited longest first, until there are `enough` rows. Two never take at once: the job's runs do not overlap.
    pub(super) fn take(&self, enough: usize) -> (Vec<Uses>, u64) {
        let mut all = Vec::new();
        let first = self.next.load(Ordering::Relaxed);
        let in_turn = self.shards.iter().enumerate().cycle().skip(first).take(SHARDS);
        for (at, shard) in in_turn {
            if all.len() >= enough {
                self.next.store(at, Ordering::Relaxed);
                break;
            }
            let taken = std::mem::take(&mut *shard.lock().unwrap_or_else(PoisonError::into_inner));
            self.busy.fetch_sub(taken.len(), Ordering::Relaxed);
            for ((value, hour), busy) in taken {
                all.extend(busy.tallies.into_iter().map(|tally| tally.into_uses(busy.key, value, hour)));
            }
        }
        // Two nodes lock rows in one order.
        all.sort_unstable_by_key(|uses| (uses.key, uses.value, uses.hour));
        (all, self.lost.swap(0, Ordering::Relaxed))
    }
}

impl Busy {
    fn add(&mut self, used: &Use<'_>) {
        if let Some(tally) = self.tallies.iter_mut().find(|tally| tally.is_of(used)) {
            return tally.add(used.at);
        }
        let of = (self.tallies.len() < CALLERS as usize).then_some(used);
        let rest = |tally: &&mut Tally| tally.who.is_none() && tally.outcome == used.outcome;
        if of.is_none()
            && let Some(tally) = self.tallies.iter_mut().find(rest)
        {
            return tally.add(used.at);
        }
        self.tallies.push(Tally {
            address: of.and_then(|of| of.address),
            agent: of.map_or_else(Box::default, |of| of.agent.into()),
            who: of.map(|of| of.who),
            outcome: used.outcome,
            uses: 1,
            first_at: used.at,
            last_at: used.at,
        });
    }
}

impl Tally {
    fn is_of(&self, used: &Use<'_>) -> bool {
        self.address == used.address
            && self.who == Some(used.who)
            && self.outcome == used.outcome
            && *self.agent == *used.agent
    }

    fn add(&mut self, at: DateTime<Utc>) {
        self.uses = self.uses.saturating_add(1);
        self.first_at = self.first_at.min(at);
        self.last_at = self.last_at.max(at);
    }

    fn into_uses(self, key: ApiKeyId, value: KeyValueId, hour: i64) -> Uses {
        Uses {
            value,
            key,
            hour,
            address: self.address.map_or_else(String::new, |address| address.to_string()),
            agent: self.agent.into(),
            workload: self.who.map_or_else(String::new, who_text),
            outcome: self.outcome.as_str(),
            uses: i64::try_from(self.uses).unwrap_or(i64::MAX),
            first_at: self.first_at,
            last_at: self.last_at,
        }
    }
}

/// As rows name who verified.
pub(super) fn who_text(who: Who) -> String {
    match who {
        Who::Nobody => "nobody".into(),
        Who::Operator(None) => "shell".into(),
        Who::Operator(Some(token)) => token.to_string(),
        Who::Person(id) => id.to_string(),
        Who::Workload(id) => id.to_string(),
    }
}

/// Whole hours since 1970.
pub(super) fn hour(at: DateTime<Utc>) -> i64 {
    at.timestamp().div_euclid(3_600)
}

impl fmt::Debug for Meter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Meter({} busy values)", self.busy.load(Ordering::Relaxed))
    }
}

/// What one caller was told on one way.
pub(super) type Told = (Who, Route, VerifyCode);

/// Verdicts by caller, route and code.
#[derive(Default)]
pub(super) struct Counts(Mutex<HashMap<Told, u64>>);

impl Counts {
    pub(super) fn add(&self, told: Told, times: u64) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(told).or_insert(0);
        *count = count.saturating_add(times);
    }

    pub(super) fn take(&self) -> HashMap<Told, u64> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl fmt::Debug for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Counts")
    }
}

#[cfg(test)]
mod tests {
    use keywarden_model::{TypedId as _, WorkloadId};

    use super::*;

    fn used(address: u32, at: DateTime<Utc>) -> Use<'static> {
        Use {
            key: ApiKeyId::NIL,
            value: KeyValueId::NIL,
            address: Some(IpAddr::V4(address.into())),
            agent: "cron",
            who: Who::Workload(WorkloadId::NIL),
            outcome: VerifyCode::Valid,
            at,
        }
    }

    #[test]
    fn the_201st_caller_and_all_after_are_summed() {
        let meter = Meter::new();
        let at = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        for caller in 0..300 {
            meter.record(&used(caller, at));
            meter.record(&used(caller, at));
        }
        let (all, lost) = meter.take(usize::MAX);
        assert_eq!((all.len(), lost), (CALLERS as usize + 1, 0));
        assert_eq!(all.iter().map(|uses| uses.uses).sum::<i64>(), 600);
        let rest: Vec<_> = all.iter().filter(|uses| uses.address.is_empty()).collect();
        assert_eq!((rest.len(), rest[0].uses, rest[0].workload.as_str()), (1, 200, ""));
        assert!(meter.take(usize::MAX).0.is_empty());
    }

    #[test]
    fn what_one_flush_leaves_is_first_in_the_next_and_goes_on_counting() {
        let meter = Meter::new();
        let at = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let one_of = |value| Use { value: KeyValueId::from_parts(at, value), ..used(1, at) };
        let all: u32 = 4 * 256;
        let mut written = HashMap::new();
        let mut flushes = 0;
        while written.len() < all as usize {
            for value in 0..all {
                meter.record(&one_of(value.into()));
            }
            flushes += 1;
            let (taken, lost) = meter.take(SHARDS);
            assert_eq!(lost, 0);
            assert!(taken.len() >= SHARDS, "a flush takes enough");
            assert!(taken.len() < 2 * SHARDS, "and hardly more: {}", taken.len());
            for uses in taken {
                *written.entry(uses.value).or_insert(0) += uses.uses;
            }
        }
        assert!(flushes <= 4, "each shard has its turn: {flushes}");
        let left: i64 = meter.take(usize::MAX).0.iter().map(|uses| uses.uses).sum();
        assert_eq!(written.values().sum::<i64>() + left, flushes * i64::from(all), "none is lost");
    }

    #[test]
    fn an_hour_ends_on_the_hour() {
        let meter = Meter::new();
        let full = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        for second in [-1, 0, 3_599, 3_600] {
            meter.record(&used(1, full + chrono::TimeDelta::seconds(second)));
        }
        let (all, _) = meter.take(usize::MAX);
        assert_eq!(all.iter().map(|uses| uses.uses).collect::<Vec<_>>(), [1, 2, 1]);
    }
}
