//! Rate limits over all nodes: a node gives out what it has reserved, and reserves in small batches.
//!
//! Windows are fixed: they begin at whole multiples of their length since 1970. Never more than the limit is given out;
//! what other nodes hold in reserve and do not use is at most a batch each, a fiftieth of the limit.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use keywarden_model::{ApiKeyId, RateLimit};
use keywarden_store::keys::rates;
use keywarden_store::{Store, StoreError, WriteError};
use moka::sync::Cache;

use crate::Fault;
use crate::tokens::silent;

/// Keys with a limit whose windows are remembered. One that is forgotten has only its reserve lost.
const BUCKETS: u64 = 100_000;
/// Batches in a limit.
const BATCHES: u32 = 50;

/// Where a key stands in its window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateStatus {
    /// Verifications in a window.
    pub limit: u32,
    /// Those that are left, as far as this node knows.
    pub remaining: u32,
    /// Until the next window begins.
    pub reset_seconds: u32,
}

pub(super) struct Limiter {
    buckets: Cache<ApiKeyId, Arc<Bucket>>,
}

#[derive(Default)]
struct Bucket {
    window: Mutex<Window>,
    /// One reservation at a time, so that a crowd does not reserve for itself what other nodes need.
    reserving: tokio::sync::Mutex<()>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Window {
    start: i64,
    /// Reserved here and not given out.
    mine: u32,
    /// Reserved by all nodes, when last seen.
    reserved: u32,
}

enum Taken {
    Granted,
    Exhausted,
    Reserve,
}

impl Limiter {
    pub(super) fn new() -> Self {
        Self { buckets: Cache::builder().max_capacity(BUCKETS).build() }
    }

    /// Takes one verification; false if the window's are used up.
    pub(super) async fn take(
        &self,
        store: &Store,
        key: ApiKeyId,
        limit: RateLimit,
        now: DateTime<Utc>,
    ) -> Result<(bool, RateStatus), Fault> {
        let bucket = self.buckets.get_with(key, Arc::default);
        let length = i64::from(limit.window_seconds);
        let start = now.timestamp().div_euclid(length) * length;
        let granted = match bucket.try_take(start, limit) {
            Taken::Granted => true,
            Taken::Exhausted => false,
            Taken::Reserve => {
                let _alone = bucket.reserving.lock().await;
                Box::pin(bucket.reserve_and_take(store, key, start, limit)).await?
            }
        };
        Ok((granted, bucket.status(start, limit, now)))
    }
}

impl Bucket {
    fn try_take(&self, start: i64, limit: RateLimit) -> Taken {
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        if window.start < start {
            *window = Window { start, ..Window::default() };
        }
        if window.mine > 0 {
            window.mine -= 1;
            Taken::Granted
        } else if window.reserved >= limit.limit {
            Taken::Exhausted
        } else {
            Taken::Reserve
        }
    }

    async fn reserve_and_take(
        &self,
        store: &Store,
        key: ApiKeyId,
        start: i64,
        limit: RateLimit,
    ) -> Result<bool, Fault> {
        loop {
            match self.try_take(start, limit) {
                Taken::Granted => return Ok(true),
                Taken::Exhausted => return Ok(false),
                Taken::Reserve => {}
            }
            let batch = (limit.limit / BATCHES).max(1);
            let reserved = store
                .write_silently("a batch of a rate limit's window", move |tx| {
                    Box::pin(async move { rates::reserve(tx, key, start, batch).await })
                })
                .await
                .map_err(|error: WriteError<StoreError>| silent(error))?;
            let before = u32::try_from(reserved - i64::from(batch)).unwrap_or(u32::MAX);
            let mine = limit.limit.saturating_sub(before).min(batch);
            let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
            if window.start == start {
                window.mine += mine;
                window.reserved = u32::try_from(reserved).unwrap_or(u32::MAX);
            }
        }
    }

    fn status(&self, start: i64, limit: RateLimit, now: DateTime<Utc>) -> RateStatus {
        let window = *self.window.lock().unwrap_or_else(PoisonError::into_inner);
        let free = limit.limit.saturating_sub(window.reserved);
        let left = start + i64::from(limit.window_seconds) - now.timestamp();
        RateStatus {
            limit: limit.limit,
            remaining: free.saturating_add(window.mine).min(limit.limit),
            reset_seconds: u32::try_from(left).unwrap_or(0),
        }
    }
}

impl fmt::Debug for Limiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Limiter")
    }
}
