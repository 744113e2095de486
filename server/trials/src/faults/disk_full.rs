//! The disk is full under load, then there is room again.
//!
//! The data folder, or PostgreSQL's records, lie on a small file system in memory, which takes root to mount. Must be so: while
//! there is no room, a reading of a secret, which cannot be told to the record, is answered 503 within [`PROMPT`], keys are
//! verified all the same; with room again readings and puts succeed within [`BACK`], without a restart; what was acknowledged is
//! there, and `fsck` finds nothing. A server that is started while there is no room does the same; one whose token lies on the
//! full disk tries no PIN, for that could not be written down, stays sealed, and is ready by itself within [`BACK`] of room.

use std::{
    fs::{self, File},
    io::{ErrorKind, Write as _},
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use http::StatusCode;
use serde_json::json;
use tempfile::TempDir;
use tokio::task::JoinSet;

use crate::{
    Result,
    client::Client,
    cluster::Cluster,
    database,
    house::{ENVIRONMENT, House, PROJECT},
    node::{Node, Plan},
};

/// A refusal takes no longer.
const PROMPT: Duration = Duration::from_secs(2);
/// From room on the disk to right answers.
const BACK: Duration = Duration::from_secs(5);
/// How long it is looked at while there is no room.
const FULL: Duration = Duration::from_secs(2);
/// A disk that is filled and under load is full by then: SQLite's log has some room of its own.
const SOON: Duration = Duration::from_secs(30);
/// Room for a data folder, and for an empty cluster.
const SIZE: &str = "size=48m";
const CLUSTERS: &str = "size=160m";
/// Those that put values meanwhile, each into a secret of its own.
const PUTTERS: usize = 4;
/// Characters of a value that is put: much, so that the log is soon full.
const LONG: usize = 16_384;
const LOOK: Duration = Duration::from_millis(20);
/// What the server's log says when a PIN is not tried.
const NOT_TRIED: &str = "cannot keep the record of refused PINs";
const PROBLEM: &str = "application/problem+json";

/// What lies on the disk that is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Full {
    /// PostgreSQL's records; its log of writes lies elsewhere, for without room there it gives itself up.
    Postgres,
    /// A data folder with SQLite's file.
    Sqlite,
    /// The same, and the embedded token.
    Token,
}

/// A server some of whose files lie on a disk that can be filled.
#[derive(Debug)]
pub struct Trial {
    full: Full,
    node: Node,
    plan: Plan,
    house: House,
    /// A key that is good all the time.
    key: String,
    found: Found,
    // Last: it ends once the server is gone, and the disk is unmounted after both.
    cluster: Option<Cluster>,
    disk: Disk,
}

/// What was seen so far.
#[derive(Debug, Default)]
pub struct Found {
    refusals: u64,
    verified: u64,
    slowest_refusal: Duration,
    slowest_return: Duration,
}

impl Trial {
    /// `None` where no file system can be mounted.
    pub async fn new(binary: &Path, folder: &Path, full: Full) -> Result<Option<Self>> {
        let size = if full == Full::Postgres { CLUSTERS } else { SIZE };
        let Some(disk) = Disk::mount(size)? else { return Ok(None) };
        let data = disk.folder.path().join("data").display().to_string();
        let plan = Plan::new(binary, folder.to_path_buf());
        let (plan, cluster) = match full {
            Full::Postgres => {
                Cluster::can_be_made().map_err(anyhow::Error::msg)?;
                let cluster = Cluster::make_on(disk.folder.path()).await?;
                let url = database::fresh(cluster.url())?;
                (plan.with("KEYWARDEN_SEAL", "software").with("KEYWARDEN_DATABASE_URL", url), Some(cluster))
            }
            Full::Sqlite => (plan.with("KEYWARDEN_SEAL", "software").with("KEYWARDEN_DATA_DIR", data), None),
            Full::Token => (plan.with("KEYWARDEN_DATA_DIR", data), None),
        };
        let node = plan.start().await?;
        let house = House::furnish(&plan, node.url()).await?;
        let manager = node.client(&house.manager);
        let key = manager.post("/api/v1/keys", &house.key("always good")).await?.text("key")?;
        for putter in 0..=PUTTERS {
            manager.put(&address(putter), &json!({ "value": "first" })).await?.good()?;
        }
        Ok(Some(Self { full, node, plan, house, key, found: Found::default(), cluster, disk }))
    }

