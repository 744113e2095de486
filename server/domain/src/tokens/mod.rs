//! Who shows a service token: asked for every request of a machine.
//!
//! What proved a token is remembered by its public id, under the one staleness rule: an entry counts as long as who may
//! do what has not changed since it was read. An unknown id and a wrong secret take the same steps, whatever is remembered:
//! memory, one MAC, the store, one MAC.
//!
//! **Invariants:** expiry is judged at the request's instant, never remembered as a yes. Unknown, wrong, expired, revoked
//! and deactivated answer alike, after the same keyed hash. No secret is kept here: a tag proves a value, and does not
//! tell it.

mod authenticate;
mod flush;
pub(crate) use flush::silent;

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use keywarden_model::{KeyringKeyId, ServiceTokenId};
use keywarden_store::tokens as rows;
use keywarden_vault::token::PublicId;
use moka::sync::Cache;

use crate::{Actor, Fault};

/// What is remembered of tokens.
pub(crate) struct Tokens {
    known: Cache<PublicId, Arc<Known>>,
    used: Mutex<Vec<Arc<Known>>>,
}

/// A public id and what the store said about it.
struct Known {
    /// The change counter when it was read.
    counter: i64,
    bearer: Bearer,
    /// When it was last shown, in microseconds.
    used_at: AtomicI64,
    /// Whether it waits in [`Tokens::used`] already.
    noted: AtomicBool,
}

/// Whom a token speaks for, and what proves it.
struct Bearer {
    id: ServiceTokenId,
    actor: Actor,
    mac_key: KeyringKeyId,
    mac: [u8; 32],
    /// From this instant on it counts for nothing, in microseconds; the past for one that was revoked.
    until: i64,
}

impl Tokens {
    pub(crate) fn new() -> Self {
        let known = Cache::builder().max_capacity(50_000).time_to_live(Duration::from_mins(10)).build();
        Self { known, used: Mutex::default() }
    }

    /// Forgets all tokens.
    pub(crate) fn forget(&self) {
        self.known.invalidate_all();
    }

    fn note_use(&self, known: &Arc<Known>, at: i64) {
        known.used_at.fetch_max(at, Ordering::Relaxed);
        if !known.noted.swap(true, Ordering::AcqRel) {
            self.used.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(known));
        }
    }

    fn take_used(&self) -> Vec<Arc<Known>> {
        std::mem::take(&mut self.used.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Known {
    fn of(row: rows::Proof, counter: i64) -> Result<Self, Fault> {
        let bearer = row.try_into()?;
        Ok(Self { counter, bearer, used_at: AtomicI64::new(0), noted: AtomicBool::new(false) })
    }
}

impl TryFrom<rows::Proof> for Bearer {
    type Error = Fault;
    fn try_from(row: rows::Proof) -> Result<Self, Fault> {
        let damaged = |what: &str| Fault::Damaged(format!("service_tokens {}: {what}", row.id));
        let (actor, active) = match (&row.workload_id, &row.role) {
            (Some(workload), _) => {
                let id = workload.parse().map_err(|_| damaged("workload"))?;
                let active = row.workload_state.as_deref() == Some("active");
                (Actor::Workload { id, token: row.id }, active)
            }
            (None, Some(role)) => {
                let role = role.parse().map_err(|_| damaged("role"))?;
                (Actor::Operator { token: Some(row.id), role }, true)
            }
            (None, None) => return Err(damaged("it speaks for nobody")),
        };
        Ok(Self {
            id: row.id,
            actor,
            mac_key: row.mac_key_id,
            mac: row.mac.as_slice().try_into().map_err(|_| damaged("mac"))?,
            until: if active && row.revoked_at.is_none() { row.expires_at } else { i64::MIN },
        })
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tokens")
    }
}
