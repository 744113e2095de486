//! What this node remembers of keys, so that verifying one needs no database.
//!
//! **Invariants:** an entry answers only while the change counter is fresh (the one staleness rule), and goes when the
//! counter says that its key changed. Nothing is remembered of values that are not there. Bounded throughout.

use std::fmt;
use std::hash::Hash;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use keywarden_model::{
    AllowedCidrs, ApiKeyId, KeyValueId, KeyringKeyId, Metadata, ProjectId, RateLimit, Scopes, Tags,
    WorkloadId,
};
use keywarden_store::Conn;
use keywarden_store::keys::{self as rows, KeyRow, ValueRow};
use keywarden_vault::token::PublicId;
use moka::sync::Cache;
use serde::de::DeserializeOwned;

use super::judge::{KeyLife, ValueLife};
use super::kept::Kept;
use super::key;
use super::limiter::Limiter;
use super::meter::{Counts, Meter};
use crate::Fault;
use crate::authz::{Owner, Reach};

/// Values that are remembered at most.
const VALUES: u64 = 1_000_000;
/// Distinct sets of scopes, tags and slugs that keys share.
const SHARED: u64 = 50_000;
/// Callers whose reach is remembered.
const VERIFIERS: u64 = 10_000;
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
    pub metadata: Metadata,
    pub(super) allowed_cidrs: AllowedCidrs,
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
    /// Counts forgettings, so that what was read before one is not remembered after it.
    epoch: AtomicU64,
    slugs: Cache<String, Arc<str>>,
    scopes: Cache<String, Arc<Scopes>>,
    tags: Cache<String, Arc<Tags>>,
    verifiers: Cache<WorkloadId, (i64, Arc<Reach>)>,
    moves: Mutex<Vec<MacMove>>,
    pub(super) counts: Counts,
    pub(super) kept: Kept,
    pub(super) limiter: Limiter,
    pub(super) meter: Meter,
    pub(super) store_failed_at: Mutex<Option<Instant>>,
}

impl Memory {
    pub(crate) fn new() -> Self {
        Self {
            values: cache(VALUES),
            epoch: AtomicU64::new(0),
            slugs: cache(SHARED),
            scopes: cache(SHARED),
            tags: cache(SHARED),
            verifiers: cache(VERIFIERS),
            moves: Mutex::default(),
            counts: Counts::default(),
            kept: Kept::default(),
            limiter: Limiter::new(),
            meter: Meter::new(),
            store_failed_at: Mutex::default(),
        }
    }

    /// Call before looking up what to forget: from here on nothing that is being read now will be remembered.
    pub(crate) fn begin_forgetting(&self) {
        self.epoch.fetch_add(1, Ordering::SeqCst);
    }

    /// Forgets values by their public ids.
    pub(crate) fn forget(&self, public_ids: &[String]) {
        for id in public_ids.iter().filter_map(|id| id.parse().ok()) {
            self.values.invalidate::<PublicId>(&id);
        }
    }

    /// Forgets all values.
    pub(crate) fn forget_everything(&self) {
        self.begin_forgetting();
        self.values.invalidate_all();
        self.forget_verifiers();
    }

    /// Forgets who may verify where.
    pub(crate) fn forget_verifiers(&self) {
        self.verifiers.invalidate_all();
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
        let epoch = self.epoch.load(Ordering::SeqCst);
        let found = rows::value_by_mac(conn, macs).await?;
        let Some(value) = found.filter(|value| value.public_id == id.as_str()) else { return Ok(None) };
        let Some(key) = rows::find(conn, value.key_id).await? else { return Ok(None) };
        let known = Arc::new(self.known(key, value)?);
        self.values.insert(id, Arc::clone(&known));
        // Whoever forgets moves the epoch first and removes afterwards: one of the two sees the other.
        if self.epoch.load(Ordering::SeqCst) != epoch {
            self.values.invalidate(&id);
        }
        Ok(Some(known))
    }

    fn known(&self, key: KeyRow, value: ValueRow) -> Result<Known, Fault> {
        let mac = value.mac.as_slice().try_into().unwrap_or([0; 32]); // a destroyed value has no tag, and fits nothing
        Ok(Known {
            value: value.id,
            imported: value.imported,
            superseded: value.superseded_at.is_some(),
            life: key::value_life(&value)?,
            mac_key: value.mac_key_id,
            mac,
            key: KeyFacts {
                id: key.id,
                project: key.project_id,
                life: key::key_life(&key)?,
                owner: key::owner(&key.owner_id)?,
                scopes: shared(&self.scopes, &key.scopes, key::json)?,
                tags: shared(&self.tags, &key.tags, key::json)?,
                metadata: key::json(&key.metadata)?,
                allowed_cidrs: key::json(&key.allowed_cidrs)?,
                rate_limit: key::rate_limit(key.rate_limit, key.rate_window)?,
                project_slug: self.slug(key.project_slug),
                environment_slug: self.slug(key.environment_slug),
                name: key.name.into(),
            },
        })
    }

    fn slug(&self, text: String) -> Arc<str> {
        if let Some(slug) = self.slugs.get(&text) {
            return slug;
        }
        let slug: Arc<str> = text.as_str().into();
        self.slugs.insert(text, Arc::clone(&slug));
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

fn cache<K: Hash + Eq + Send + Sync + 'static, V: Clone + Send + Sync + 'static>(most: u64) -> Cache<K, V> {
    Cache::builder().max_capacity(most).build()
}

/// One copy of what many keys have alike.
fn shared<T: DeserializeOwned + Send + Sync + 'static>(
    known: &Cache<String, Arc<T>>,
    text: &str,
    parse: impl FnOnce(&str) -> Result<T, Fault>,
) -> Result<Arc<T>, Fault> {
    if let Some(it) = known.get(text) {
        return Ok(it);
    }
    let it = Arc::new(parse(text)?);
    known.insert(text.to_owned(), Arc::clone(&it));
    Ok(it)
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Memory({} values)", self.values.entry_count())
    }
}