    pub async fn round(&mut self) -> Result<&Found> {
        let client = self.node.client(&self.house.manager).patient(PROMPT);
        let verifier = self.node.client(&self.house.verifier).patient(PROMPT);
        let stop = Arc::new(AtomicBool::new(false));
        let mut putters = JoinSet::new();
        for putter in 1..=PUTTERS {
            putters.spawn(put_until(client.clone(), putter, Arc::clone(&stop)));
        }
        self.disk.fill()?;
        let filled = Instant::now();
        let mut first_refusal = None;
        while first_refusal.is_none_or(|at: Instant| at.elapsed() < FULL) {
            ensure!(
                first_refusal.is_some() || filled.elapsed() < SOON,
                "readings go on though nothing more can be written: is the disk full?"
            );
            if self.refuses(&client).await? {
                first_refusal = first_refusal.or_else(|| Some(Instant::now()));
            }
            self.verifies(&verifier).await?;
            tokio::time::sleep(LOOK).await;
        }
        let freed = self.makes_room(&client).await?;
        self.verifies(&verifier).await?;
        client.put(&address(0), &json!({ "value": "with room again" })).await?.good()?;
        self.found.slowest_return = self.found.slowest_return.max(freed.elapsed());
        stop.store(true, Ordering::Relaxed);
        while let Some(put) = putters.join_next().await {
            put??.check(&client).await?;
        }
        Ok(&self.found)
    }

    /// Waits until readings go on; since when there is room.
    async fn makes_room(&mut self, client: &Client) -> Result<Instant> {
        self.disk.free()?;
        let freed = Instant::now();
        while self.refuses(client).await? {
            ensure!(
                freed.elapsed() <= BACK,
                "no reading {} ms after there was room",
                freed.elapsed().as_millis()
            );
            tokio::time::sleep(LOOK).await;
        }
        Ok(freed)
    }

    /// Whether a reading is refused; the refusal is a proper one.
    async fn refuses(&mut self, client: &Client) -> Result<bool> {
        let began = Instant::now();
        let answer = client.get(&address(0)).await.context("no prompt answer to a reading")?;
        if answer.status != StatusCode::SERVICE_UNAVAILABLE {
            answer.good().context("a reading")?;
            return Ok(false);
        }
        ensure!(answer.kind == PROBLEM, "the refusal is `{}`: {}", answer.kind, answer.body);
        self.found.refusals += 1;
        self.found.slowest_refusal = self.found.slowest_refusal.max(began.elapsed());
        Ok(true)
    }

    async fn verifies(&mut self, client: &Client) -> Result<()> {
        let code = client.verify(&self.key).await.context("no prompt verdict")?.text("code")?;
        ensure!(code == "valid", "a good key is `{code}` while the disk is full");
        self.found.verified += 1;
        Ok(())
    }

    /// After the last round: a start while there is no room.
    pub async fn end(mut self) -> Result<()> {
        ensure!(self.found.refusals > 0, "nothing was ever refused");
        let client = self.node.client(&self.house.manager);
        self.disk.fill()?;
        let filled = Instant::now();
        // Then the log holds pages that lie behind the end of the file.
        for number in 0_u64.. {
            let value = format!("{number} {}", "x".repeat(LONG));
            if !client.put(&address(0), &json!({ "value": value })).await?.status.is_success() {
                break;
            }
            ensure!(
                filled.elapsed() < SOON,
                "puts go on though nothing more can be written: is the disk full?"
            );
        }
        self.node.kill()?;
        if self.full == Full::Token {
            self.node = starts_sealed(&self.plan, &self.disk, &mut self.found).await?;
        } else {
            self.node = self.plan.start().await.context("a start on a full disk")?;
            let client = self.node.client(&self.house.manager).patient(PROMPT);
            let verifier = self.node.client(&self.house.verifier).patient(PROMPT);
            self.verifies(&verifier).await?;
            self.refuses(&client).await?;
            self.makes_room(&client).await?;
        }
        let client = self.node.client(&self.house.manager);
        client.put(&address(0), &json!({ "value": "after a start" })).await?.good()?;
        let verifier = self.node.client(&self.house.verifier);
        self.verifies(&verifier).await?;
        let Self { node, plan, cluster, disk, .. } = self;
        node.stop()?;
        plan.run(&["fsck"])?;
        drop((cluster, disk));
        Ok(())
    }
}

