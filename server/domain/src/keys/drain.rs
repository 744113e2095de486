//! The drain board: after a rotation, who still uses the old value, and who would break if it stopped now.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use keywarden_model::time::{earlier, from_micros};
use keywarden_model::{ApiKeyId, KeyValueId};
use keywarden_store::keys::usage;

use super::key::{self, KeyValue};
use super::meter::hour;
use crate::{Action, Domain, Op, Refused};

/// How far back callers of a value are looked for.
const LOOK_BACK: TimeDelta = TimeDelta::days(30);
/// Callers of a value that are read at most, latest first.
const MOST: i64 = 5_000;
/// An old value that a caller of a newer one left alone for so long is not between two of its own processes any more.
const LEFT_ALONE: TimeDelta = TimeDelta::days(1);

/// Who shows a value, as told by who verifies it. All empty: callers beyond the 200 that are told apart.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Caller {
    /// Its address; empty if unknown.
    pub address: String,
    /// What it calls itself; empty if unknown.
    pub agent: String,
    /// The workload that verified (or another actor's id).
    pub verifier: String,
    /// That workload's name.
    pub verifier_name: String,
}

/// How far a caller is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DrainStanding {
    /// Uses a newer value, and the old one no more: not since its first use of a newer one, or not for a day. Whoever is
    /// told apart by nothing may be many, and has not moved while one of them used the old value since the rotation.
    Moved,
    /// Used the old value before the rotation; not seen since.
    Quiet,
    /// Used the old value since the rotation, and may be one that will again.
    Still,
}

/// A caller of an old value.
#[derive(Debug, Clone)]
pub struct DrainingCaller {
    /// Who.
    pub caller: Caller,
    /// How far it is.
    pub standing: DrainStanding,
    /// Uses of the old value that are looked at.
    pub uses: u64,
    /// Its last use of the old value.
    pub last_old: DateTime<Utc>,
    /// Its last use of a newer one.
    pub last_new: Option<DateTime<Utc>>,
}

/// An old value that works on.
#[derive(Debug, Clone)]
pub struct DrainingValue {
    /// The value.
    pub value: KeyValue,
    /// Its callers of the last 30 days, those that still use it first.
    pub callers: Vec<DrainingCaller>,
    /// True if there are more than these: the latest were looked at.
    pub more: bool,
}

impl DrainingValue {
    /// Who breaks if it stops now: whoever still uses it, and who was quiet since the rotation.
    pub fn would_break(&self) -> impl Iterator<Item = &DrainingCaller> {
        self.callers.iter().filter(|it| it.standing != DrainStanding::Moved)
    }
}

/// All old values of a key that work on.
#[derive(Debug, Clone)]
pub struct DrainBoard {
    /// Newest first.
    pub draining: Vec<DrainingValue>,
    /// Callers of the current value in the last 30 days, latest first.
    pub current: Vec<(Caller, DateTime<Utc>)>,
    /// True if there are more than these.
    pub more: bool,
}

/// Who used one value.
struct Seen {
    value: KeyValueId,
    callers: Vec<usage::Caller>,
    more: bool,
}

impl Domain {
    /// Who uses which value of a key.
    pub async fn drain_board(&self, op: &Op, id: ApiKeyId) -> Result<DrainBoard, Refused> {
        let (resource, owner) = self.key_as_resource(id).await?;
        let _permit = self.authorize(op, Action::ViewKey, &resource).await?;
        let mut conn = self.store().read().await?;
        let found = key::load(&mut conn, id, op.now).await?;
        let (_, values) = found.filter(|(key, _)| key.owner == owner).ok_or(Refused::NotFound)?;
        // Each by itself: many callers of one value hide none of another.
        let reach = values.iter().rposition(is_draining).map_or(0, |last| last.saturating_add(1));
        let matter = values.iter().enumerate().filter(|(at, it)| *at < reach || it.superseded_at.is_none());
        let since = hour(earlier(op.now, LOOK_BACK));
        let most = usize::try_from(MOST).unwrap_or(usize::MAX);
        let mut seen = Vec::new();
        for value in matter.map(|(_, it)| it.id) {
            let mut callers = usage::callers(&mut conn, &[id], &[value], since, MOST + 1).await?;
            let more = callers.len() > most;
            callers.truncate(most);
            seen.push(Seen { value, callers, more });
        }
        Ok(board(&values, &seen, op.now))
    }
}

