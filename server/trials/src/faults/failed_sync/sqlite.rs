//! A sync of SQLite's file or log fails under load, and in a first start; by turns a write fails, or the server is killed just
//! at a sync.
//!
//! Must be so: where a sync failed, the server ends by itself with [`DISK`]; from then on it asks nothing more of the file and
//! the log, and tells nobody that all is well whose event was in what was not synced. Where a write failed, it goes on. In any
//! case the next start is ready, `fsck` finds nothing, what was acknowledged is there, and what was not is there whole or not at
//! all.

use std::{fs, ops::Range, path::Path, time::Duration};

use anyhow::{Context as _, ensure};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use super::{WHAT, judge};
use crate::{
    Result,
    faults::{
        books::Tally,
        crowd::{self, Crowd},
        upkeep::fsck,
    },
    house::House,
    node::Plan,
    strace::{Fault, Tracing, can_trace, skipped},
};

/// What a server ends with whose disk failed.
const DISK: i32 = 6;
/// Which sync fails, by chance: of a start, of commits, of the log that is moved into the file.
const SYNCS: Range<u32> = 1..60;
/// And in a first start, which makes the schema.
const FIRST: Range<u32> = 1..110;
/// Every so many rounds a first start is made as well.
const OFTEN: u64 = 3;
/// Which write fails, by chance.
const WRITES: Range<u32> = 1..2_000;
/// How long it goes on where nothing ends it.
const LOAD: Duration = Duration::from_millis(1_500);

/// One store whose disk fails again and again.
#[derive(Debug)]
pub struct Trial {
    plan: Plan,
    house: House,
    seed: u64,
    found: Found,
}

/// What was seen so far.
#[derive(Debug, Default)]
pub struct Found {
    acknowledged: u64,
    doubted: u64,
    /// Failed syncs of the log, and of the file that it is moved into.
    of_log: u64,
    of_file: u64,
    /// Failed writes to either.
    of_write: u64,
    killed: u64,
    first_starts: u64,
}

impl Trial {
    /// `None`, and a sentence that says so, where nothing can be traced.
    pub async fn new(binary: &Path, folder: &Path, seed: u64) -> Result<Option<Self>> {
        if let Err(why) = can_trace() {
            return skipped(WHAT, &why).map(|()| None);
        }
        let plan = plan(binary, &folder.join("house"));
        let node = plan.start().await?;
        let house = House::furnish(&plan, node.url()).await?;
        node.stop()?;
        Ok(Some(Self { plan, house, seed, found: Found::default() }))
    }

    /// Starts, loads until the server ends, looks at what it did and left, starts again and asks.
    pub async fn round(&mut self, round: u64) -> Result<&Found> {
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        random.set_stream(round);
        if round.is_multiple_of(OFTEN) {
            self.first_start(round, random.random_range(FIRST)).await.context("a first start")?;
        }
        let (fault, number) = match round % 4 {
            1 => (Fault::Write(if random.random() { "EIO" } else { "ENOSPC" }), random.random_range(WRITES)),
            3 => (Fault::Kill, random.random_range(SYNCS)),
            _ => (Fault::Sync, random.random_range(SYNCS)),
        };
        let done = self.under_load(round, fault, number, &mut random).await;
        done.with_context(|| format!("{fault:?}, of call {number}"))?;
        Ok(&self.found)
    }

    async fn under_load(
        &mut self,
        round: u64,
        fault: Fault,
        number: u32,
        random: &mut ChaCha8Rng,
    ) -> Result<()> {
        let file = self.plan.folder.join(format!("round-{round}.trace"));
        let tracing = Tracing::to(file.clone()).with(fault, number);
        let mut node = self.plan.clone().traced(tracing.clone()).begin("serve")?;
        let (id, port) = (node.id(), node.port());
        let mut books = Vec::new();
        if node.becomes_ready().await?.is_none() {
            let asks = node.client(&self.house.manager).doubting();
            let crowd = Crowd::begin(round, &self.house, &asks, random);
            if matches!(fault, Fault::Write(_)) {
                tokio::time::sleep(LOAD).await;
                node.kill()?;
            } else {
                let ended = node.ends().await?;
                ensure!(fault == Fault::Kill || ended.code() == Some(DISK), "it ended with {ended}");
            }
            books = crowd.books().await?;
        }
        let trace = tracing.read(id)?;
        match fault {
            Fault::Kill => self.found.killed += 1,
            Fault::Write(_) => self.found.of_write += u64::from(!trace.failed.is_empty()),
            Fault::Sync if judge::ended(&trace, port)?.behind.ends_with("-wal") => self.found.of_log += 1,
            Fault::Sync => self.found.of_file += 1,
        }
        fs::remove_file(file)?;
        fsck(&self.plan).context("the store whose disk failed")?;

        let node = self.plan.start().await?;
        let Tally { acknowledged, doubted } =
            crowd::ask(books, &node.client(&self.house.manager)).await.context("after the next start")?;
        self.found.acknowledged += acknowledged;
        self.found.doubted += doubted;
        node.stop()
    }

    /// A house that is made on a failing disk is made by the next start.
    async fn first_start(&mut self, round: u64, number: u32) -> Result<()> {
        let plan = plan(&self.plan.binary, &self.plan.folder.join(format!("first-{round}")));
        let tracing = Tracing::to(self.plan.folder.join("first.trace")).with(Fault::Sync, number);
        let mut node = plan.clone().traced(tracing).begin("serve")?;
        match node.becomes_ready().await? {
            Some(ended) => {
                ensure!(!ended.success(), "a start whose sync {number} failed says that all is well");
            }
            None => node.kill()?,
        }
        let node = plan.start().await.with_context(|| format!("after sync {number} failed"))?;
        House::furnish(&plan, node.url()).await?;
        node.stop()?;
        fsck(&plan)?;
        fs::remove_dir_all(&plan.folder)?;
        self.found.first_starts += 1;
        Ok(())
    }

    pub fn end(&self) -> Result<()> {
        fsck(&self.plan).context("the store after all rounds")
    }
}

fn plan(binary: &Path, folder: &Path) -> Plan {
    let plan = Plan::new(binary, folder.to_path_buf()).with("KEYWARDEN_SEAL", "software");
    // Links are opened by strangers, each from an address of their own.
    plan.with("KEYWARDEN_TRUSTED_PROXIES", "127.0.0.1/32")
}

impl std::fmt::Display for Found {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} syncs of the log failed, {} of the file, {} writes, {} killed at a sync, {} first starts; {} acknowledged, {} in \
             doubt",
            self.of_log,
            self.of_file,
            self.of_write,
            self.killed,
            self.first_starts,
            self.acknowledged,
            self.doubted
        )
    }
}