/// A start whose token's PIN cannot be tried, until there is room and it is ready.
async fn starts_sealed(plan: &Plan, disk: &Disk, found: &mut Found) -> Result<Node> {
    disk.fill()?;
    let began = Instant::now();
    let node = plan.begin("serve")?;
    while !fs::read_to_string(plan.log())?.contains(NOT_TRIED) {
        ensure!(began.elapsed() < SOON, "nobody is told why it is sealed; see {}", plan.log().display());
        ensure!(!node.is_ready().await, "it is ready though no PIN may be tried");
        tokio::time::sleep(LOOK).await;
    }
    disk.free()?;
    let freed = Instant::now();
    while !node.is_ready().await {
        let late = freed.elapsed();
        ensure!(late <= BACK, "not ready {} ms after there was room", late.as_millis());
        tokio::time::sleep(LOOK).await;
    }
    found.slowest_return = found.slowest_return.max(freed.elapsed());
    Ok(node)
}

/// What one putter knows of its secret.
struct Put {
    address: String,
    acknowledged: String,
    /// What was put since then; nobody knows whether.
    doubted: Vec<String>,
}

impl Put {
    async fn check(&self, client: &Client) -> Result<()> {
        let there = client.get(&self.address).await?.text("value")?;
        let known = there == self.acknowledged || self.doubted.contains(&there);
        ensure!(known, "{} is not what was acknowledged last", self.address);
        Ok(())
    }
}

/// Puts one value after the other, whatever comes back.
async fn put_until(client: Client, putter: usize, stop: Arc<AtomicBool>) -> Result<Put> {
    let mut put = Put { address: address(putter), acknowledged: String::new(), doubted: Vec::new() };
    for number in 0_u64.. {
        if stop.load(Ordering::Relaxed) && !put.acknowledged.is_empty() {
            break;
        }
        let value = format!("{number} {}", "x".repeat(LONG));
        match client.put(&put.address, &json!({ "value": value })).await {
            Ok(answer) if answer.status.is_success() => {
                put.acknowledged = value;
                put.doubted.clear();
            }
            Ok(answer) => {
                let told = format!("{}: {}", answer.status, answer.body);
                ensure!(answer.status == StatusCode::SERVICE_UNAVAILABLE, "a put: {told}");
                put.doubted.push(value);
                tokio::time::sleep(LOOK).await;
            }
            Err(_) => put.doubted.push(value),
        }
    }
    Ok(put)
}

fn address(secret: usize) -> String {
    format!("/api/v1/projects/{PROJECT}/environments/{ENVIRONMENT}/secrets/disk/{secret}")
}

/// A small file system in memory; unmounted when dropped.
#[derive(Debug)]
struct Disk {
    folder: TempDir,
}

impl Disk {
    /// `None`, and a sentence that says so, where this takes more than we may.
    fn mount(size: &str) -> Result<Option<Self>> {
        if !nix::unistd::geteuid().is_root() {
            skipped("mounting a small disk takes root");
            return Ok(None);
        }
        let folder = tempfile::Builder::new().prefix("keywarden-disk-").tempdir()?;
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", size, "tmpfs"]).arg(folder.path()).output();
        let mounted = mounted.context("run mount")?;
        if !mounted.status.success() {
            let why = String::from_utf8_lossy(&mounted.stderr);
            skipped(&format!("no small disk can be mounted here: {}", why.trim()));
            return Ok(None);
        }
        Ok(Some(Self { folder }))
    }

    fn ballast(&self) -> PathBuf {
        self.folder.path().join("ballast")
    }

    /// Leaves no room.
    fn fill(&self) -> Result<()> {
        let mut ballast = File::create(self.ballast())?;
        let mut piece = vec![0_u8; 1 << 20];
        while !piece.is_empty() {
            match ballast.write_all(&piece) {
                Ok(()) => {}
                Err(full) if full.kind() == ErrorKind::StorageFull => piece.truncate(piece.len() / 2),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    fn free(&self) -> Result<()> {
        Ok(fs::remove_file(self.ballast())?)
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily: a server that was just killed may hold it for a moment.
        Command::new("umount").arg("-l").arg(self.folder.path()).status().ok();
    }
}

#[expect(clippy::print_stderr, reason = "whoever runs it is told what was not proven")]
fn skipped(why: &str) {
    eprintln!("  SKIPPED: the proof of a full disk is not made: {why}");
}

impl std::fmt::Display for Found {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} readings refused, the slowest after {} ms, {} keys verified meanwhile, right again after {} ms",
            self.refusals,
            self.slowest_refusal.as_millis(),
            self.verified,
            self.slowest_return.as_millis()
        )
    }
}
