//! What this node remembers of keys, so that verifying one needs no database: a few hundred bytes for each value that was
//! asked about or, until there is no more room, could be ([`Domain::warm_keys`](crate::Domain::warm_keys)).
//!
//! **Invariants:** an entry answers only while the change counter is fresh (the one staleness rule), and goes when the
//! counter says that its key changed. Nothing is remembered of values that are not there. Bounded throughout.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use keywarden_model::time::from_micros;
use keywarden_model::{
    AllowedCidrs, ApiKeyId, KeyValueId, KeyringKeyId, Metadata, ProjectId, RateLimit, Scopes, Tags,
    WorkloadId,
};
use keywarden_store::Conn;
use keywarden_store::keys::{self as rows, Proven};
use keywarden_vault::token::PublicId;
use quick_cache::sync::Cache;

use super::judge::{KeyLife, ValueLife};
use super::kept::Kept;
use super::key;
use super::limiter::Limiter;
use super::meter::{Counts, Meter};
use crate::Fault;
use crate::authz::{Owner, Reach};

/// Values that are remembered at most.
pub(super) const VALUES: usize = 1_000_000;
/// Distinct slugs, and sets of scopes, tags, ranges and metadata, that keys share.
const SHARED: usize = 50_000;
/// Callers whose reach is remembered.
const VERIFIERS: usize = 10_000;
/// Tags that wait to be made again under the newest keyring key.
const MOVES: usize = 10_000;

/// What a verdict tells of a key.
#[derive(Debug)]
pub struct KeyFacts {
    /// The key.
    pub id: ApiKeyId,
    /// Its project.
    pub project: ProjectId,
    /// The project's slug.
    pub project_slug: Arc<str>,
    /// The environment's slug.
    pub environment_slug: Arc<str>,
    /// What people call it.
    pub name: Box<str>,
    /// Whose it is.
    pub owner: Owner,
    /// What it may be used for.
    pub scopes: Arc<Scopes>,
    /// For finding it.
    pub tags: Arc<Tags>,
    /// What its owner attached.
    pub metadata: Arc<Metadata>,
    pub(super) allowed_cidrs: Arc<AllowedCidrs>,
    pub(super) rate_limit: Option<RateLimit>,
    pub(super) life: KeyLife,
}

/// A value with its key.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) key: KeyFacts,
    pub(super) value: KeyValueId,
    pub(super) imported: bool,
    pub(super) superseded: bool,
    pub(super) life: ValueLife,
    pub(super) mac_key: KeyringKeyId,
    pub(super) mac: [u8; 32],
}

/// A tag that was found to fit under an old keyring key, and its successor.
#[derive(Debug, Clone, Copy)]
pub(super) struct MacMove {
    pub(super) value: KeyValueId,
    pub(super) from: KeyringKeyId,
    pub(super) to: KeyringKeyId,
    pub(super) mac: [u8; 32],
    pub(super) public_id: PublicId,
}

/// All of it.
pub(crate) struct Memory {
    values: Cache<PublicId, Arc<Known>>,
    /// Counts forgettings, so that what was read before one is not remembered after it. Who remembers holds it.
    epoch: Mutex<u64>,
    /// Whether everything was forgotten, or nothing remembered yet.
    cold: AtomicBool,
    slugs: Cache<Box<str>, Arc<str>>,
    scopes: Cache<Box<str>, Arc<Scopes>>,
    tags: Cache<Box<str>, Arc<Tags>>,
    ranges: Cache<Box<str>, Arc<AllowedCidrs>>,
    metadata: Cache<Box<str>, Arc<Metadata>>,
    verifiers: Cache<WorkloadId, (i64, Arc<Reach>)>,
    moves: Mutex<Vec<MacMove>>,
    pub(super) counts: Counts,
    pub(super) kept: Kept,
    pub(super) limiter: Limiter,
    pub(super) meter: Meter,
    pub(crate) store_failed_at: Mutex<Option<Instant>>,
    /// When this node was last seen to have every key under which values are hashed.
    pub(super) all_keys_at: Mutex<Option<Instant>>,
}

impl Memory {
    pub(crate) fn new() -> Self {
        Self {
            values: Cache::new(VALUES),
            epoch: Mutex::default(),
            cold: AtomicBool::new(true),
            slugs: Cache::new(SHARED),
            scopes: Cache::new(SHARED),
            tags: Cache::new(SHARED),
            ranges: Cache::new(SHARED),
            metadata: Cache::new(SHARED),
            verifiers: Cache::new(VERIFIERS),
            moves: Mutex::default(),
            counts: Counts::default(),
            kept: Kept::default(),
            limiter: Limiter::new(),
            meter: Meter::new(),
            store_failed_at: Mutex::default(),
            all_keys_at: Mutex::default(),
        }
    }

    /// Call before looking up what to forget: from here on nothing that is being read now will be remembered.
    pub(crate) fn begin_forgetting(&self) {
        let mut epoch = self.epoch.lock().unwrap_or_else(PoisonError::into_inner);
        *epoch = epoch.wrapping_add(1);
    }

    /// Forgets values by their public ids.
    pub(crate) fn forget(&self, public_ids: &[String]) {
        for id in public_ids.iter().filter_map(|id| id.parse().ok()) {
            self.values.remove::<PublicId>(&id);
        }
    }

    /// Forgets all values.
    pub(crate) fn forget_everything(&self) {
        self.begin_forgetting();
        self.values.clear();
        self.cold.store(true, Ordering::SeqCst);
        self.forget_verifiers();
    }

