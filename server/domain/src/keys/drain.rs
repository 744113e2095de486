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
/// Callers that are read at most, latest first.
const MOST: i64 = 5_000;

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
    /// Uses a newer value, and the old one no more.
    Moved,
    /// Used the old value before the rotation; not seen since.
    Quiet,
    /// Used the old value since the rotation, and not a newer one after that.
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
}

impl Domain {
    /// Who uses which value of a key.
    pub async fn drain_board(&self, op: &Op, id: ApiKeyId) -> Result<DrainBoard, Refused> {
        let (resource, owner) = self.key_as_resource(id).await?;
        let _permit = self.authorize(op, Action::ViewKey, &resource).await?;
        let mut conn = self.store().read().await?;
        let found = key::load(&mut conn, id, op.now).await?;
        let (_, values) = found.filter(|(key, _)| key.owner == owner).ok_or(Refused::NotFound)?;
        let seen = usage::callers(&mut conn, &[id], hour(earlier(op.now, LOOK_BACK)), MOST).await?;
        Ok(board(values, &seen))
    }
}

fn board(values: Vec<KeyValue>, seen: &[usage::Caller]) -> DrainBoard {
    let newest = values.iter().find(|value| value.superseded_at.is_none()).map(|value| value.id);
    let current = (seen.iter().filter(|it| Some(it.value_id) == newest))
        .map(|it| (caller(it), from_micros(it.last_at)))
        .collect();
    let draining = (values.iter())
        .filter(|value| value.superseded_at.is_some() && value.is_living())
        .map(|value| DrainingValue { callers: callers(value, &values, seen), value: value.clone() })
        .collect();
    DrainBoard { draining, current }
}

fn callers(old: &KeyValue, values: &[KeyValue], seen: &[usage::Caller]) -> Vec<DrainingCaller> {
    let newer: Vec<KeyValueId> =
        values.iter().filter(|it| it.created_at > old.created_at).map(|it| it.id).collect();
    let mut last_new: BTreeMap<Caller, DateTime<Utc>> = BTreeMap::new();
    for it in seen.iter().filter(|it| newer.contains(&it.value_id)) {
        let at = from_micros(it.last_at);
        let last = last_new.entry(caller(it)).or_insert(at);
        *last = at.max(*last);
    }
    let mut callers: Vec<_> = (seen.iter().filter(|it| it.value_id == old.id))
        .map(|it| {
            let who = caller(it);
            let last_new = last_new.get(&who).copied();
            let last_old = from_micros(it.last_at);
            let standing = match (last_new, old.superseded_at) {
                (Some(new), _) if new > last_old => DrainStanding::Moved,
                (_, Some(rotated)) if last_old < rotated => DrainStanding::Quiet,
                _ => DrainStanding::Still,
            };
            let uses = u64::try_from(it.uses).unwrap_or(0);
            DrainingCaller { caller: who, standing, uses, last_old, last_new }
        })
        .collect();
    callers.sort_by_key(|it| (rank(it.standing), std::cmp::Reverse(it.last_old)));
    callers
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
