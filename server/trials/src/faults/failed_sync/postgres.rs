//! A sync of PostgreSQL's log fails under load: the cluster gives itself up, recovers and comes back.
//!
//! Must be so: the server stays, and answers 503 meanwhile, so that every client has its answer; within [`BACK`] it is ready
//! again by itself; `fsck` finds nothing, what was acknowledged is there, and what was not is there whole or not at all.

use std::{
    fs,
    ops::Range,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use tokio::time::timeout;

use super::WHAT;
use crate::{
    Result,
    client::Client,
    cluster::Cluster,
    database,
    faults::{
        books::Tally,
        crowd::{self, Crowd},
        upkeep::fsck,
    },
    house::House,
    node::{Node, Plan},
    strace::{can_trace, skipped},
};

/// Milliseconds of load before a sync fails, by chance.
const LOAD: Range<u64> = 50..500;
/// From the failed sync to a server that is ready again.
const BACK: Duration = Duration::from_secs(30);
const LOOK: Duration = Duration::from_millis(20);

/// A server, and a cluster of its own whose disk fails again and again.
#[derive(Debug)]
pub struct Trial {
    node: Node,
    plan: Plan,
    house: House,
    seed: u64,
    found: Found,
    // Last: it ends once the server is gone.
    cluster: Cluster,
}

/// What was seen so far.
#[derive(Debug, Default)]
pub struct Found {
    acknowledged: u64,
    doubted: u64,
    slowest_return: Duration,
}

impl Trial {
    /// `None`, and a sentence that says so, where nothing can be traced or there is no PostgreSQL to be had.
    pub async fn new(binary: &Path, folder: &Path, seed: u64) -> Result<Option<Self>> {
        if let Err(why) = can_trace().and_then(|()| Cluster::can_be_made()) {
            return skipped(WHAT, &why).map(|()| None);
        }
        let cluster = Cluster::make().await?;
        // Links are opened by strangers, each from an address of their own.
        let plan = Plan::new(binary, folder.to_path_buf())
            .with("KEYWARDEN_SEAL", "software")
            .with("KEYWARDEN_DATABASE_URL", database::fresh(cluster.url())?)
            .with("KEYWARDEN_TRUSTED_PROXIES", "127.0.0.1/32");
        let node = plan.start().await?;
        let house = House::furnish(&plan, node.url()).await?;
        Ok(Some(Self { node, plan, house, seed, found: Found::default(), cluster }))
    }

    pub async fn round(&mut self, round: u64) -> Result<&Found> {
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        random.set_stream(round);
        let asks = self.node.client(&self.house.manager);
        let crowd = Crowd::begin(round, &self.house, &asks.doubting(), &mut random);
        tokio::time::sleep(Duration::from_millis(random.random_range(LOAD))).await;
        let (told, given_up) =
            (self.plan.folder.join(format!("round-{round}.trace")), self.cluster.gave_up()?);
        let failing = Failing::begin(&self.cluster, &told)?;
        let began = Instant::now();
        failing.ends().await?;
        // Who asks while it recovers may be answered once it has.
        crowd.stop();
        let books = timeout(BACK, crowd.books()).await.context("a client waits without end")??;
        let traced = fs::read_to_string(&told)?;
        ensure!(traced.contains("(INJECTED)"), "no sync failed: this proof proves nothing: {traced}");
        ensure!(self.cluster.gave_up()? > given_up, "PostgreSQL did not give itself up");
        while !self.is_back(&asks).await {
            ensure!(began.elapsed() <= BACK, "it is not back after {} ms", began.elapsed().as_millis());
            tokio::time::sleep(LOOK).await;
        }
        self.found.slowest_return = self.found.slowest_return.max(began.elapsed());
        fsck(&self.plan).context("after the cluster came back")?;
        let Tally { acknowledged, doubted } = crowd::ask(books, &asks).await?;
        self.found.acknowledged += acknowledged;
        self.found.doubted += doubted;
        Ok(&self.found)
    }

    /// Whether the same server reads its records again, and says so.
    async fn is_back(&self, asks: &Client) -> bool {
        let read = asks.get("/api/v1/projects").await;
        read.is_ok_and(|answer| answer.status.is_success()) && self.node.is_ready().await
    }

    pub fn end(self) -> Result<()> {
        self.node.stop()?;
        fsck(&self.plan).context("the store after all rounds")
    }
}

/// strace, beside those processes of a cluster that serve ours: the next sync of each fails.
struct Failing(Child);

impl Failing {
    fn begin(cluster: &Cluster, told: &Path) -> Result<Self> {
        let ours = "SELECT pid FROM pg_stat_activity WHERE application_name = 'keywarden'";
        let mut command = Command::new("strace");
        command.args(["-q", "-e", "trace=fsync,fdatasync", "-e", "inject=fsync,fdatasync:error=EIO:when=1"]);
        for process in database::ask(cluster.url(), ours)?.split_whitespace() {
            command.args(["-p", process]);
        }
        command.arg("-o").arg(told).stdin(Stdio::null()).stderr(Stdio::null());
        Ok(Self(command.spawn().context("start strace")?))
    }

    /// It ends with the processes that it is beside.
    async fn ends(mut self) -> Result<()> {
        let began = Instant::now();
        while self.0.try_wait()?.is_none() {
            ensure!(began.elapsed() < BACK, "strace does not end: is the cluster still there?");
            tokio::time::sleep(LOOK).await;
        }
        Ok(())
    }
}

impl Drop for Failing {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

impl std::fmt::Display for Found {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} acknowledged, {} in doubt; ready again after {} ms at the latest",
            self.acknowledged,
            self.doubted,
            self.slowest_return.as_millis()
        )
    }
}