    /// Whether everything was forgotten since this was asked last.
    pub(super) fn was_cold(&self) -> bool {
        self.cold.swap(false, Ordering::SeqCst)
    }

    pub(super) fn stay_cold(&self) {
        self.cold.store(true, Ordering::SeqCst);
    }

    /// How many values are remembered.
    pub(crate) fn remembered(&self) -> usize {
        self.values.len()
    }

    /// Forgets who may verify where.
    pub(crate) fn forget_verifiers(&self) {
        self.verifiers.clear();
    }

    pub(super) fn value(&self, id: PublicId) -> Option<Arc<Known>> {
        self.values.get(&id)
    }

    /// Reads the value that one of these tags proves, with its key, and remembers them unless something is forgotten
    /// meanwhile.
    pub(super) async fn load(
        &self,
        conn: &mut Conn,
        id: PublicId,
        macs: &[[u8; 32]],
    ) -> Result<Option<Arc<Known>>, Fault> {
        let epoch = self.epoch();
        let found = rows::proven(conn, macs).await?;
        let Some(found) = found.filter(|value| value.public_id == id.as_str()) else { return Ok(None) };
        let known = Arc::new(self.known(found)?);
        self.remember(epoch, [(id, Arc::clone(&known))]);
        Ok(Some(known))
    }

    /// Asked before reading what is to be remembered.
    pub(super) fn epoch(&self) -> u64 {
        *self.epoch.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers what was read since the epoch was asked for, unless something was forgotten since; false if so.
    pub(super) fn remember(
        &self,
        epoch: u64,
        read: impl IntoIterator<Item = (PublicId, Arc<Known>)>,
    ) -> bool {
        // Whoever forgets moves the epoch first and removes afterwards: nothing older comes in between.
        let now = self.epoch.lock().unwrap_or_else(PoisonError::into_inner);
        let stands = *now == epoch;
        if stands {
            for (id, known) in read {
                self.values.insert(id, known);
            }
        }
        stands
    }

    pub(super) fn known(&self, read: Proven) -> Result<Known, Fault> {
        let mac = read.mac.as_slice().try_into().unwrap_or([0; 32]); // a destroyed value has no tag, and fits nothing
        Ok(Known {
            value: read.value_id,
            imported: read.value_imported,
            superseded: read.superseded_at.is_some(),
            life: key::value_life(
                read.stops_at,
                read.value_revoked_at,
                read.value_revoke_reason.as_deref(),
                read.destroyed_at,
            )?,
            mac_key: read.mac_key_id,
            mac,
            key: KeyFacts {
                id: read.key_id,
                project: read.project_id,
                life: key_life(&read)?,
                owner: key::owner(&read.owner_id)?,
                scopes: shared(&self.scopes, &read.scopes, key::json)?,
                tags: shared(&self.tags, &read.tags, key::json)?,
                metadata: shared(&self.metadata, &read.metadata, key::json)?,
                allowed_cidrs: shared(&self.ranges, &read.allowed_cidrs, key::json)?,
                rate_limit: key::rate_limit(read.rate_limit, read.rate_window)?,
                project_slug: self.slug(&read.project_slug),
                environment_slug: self.slug(&read.environment_slug),
                name: read.name.into(),
            },
        })
    }

    fn slug(&self, text: &str) -> Arc<str> {
        if let Some(slug) = self.slugs.get(text) {
            return slug;
        }
        let slug: Arc<str> = text.into();
        self.slugs.insert(text.into(), Arc::clone(&slug));
        slug
    }

    /// Where the workload may verify, if that was asked when who may do what was as it is.
    pub(super) fn reach(&self, workload: WorkloadId, authority: i64) -> Option<Arc<Reach>> {
        self.verifiers.get(&workload).filter(|(asked, _)| *asked >= authority).map(|(_, reach)| reach)
    }

    pub(super) fn remember_reach(&self, workload: WorkloadId, counter: i64, reach: &Arc<Reach>) {
        self.verifiers.insert(workload, (counter, Arc::clone(reach)));
    }

    pub(super) fn want_move(&self, wanted: MacMove) {
        let mut moves = self.moves.lock().unwrap_or_else(PoisonError::into_inner);
        if moves.len() < MOVES && !moves.iter().rev().take(64).any(|it| it.value == wanted.value) {
            moves.push(wanted);
        }
    }

    pub(super) fn take_moves(&self) -> Vec<MacMove> {
        std::mem::take(&mut *self.moves.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn key_life(read: &Proven) -> Result<KeyLife, Fault> {
    Ok(KeyLife {
        not_before: read.not_before.map(from_micros),
        expires_at: read.expires_at.map(from_micros),
        suspended: read.suspended_at.is_some(),
        revoked: key::revoked(read.revoked_at, read.revoke_reason.as_deref())?.map(|(_, reason)| reason),
    })
}

/// One copy of what many keys have alike.
fn shared<T>(
    known: &Cache<Box<str>, Arc<T>>,
    text: &str,
    parse: impl FnOnce(&str) -> Result<T, Fault>,
) -> Result<Arc<T>, Fault> {
    if let Some(it) = known.get(text) {
        return Ok(it);
    }
    let it = Arc::new(parse(text)?);
    known.insert(text.into(), Arc::clone(&it));
    Ok(it)
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Memory({} values)", self.values.len())
    }
}
