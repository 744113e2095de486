//! Time and randomness, handed in from outside so that a test can say what they are.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use keywarden_model::TypedId;
use keywarden_model::time::{later, to_micros_precision};
#[expect(
    clippy::disallowed_types,
    reason = "this is the one place that asks the machine for randomness"
)]
use rand::rngs::SysRng;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha20Rng;

/// Wall time for records, monotonic time for "how long ago".
pub trait Clock: Send + Sync {
    /// UTC, cut to microseconds.
    fn now(&self) -> DateTime<Utc>;
    /// Never jumps; used for staleness, grace and backoff.
    fn monotonic(&self) -> Instant;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the machine's clock")]
    fn now(&self) -> DateTime<Utc> {
        to_micros_precision(Utc::now())
    }

    fn monotonic(&self) -> Instant {
        Instant::now()
    }
}

/// A clock that stands still until it is told to move.
#[derive(Debug)]
pub struct MockClock {
    start: Instant,
    wall: DateTime<Utc>,
    moved: Mutex<Duration>,
}

impl MockClock {
    /// Stands at `wall`.
    pub fn at(wall: DateTime<Utc>) -> Self {
        Self { start: Instant::now(), wall: to_micros_precision(wall), moved: Mutex::new(Duration::ZERO) }
    }

    /// Moves both kinds of time forward.
    pub fn advance(&self, by: Duration) {
        let mut moved = self.moved.lock().unwrap_or_else(PoisonError::into_inner);
        *moved = moved.saturating_add(by);
    }

    fn moved(&self) -> Duration {
        *self.moved.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for MockClock {
    fn now(&self) -> DateTime<Utc> {
        later(self.wall, TimeDelta::from_std(self.moved()).unwrap_or(TimeDelta::MAX))
    }

    fn monotonic(&self) -> Instant {
        self.start.checked_add(self.moved()).unwrap_or(self.start)
    }
}

/// What a use-case gets from the world: the clock and a cryptographically secure source of randomness.
#[derive(Clone)]
pub struct Env {
    clock: Arc<dyn Clock>,
    random: Arc<Mutex<ChaCha20Rng>>,
}

impl Env {
    /// The machine's clock, and `ChaCha20` seeded from the operating system.
    pub fn system() -> Result<Self, rand::rngs::SysError> {
        Self::with_clock(Arc::new(SystemClock))
    }

    /// A given clock, and `ChaCha20` seeded from the operating system.
    pub fn with_clock(clock: Arc<dyn Clock>) -> Result<Self, rand::rngs::SysError> {
        let random = ChaCha20Rng::try_from_rng(&mut SysRng)?;
        Ok(Self { clock, random: Arc::new(Mutex::new(random)) })
    }

    /// A given clock and a seeded source, for tests and seeded proofs.
    pub fn seeded(clock: Arc<dyn Clock>, seed: u64) -> Self {
        Self { clock, random: Arc::new(Mutex::new(ChaCha20Rng::seed_from_u64(seed))) }
    }

    /// The instant to put into a new [`crate::Op`].
    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// Monotonic time.
    pub fn monotonic(&self) -> Instant {
        self.clock.monotonic()
    }

    /// A fresh id made at `at`.
    pub fn id<I: TypedId>(&self, at: DateTime<Utc>) -> I {
        let mut bits = [0u8; 16];
        self.fill(&mut bits);
        I::from_parts(at, u128::from_be_bytes(bits))
    }

    /// Fills a buffer with random bytes.
    pub fn fill(&self, buffer: &mut [u8]) {
        self.with_rng(|rng| rng.fill_bytes(buffer));
    }

    /// Random bytes.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut out = [0; N];
        self.fill(&mut out);
        out
    }

    /// A generator of its own, for work that takes long: an HSM must not be waited for while the others are held off.
    pub fn fork(&self) -> ChaCha20Rng {
        ChaCha20Rng::from_seed(self.bytes())
    }

    /// Lends the generator, for libraries that take one.
    pub fn with_rng<T>(&self, use_it: impl FnOnce(&mut ChaCha20Rng) -> T) -> T {
        use_it(&mut self.random.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl fmt::Debug for Env {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Env")
    }
}
