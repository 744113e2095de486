//! The server is killed while clients issue, rotate, suspend and revoke keys, put, label, delete and restore secrets, make,
//! open and withdraw one-time links, put and read templates, and
//! an operator rotates the project's key, and the seal's or one of the keyring's, and makes a backup.
//!
//! Must be so: what was acknowledged is there, with its event; what was not is there whole or not at all, and asking
//! again does it exactly once; every value is read back byte for byte, whichever key it lies under; a link that was opened
//! opens never again, and a template reads as what was put; a backup opens whole
//! or is not there; a rotation that broke off ends when it is asked for again; `keywarden fsck` finds the killed store clean; the next start is ready within [`READY`].

use std::time::Duration;

use anyhow::{Context as _, ensure};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use tokio::task::JoinSet;

use super::{
    books::Tally,
    crowd::{self, Crowd},
    rotations::{Act, Rotations},
    upkeep::{self, Recovery, fsck},
};
use crate::{Result, house::House, node::Plan};

/// The load lasts this many milliseconds, by chance.
const LOAD: std::ops::Range<u64> = 50..900;
/// And no less than so many from an operator's rotation on, by chance: a command needs its time until it is at the server.
const ROTATES: std::ops::Range<u64> = 0..1_000;
/// What is said of a token whose own file is empty.
const NOT_PRESENT: &str = "is not present";
/// From `exec` to ready.
pub const READY: Duration = Duration::from_secs(2);

/// One store that is killed again and again.
#[derive(Debug)]
pub struct Trial {
    plan: Plan,
    house: House,
    recovery: Recovery,
    rotations: Rotations,
    seed: u64,
    found: Found,
}

/// What was seen so far.
#[derive(Debug, Default)]
pub struct Found {
    pub acknowledged: u64,
    pub doubted: u64,
    /// Rotations of the project's key.
    pub rotated: u64,
    /// Of the seal's and the keyring's, and those of which nobody heard that they were done.
    pub by_operator: u64,
    pub broken_off: u64,
    /// Tokens whose file was put back.
    pub put_back: u64,
    /// Backups that were told of.
    pub backups: u64,
    pub slowest_start: Duration,
}

impl Trial {
    pub async fn new(plan: Plan, seed: u64) -> Result<Self> {
        // Links are opened by strangers, each from an address of their own.
        let plan = plan.with("KEYWARDEN_TRUSTED_PROXIES", "127.0.0.1/32");
        let node = plan.start().await?;
        let house = House::furnish(&plan, node.url()).await?;
        let recovery = Recovery::arrange(&plan)?;
        let rotations = Rotations::of(&plan)?;
        node.stop()?;
        Ok(Self { plan, house, recovery, rotations, seed, found: Found::default() })
    }

    /// Starts, loads, kills, looks at what is left, starts again and asks.
    pub async fn round(&mut self, round: u64) -> Result<&Found> {
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        random.set_stream(round);
        let node = self.plan.start().await?;
        self.found.slowest_start = self.found.slowest_start.max(node.start_took);
        let crowd = Crowd::begin(round, &self.house, &node.client(&self.house.manager), &mut random);
        let load = Duration::from_millis(random.random_range(LOAD));
        let asks = node.client(&self.house.manager);
        let (mut rotating, mut backing_up) = (JoinSet::new(), JoinSet::new());
        rotating.spawn(async move { upkeep::rotate(&asks).await });
        let (plan, wait) = (self.plan.clone(), load.mul_f64(random.random()));
        backing_up.spawn_blocking(move || {
            std::thread::sleep(wait);
            upkeep::back_up(&plan, round)
        });
        let act = Act::draw(round, &mut random)?;
        let (plan, wait, rotations) =
            (self.plan.clone(), load.mul_f64(random.random()), self.rotations.clone());
        let mut operating = JoinSet::new();
        operating.spawn_blocking(move || {
            std::thread::sleep(wait);
            rotations.begin(&plan, act)
        });
        let rotates = wait + Duration::from_millis(random.random_range(ROTATES));
        tokio::time::sleep(load.max(rotates)).await;
        node.kill()?;
        let books = crowd.books().await?;
        self.found.rotated += rotating.join_next().await.context("nobody rotated")???;
        let (backup, told) = backing_up.join_next().await.context("nobody made a backup")???;
        self.found.backups += u64::from(told);
        let told = operating.join_next().await.context("nobody operated")???;
        self.found.by_operator += u64::from(told);
        self.found.broken_off += u64::from(!told);
        self.look().await.context("the killed store")?;
        if backup.exists() {
            self.recovery.prove(&self.plan, &backup)?;
        }

        let node = self.plan.start().await?;
        self.found.slowest_start = self.found.slowest_start.max(node.start_took);
        let manager = node.client(&self.house.manager);
        let Tally { acknowledged, doubted } = crowd::ask(books, &manager)
            .await
            .with_context(|| format!("round {round} of seed {}", self.seed))?;
        self.found.acknowledged += acknowledged;
        self.found.doubted += doubted;
        self.rotations.again(&self.plan, act).await.with_context(|| format!("{act:?}"))?;
        node.stop()?;
        Ok(&self.found)
    }

    /// `fsck`; where the library was killed while it wrote its token's own file, that is put back by a start first.
    async fn look(&mut self) -> Result<()> {
        match fsck(&self.plan) {
            Err(found) if format!("{found:#}").contains(NOT_PRESENT) => {
                self.found.put_back += 1;
                self.plan.start().await?.stop()?;
                fsck(&self.plan)
            }
            looked => looked,
        }
    }

    /// After the last round: the store is clean, and every start was quick enough if `strict`.
    pub async fn end(&self, strict: bool) -> Result<()> {
        let node = self.plan.start().await?;
        self.rotations.end(&self.plan).await?;
        node.stop()?;
        fsck(&self.plan).context("the store after all rounds")?;
        let slowest = self.found.slowest_start;
        ensure!(!strict || slowest <= READY, "a start took {} ms", slowest.as_millis());
        Ok(())
    }
}

impl std::fmt::Display for Found {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} acknowledged, {} in doubt; {} rotations, {} by the operator and {} that broke off, {} backups; {} tokens put \
             back; slowest start {} ms",
            self.acknowledged,
            self.doubted,
            self.rotated,
            self.by_operator,
            self.broken_off,
            self.backups,
            self.put_back,
            self.slowest_start.as_millis()
        )
    }
}
