//! What is asked of SQLite's file or log fails under load, and in a first start: by turns a sync, or another call; or the
//! server is killed just at a call.
//!
//! Must be so: where a sync failed, the server ends by itself with [`DISK`]; from then on it asks nothing more of the file and
//! the log, and tells nobody that all is well whose event was in what was not synced. Where another call failed, a start says
//! that it failed, or the server goes on: who is concerned is answered 503, and within [`BACK`] values are put and read again.
//! In any case the next start is ready, `fsck` finds nothing, what was acknowledged is there, and what was not is there whole or
//! not at all.

use std::{
    collections::BTreeMap,
    fs,
    ops::Range,
    path::{Path, PathBuf},
    process::ExitStatus,
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use http::StatusCode;
use rand::{RngExt as _, SeedableRng as _, seq::IndexedRandom as _};
use rand_chacha::ChaCha8Rng;
use serde_json::json;

use super::{WHAT, judge};
use crate::{
    Result,
    client::Client,
    faults::{
        books::{Book, Tally},
        crowd::{self, Crowd},
        upkeep::fsck,
    },
    house::{ENVIRONMENT, House, PROJECT},
    node::{Node, Plan},
    strace::{Fault, SYNCS, Tracing, can_trace, skipped},
};

/// What a server ends with whose disk failed.
const DISK: i32 = 6;
/// And one that panicked.
const PANICKED: i32 = 101;
/// Which sync fails, by chance: of a start, of commits, of the log that is moved into the file. The second one is of the
/// folder, by SQLite, which does not listen; a start makes it again.
const FAILING_SYNCS: Range<u32> = 3..60;
/// And in a first start, which makes the schema.
const FIRST: u32 = 110;
/// Every so many rounds a first start is made as well.
const OFTEN: u64 = 3;
/// Which other call fails, and which one of a thread's. A connection that failed is another thread's, which counts anew: one
/// put must need fewer, or none succeeds any more.
const FAILING: [(&str, Range<u32>); 4] =
    [("ftruncate", 1..4), ("openat", 1..5), ("pwrite64", 100..600), ("unlink", 1..2)];
/// At which call it is killed.
const KILLING: [(&str, Range<u32>); 4] =
    [("ftruncate", 1..4), ("openat", 1..5), ("pwrite64", 1..600), (SYNCS, 1..60)];
/// How a call fails.
const ERRORS: [&str; 2] = ["EIO", "ENOSPC"];
/// How long it goes on where nothing ends it.
const LOAD: Duration = Duration::from_millis(1_500);
/// From then on until values are put and read again.
const BACK: Duration = Duration::from_secs(5);
const LOOK: Duration = Duration::from_millis(20);

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
    /// Rounds in which another call failed, by its name.
    others: BTreeMap<String, u64>,
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
            let (fault, number) = if random.random() {
                (Fault::Sync, random.random_range(1..FIRST))
            } else {
                failing(&mut random)?
            };
            let done = self.first_start(round, fault, number).await;
            done.with_context(|| format!("a first start, {fault:?}, of call {number}"))?;
        }
        let (fault, number) = match round % 4 {
            1 => failing(&mut random)?,
            3 => {
                let (calls, numbers) = KILLING.choose(&mut random).context("no call")?.clone();
                (Fault::Kill(calls), random.random_range(numbers))
            }
            _ => (Fault::Sync, random.random_range(FAILING_SYNCS)),
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
        let tracing = tracing(&self.plan, file.clone(), fault, number);
        let mut node = self.plan.clone().traced(tracing.clone()).begin("serve")?;
        let (id, port) = (node.id(), node.port());
        let (mut books, mut put) = (Vec::new(), None);
        match node.becomes_ready().await? {
            Some(ended) if fault != Fault::Sync => failed(ended, fault)?,
            Some(_) => {}
            None => {
                let asks = node.client(&self.house.manager).doubting();
                let crowd = Crowd::begin(round, &self.house, &asks, random);
                (books, put) = self.loaded(round, fault, node, crowd).await?;
            }
        }
        let trace = tracing.read(id)?;
        match fault {
            Fault::Fails(..) => {
                for call in trace.failed.iter().take(1) {
                    *self.found.others.entry(call.name.clone()).or_default() += 1;
                }
            }
            Fault::Kill(_) => self.found.killed += 1,
            Fault::Sync if judge::ended(&trace, port)?.behind.ends_with("-wal") => self.found.of_log += 1,
            Fault::Sync => self.found.of_file += 1,
        }
        fs::remove_file(file)?;
        fsck(&self.plan).context("the store whose disk failed")?;

        let node = self.plan.start().await?;
        let manager = node.client(&self.house.manager);
        let Tally { acknowledged, doubted } =
            crowd::ask(books, &manager).await.context("after the next start")?;
        if let Some(put) = put {
            put.is_there(&manager).await.context("after the next start")?;
        }
        self.found.acknowledged += acknowledged;
        self.found.doubted += doubted;
        node.stop()
    }

    /// The load, until the server has ended; what clients then know, and what was put once a call had failed.
    async fn loaded(
        &self,
        round: u64,
        fault: Fault,
        mut node: Node,
        crowd: Crowd,
    ) -> Result<(Vec<Book>, Option<Put>)> {
        let mut put = None;
        match fault {
            Fault::Sync => {
                let ended = node.ends().await?;
                ensure!(ended.code() == Some(DISK), "it ended with {ended}");
            }
            Fault::Kill(_) => {
                if let Some(ended) = node.ends_within(LOAD).await? {
                    failed(ended, fault)?;
                } else {
                    node.kill()?;
                }
            }
            Fault::Fails(..) => {
                if let Some(ended) = node.ends_within(LOAD).await? {
                    ensure!(ended.code() == Some(DISK), "it ended with {ended}");
                } else {
                    put = Some(Put::make(round, &node.client(&self.house.manager)).await?);
                    // Killed, or in good order, in which the last connection moves the log into the file.
                    if round.is_multiple_of(3) { node.kill()? } else { node.stop()? }
                }
            }
        }
        Ok((crowd.books().await?, put))
    }

    /// A house that is made on a failing disk is made by the next start.
    async fn first_start(&mut self, round: u64, fault: Fault, number: u32) -> Result<()> {
        let plan = plan(&self.plan.binary, &self.plan.folder.join(format!("first-{round}")));
        let tracing = tracing(&plan, self.plan.folder.join("first.trace"), fault, number);
        let mut node = plan.clone().traced(tracing).begin("serve")?;
        match node.becomes_ready().await? {
            Some(ended) => failed(ended, fault)?,
            None => node.kill()?,
        }
        let node = plan.start().await.context("the next start")?;
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

/// A call that fails, and its number in a thread.
fn failing(random: &mut ChaCha8Rng) -> Result<(Fault, u32)> {
    let (calls, numbers) = FAILING.choose(random).context("no call")?.clone();
    let error = *ERRORS.choose(random).context("no error")?;
    Ok((Fault::Fails(calls, error), random.random_range(numbers)))
}

/// Of a sync that fails everything is looked at, else only what is asked of SQLite's files.
fn tracing(plan: &Plan, to: PathBuf, fault: Fault, number: u32) -> Tracing {
    let tracing = Tracing::to(to).with(fault, number);
    if fault == Fault::Sync {
        return tracing;
    }
    let data = plan.folder.join("data");
    let files = ["keywarden.db", "keywarden.db-journal", "keywarden.db-shm", "keywarden.db-wal"];
    tracing.only(files.iter().map(|name| data.join(name)).collect())
}

/// Whoever ended because of a fault says so, and did not break.
fn failed(ended: ExitStatus, fault: Fault) -> Result<()> {
    match fault {
        Fault::Kill(_) => ensure!(ended.code().is_none(), "it was to be killed and ended with {ended}"),
        Fault::Fails(..) | Fault::Sync => {
            ensure!(!ended.success(), "a start on a failing disk says that all is well");
            ensure!(ended.code().is_some_and(|code| code != PANICKED), "it broke: it ended with {ended}");
        }
    }
    Ok(())
}

/// A value that was put once a call had failed.
#[derive(Debug)]
struct Put {
    address: String,
    value: String,
}

impl Put {
    /// Tries until it is done; meanwhile it is answered 503.
    async fn make(round: u64, manager: &Client) -> Result<Self> {
        let address =
            format!("/api/v1/projects/{PROJECT}/environments/{ENVIRONMENT}/secrets/after-{round}/value");
        let put = Self { address, value: format!("put in round {round}") };
        let began = Instant::now();
        loop {
            let answer = manager.put(&put.address, &json!({ "value": put.value })).await?;
            if answer.status.is_success() {
                break;
            }
            ensure!(
                answer.status == StatusCode::SERVICE_UNAVAILABLE,
                "a put: {}: {}",
                answer.status,
                answer.body
            );
            ensure!(began.elapsed() <= BACK, "no put succeeds {} ms later", began.elapsed().as_millis());
            tokio::time::sleep(LOOK).await;
        }
        put.is_there(manager).await?;
        Ok(put)
    }

    async fn is_there(&self, manager: &Client) -> Result<()> {
        let there = manager.get(&self.address).await?.text("value")?;
        ensure!(there == self.value, "{} is `{there}`", self.address);
        Ok(())
    }
}

fn plan(binary: &Path, folder: &Path) -> Plan {
    let plan = Plan::new(binary, folder.to_path_buf()).with("KEYWARDEN_SEAL", "software");
    // Links are opened by strangers, each from an address of their own.
    plan.with("KEYWARDEN_TRUSTED_PROXIES", "127.0.0.1/32")
}

impl std::fmt::Display for Found {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} syncs of the log failed, {} of the file", self.of_log, self.of_file)?;
        for (name, rounds) in &self.others {
            write!(f, ", {rounds} {name}")?;
        }
        write!(
            f,
            "; {} killed at a call, {} first starts; {} acknowledged, {} in doubt",
            self.killed, self.first_starts, self.acknowledged, self.doubted
        )
    }
}
