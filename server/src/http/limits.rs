//! What one address may cost. The check stands before everything that reads, parses or looks up: a refused request costs
//! a hash-map look-up. Memory is bounded: so many addresses are remembered, the longest unseen are forgotten first.

use std::{
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use axum::response::Response;
use http::HeaderMap;
use keywarden_domain::Proof;
use keywarden_model::ProblemKind as Kind;
use moka::sync::Cache;

use super::problem::{Problem, retry_after};
use crate::listen::network;

const ADDRESSES: u64 = 65_536;

/// Whose bucket it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Who {
    /// Everybody of a network.
    Network(IpAddr),
    /// One who was proven here lately.
    Proven(Proof),
}

impl From<IpAddr> for Who {
    fn from(address: IpAddr) -> Self {
        Self::Network(network(address))
    }
}

impl From<Proof> for Who {
    fn from(proof: Proof) -> Self {
        Self::Proven(proof)
    }
}

/// A token bucket for each address. Clones share their buckets.
#[derive(Debug, Clone)]
pub(super) struct Meter {
    burst: f64,
    per_second: f64,
    buckets: Cache<Who, Arc<Mutex<Bucket>>>,
}

#[derive(Debug)]
struct Bucket {
    left: f64,
    at: Instant,
}

impl Meter {
    /// `burst` at once, then `per_minute` steadily.
    pub(super) fn new(burst: u32, per_minute: u32) -> Self {
        let (burst, per_second) = (f64::from(burst), f64::from(per_minute) / 60.0);
        // A bucket unseen for this long is full again and needs no memory.
        let full = Duration::from_secs_f64(burst / per_second + 1.0);
        let buckets = Cache::builder().max_capacity(ADDRESSES).time_to_idle(full).build();
        Self { burst, per_second, buckets }
    }

    /// Takes one; when none is left, says how long until there is.
    pub(super) fn take(&self, who: impl Into<Who>, now: Instant) -> Result<(), Duration> {
        self.with(who.into(), now, |bucket| {
            if bucket.left < 1.0 {
                return Err((1.0 - bucket.left) / self.per_second);
            }
            bucket.left -= 1.0;
            Ok(())
        })
        .map_err(Duration::from_secs_f64)
    }

    /// Whether one is left, without taking it.
    pub(super) fn check(&self, who: impl Into<Who>, now: Instant) -> Result<(), Duration> {
        let who = who.into();
        if self.buckets.contains_key(&who) {
            let missing = self.with(who, now, |bucket| (1.0 - bucket.left) / self.per_second);
            return if missing > 0.0 { Err(Duration::from_secs_f64(missing)) } else { Ok(()) };
        }
        Ok(())
    }

    fn with<T>(&self, who: Who, now: Instant, change: impl FnOnce(&mut Bucket) -> T) -> T {
        let bucket =
            self.buckets.get_with(who, || Arc::new(Mutex::new(Bucket { left: self.burst, at: now })));
        let mut bucket = bucket.lock().unwrap_or_else(PoisonError::into_inner);
        let passed = now.saturating_duration_since(bucket.at).as_secs_f64();
        bucket.left = (bucket.left + passed * self.per_second).min(self.burst);
        bucket.at = bucket.at.max(now);
        change(&mut bucket)
    }
}

pub(super) fn too_many(asked: &HeaderMap, wait: Duration) -> Response {
    let seconds = wait.as_secs().saturating_add(1);
    let detail = format!("too many requests from your address; try again in {seconds} seconds");
    retry_after(Problem::new(Kind::TooMany, detail).about(seconds).answer(asked), seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_burst_is_spent_and_comes_back_with_time() {
        let meter = Meter::new(3, 60);
        let start = Instant::now();
        for _ in 0..3 {
            assert_eq!(meter.take(ip("192.0.2.1"), start), Ok(()));
        }
        let wait = meter.take(ip("192.0.2.1"), start).unwrap_err();
        assert!(wait <= Duration::from_secs(1), "{wait:?}");
        assert!(meter.check(ip("192.0.2.1"), start).is_err());
        assert_eq!(meter.take(ip("192.0.2.2"), start), Ok(()));
        assert_eq!(meter.take(ip("192.0.2.1"), start + Duration::from_secs(1)), Ok(()));
        assert!(meter.take(ip("192.0.2.1"), start + Duration::from_secs(1)).is_err());
    }

    #[test]
    fn a_mapped_address_and_a_whole_ipv6_network_share_one_bucket() {
        let meter = Meter::new(1, 1);
        let now = Instant::now();
        assert_eq!(meter.take(ip("192.0.2.1"), now), Ok(()));
        assert!(meter.take(ip("::ffff:192.0.2.1"), now).is_err());
        assert_eq!(meter.take(ip("2001:db8::1"), now), Ok(()));
        assert!(meter.take(ip("2001:db8::ffff:2"), now).is_err());
        assert_eq!(meter.take(ip("2001:db8:0:1::1"), now), Ok(()));
    }

    #[test]
    fn asking_does_not_take() {
        let meter = Meter::new(1, 1);
        let now = Instant::now();
        assert_eq!(meter.check(ip("192.0.2.1"), now), Ok(()));
        assert_eq!(meter.check(ip("192.0.2.1"), now), Ok(()));
        assert_eq!(meter.take(ip("192.0.2.1"), now), Ok(()));
        assert!(meter.check(ip("192.0.2.1"), now).is_err());
    }
}