fn is_draining(value: &KeyValue) -> bool {
    value.superseded_at.is_some() && value.is_living()
}

fn board(values: &[KeyValue], seen: &[Seen], now: DateTime<Utc>) -> DrainBoard {
    let of = |value: &KeyValue| seen.iter().find(|it| it.value == value.id);
    let newest = values.iter().find(|value| value.superseded_at.is_none()).and_then(of);
    let current =
        newest.map(|it| it.callers.iter().map(|it| (caller(it), from_micros(it.last_at))).collect());
    let draining = (values.iter().filter(|it| is_draining(it)))
        .map(|value| DrainingValue {
            callers: of(value).map(|it| callers(value, it, values, seen, now)).unwrap_or_default(),
            more: of(value).is_some_and(|it| it.more),
            value: value.clone(),
        })
        .collect();
    DrainBoard { draining, current: current.unwrap_or_default(), more: newest.is_some_and(|it| it.more) }
}

fn callers(
    old: &KeyValue,
    of_old: &Seen,
    values: &[KeyValue],
    seen: &[Seen],
    now: DateTime<Utc>,
) -> Vec<DrainingCaller> {
    // They are newest first.
    let newer: Vec<KeyValueId> = values.iter().map(|it| it.id).take_while(|it| *it != old.id).collect();
    let mut of_newer: BTreeMap<Caller, Newer> = BTreeMap::new();
    for it in seen.iter().filter(|it| newer.contains(&it.value)).flat_map(|it| &it.callers) {
        let (first, last) = (from_micros(it.first_at), from_micros(it.last_at));
        let known = of_newer.entry(caller(it)).or_insert(Newer { first, last });
        *known = Newer { first: first.min(known.first), last: last.max(known.last) };
    }
    let mut callers: Vec<_> = (of_old.callers.iter())
        .map(|it| {
            let who = caller(it);
            let newer = of_newer.get(&who).copied();
            let last_old = from_micros(it.last_at);
            let since_rotation = old.superseded_at.is_none_or(|rotated| last_old >= rotated);
            let standing = if newer.is_some_and(|it| it.took_over(last_old, now))
                && !(who.is_nameless() && since_rotation)
            {
                DrainStanding::Moved
            } else if since_rotation {
                DrainStanding::Still
            } else {
                DrainStanding::Quiet
            };
            let uses = u64::try_from(it.uses).unwrap_or(0);
            DrainingCaller { caller: who, standing, uses, last_old, last_new: newer.map(|it| it.last) }
        })
        .collect();
    callers.sort_by_key(|it| (rank(it.standing), std::cmp::Reverse(it.last_old)));
    callers
}

/// A caller's uses of newer values.
#[derive(Debug, Clone, Copy)]
struct Newer {
    first: DateTime<Utc>,
    last: DateTime<Utc>,
}

impl Newer {
    /// Whether they came in the place of the old value's, whose last use is given. Several processes may stand behind one
    /// caller, and change over one by one: as long as old and new alternate, some have not.
    fn took_over(self, last_old: DateTime<Utc>, now: DateTime<Utc>) -> bool {
        last_old < self.first || (last_old < self.last && last_old <= earlier(now, LEFT_ALONE))
    }
}

impl Caller {
    /// Told apart from other callers by nothing of its own.
    fn is_nameless(&self) -> bool {
        self.address.is_empty() && self.agent.is_empty()
    }
}

fn rank(standing: DrainStanding) -> u8 {
    match standing {
        DrainStanding::Still => 0,
        DrainStanding::Quiet => 1,
        DrainStanding::Moved => 2,
    }
}

pub(super) fn caller(row: &usage::Caller) -> Caller {
    Caller {
        address: row.address.clone(),
        agent: row.agent.clone(),
        verifier: row.workload_id.clone(),
        verifier_name: row.workload_name.clone().unwrap_or_else(|| row.workload_id.clone()),
    }
}
