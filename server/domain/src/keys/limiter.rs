//! Rate limits over all nodes: a node gives out what it has reserved, and reserves in small batches.
//!
//! Windows are fixed: they begin at whole multiples of their length since 1970. Never more than the limit is given out;
//! what other nodes hold in reserve and do not use is at most a batch each, a fiftieth of the limit. So one node gets no
//! less than nine tenths of it beside up to five others, and may get less beside more. A node that is cut off from the
//! store and may answer from memory counts by itself, from what it knew last.

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
    /// In seconds: a key whose limit was edited begins anew.
    length: u32,
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

    /// Takes one verification; false if the window's are used up. `alone` is a node that the store does not answer, and
    /// that was told to be patient.
    pub(super) async fn take(
        &self,
        store: &Store,
        key: ApiKeyId,
        limit: RateLimit,
        now: DateTime<Utc>,
        alone: bool,
    ) -> Result<(bool, RateStatus), Fault> {
        let bucket = self.buckets.get_with(key, Arc::default);
        let start = start_of(limit, now);
        let granted = match bucket.try_take(start, limit) {
            Taken::Granted => true,
            Taken::Exhausted => false,
            Taken::Reserve if alone => bucket.take_unreserved(limit),
            Taken::Reserve => {
                let _one = bucket.reserving.lock().await;
                // Perhaps the one before has reserved for this one too.
                match bucket.try_take(start, limit) {
                    Taken::Granted => true,
                    Taken::Exhausted => false,
                    Taken::Reserve => {
                        let batch = (limit.limit / BATCHES).max(1);
                        let window = rates::Window { start, seconds: limit.window_seconds };
                        let reserved = Box::pin(reserve(store, key, window, batch)).await?;
                        bucket.settle(start, limit, batch, reserved)
                    }
                }
            }
        };
        Ok((granted, bucket.status(start, limit, now)))
    }
}

/// When the window of this moment began, in seconds since 1970.
fn start_of(limit: RateLimit, now: DateTime<Utc>) -> i64 {
    let length = i64::from(limit.window_seconds);
    now.timestamp().div_euclid(length).saturating_mul(length)
}

/// Reserves a batch of the window; what all nodes have reserved then.
async fn reserve(store: &Store, key: ApiKeyId, window: rates::Window, batch: u32) -> Result<i64, Fault> {
    store
        .write_silently("a batch of a rate limit's window", move |tx| {
            Box::pin(async move { rates::reserve(tx, key, window, batch).await })
        })
        .await
        .map_err(|error: WriteError<StoreError>| silent(error))
}

impl Bucket {
    /// Takes from the latest window that was asked for.
    fn try_take(&self, start: i64, limit: RateLimit) -> Taken {
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        if window.start < start || window.length != limit.window_seconds {
            *window = Window { start, length: limit.window_seconds, ..Window::default() };
        }
        if window.mine > 0 {
            window.mine = window.mine.saturating_sub(1);
            Taken::Granted
        } else if window.reserved >= limit.limit {
            Taken::Exhausted
        } else {
            Taken::Reserve
        }
    }

    /// Takes one that nobody is known to have reserved; false if there is none.
    fn take_unreserved(&self, limit: RateLimit) -> bool {
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        let free = window.reserved < limit.limit;
        window.reserved = window.reserved.saturating_add(free.into());
        free
    }

    /// Takes one of a batch that was just reserved and keeps the rest; false if there was nothing left to reserve.
    /// When the next window has begun meanwhile, the rest goes with its own.
    fn settle(&self, start: i64, limit: RateLimit, batch: u32, reserved: i64) -> bool {
        let before = u32::try_from(reserved.saturating_sub(batch.into())).unwrap_or(u32::MAX);
        let mine = limit.limit.saturating_sub(before).min(batch);
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        if window.start == start && window.length == limit.window_seconds {
            window.mine = window.mine.saturating_add(mine.saturating_sub(1));
            window.reserved = u32::try_from(reserved).unwrap_or(u32::MAX);
        }
        mine > 0
    }

    fn status(&self, start: i64, limit: RateLimit, now: DateTime<Utc>) -> RateStatus {
        let window = *self.window.lock().unwrap_or_else(PoisonError::into_inner);
        let free = limit.limit.saturating_sub(window.reserved);
        let left = start.saturating_add(limit.window_seconds.into()).saturating_sub(now.timestamp());
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

#[cfg(test)]
mod tests {
    use super::*;

    fn limit(limit: u32, window: u32) -> RateLimit {
        RateLimit::new(limit, window).unwrap()
    }

    #[test]
    fn a_batch_that_comes_after_its_window_grants_one_and_leaves_the_next_alone() {
        let (bucket, limit) = (Bucket::default(), limit(100, 60));
        assert!(matches!(bucket.try_take(0, limit), Taken::Reserve));
        // While that waits for its batch, the next window begins.
        assert!(matches!(bucket.try_take(60, limit), Taken::Reserve));
        assert!(bucket.settle(0, limit, 2, 2), "it was reserved in time");
        assert!(matches!(bucket.try_take(60, limit), Taken::Reserve), "and nothing of it is left over");
        assert!(bucket.settle(60, limit, 2, 2));
        assert!(matches!(bucket.try_take(60, limit), Taken::Granted));
        assert!(matches!(bucket.try_take(60, limit), Taken::Reserve));
    }

    #[test]
    fn the_last_batch_is_cut_to_what_is_left_and_the_one_after_it_is_nothing() {
        let (bucket, limit) = (Bucket::default(), limit(3, 60));
        assert!(matches!(bucket.try_take(0, limit), Taken::Reserve));
        assert!(bucket.settle(0, limit, 2, 4), "one of the two was left");
        assert!(matches!(bucket.try_take(0, limit), Taken::Exhausted));
        let other = Bucket::default();
        assert!(matches!(other.try_take(0, limit), Taken::Reserve));
        assert!(!other.settle(0, limit, 2, 6), "other nodes have reserved it all");
        assert!(matches!(other.try_take(0, limit), Taken::Exhausted));
    }

    #[test]
    fn a_limit_that_was_edited_begins_a_window_of_its_own() {
        let bucket = Bucket::default();
        assert!(matches!(bucket.try_take(3_660, limit(100, 60)), Taken::Reserve));
        assert!(bucket.settle(3_660, limit(100, 60), 2, 100));
        // The hour began before the minute did, and still counts by itself.
        assert!(matches!(bucket.try_take(3_600, limit(5, 3_600)), Taken::Reserve));
        assert!(bucket.settle(3_600, limit(5, 3_600), 1, 1));
        assert!(matches!(bucket.try_take(3_600, limit(5, 3_600)), Taken::Reserve));
    }

    #[test]
    fn a_node_that_is_alone_gives_out_no_more_than_the_limit() {
        let (bucket, limit) = (Bucket::default(), limit(3, 60));
        let take = || match bucket.try_take(0, limit) {
            Taken::Granted => true,
            Taken::Exhausted => false,
            Taken::Reserve => bucket.take_unreserved(limit),
        };
        assert_eq!([take(), take(), take(), take()], [true, true, true, false]);
    }
}
