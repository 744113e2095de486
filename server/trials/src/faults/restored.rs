//! A backup is made under load, everything is lost, and it is brought back on an empty machine, with as many secrets
//! beside as are asked for.
//!
//! Must be so: what was acknowledged before the backup was asked for is there, and nothing that was not asked for by the
//! time it was told of; of each secret the values up to its newest are whole; `fsck` finds nothing; the doors are shut until
//! the gap is accepted.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use url::Url;

use super::upkeep::Recovery;
use crate::{
    Result,
    bench::stock,
    client::Client,
    database::Engine,
    house::{ENVIRONMENT, House, PROJECT},
    node::{Node, Plan},
};

/// Those that put values, each into a secret of its own.
const PUTTERS: usize = 8;
/// The load before the backup, and after it.
const LOAD: Duration = Duration::from_millis(400);
const LOOK: Duration = Duration::from_millis(50);
/// From the command that restores to the first value, for so many secrets or fewer.
const BACK: Duration = Duration::from_mins(1);
const OF: usize = 100_000;
/// Commands that take longer have failed.
const ENDS: Duration = Duration::from_mins(10);
/// Of the secrets beside every so many are read.
const SOME: usize = 997;

/// What was seen so far.
#[derive(Debug, Default)]
pub struct Found {
    rounds: u64,
    values: u64,
    /// The slowest of each step, and the bytes of the largest backup.
    slowest: Took,
}

/// How long each step took.
#[derive(Debug, Default, Clone, Copy)]
pub struct Took {
    pub backup: Duration,
    /// Bytes of the backup.
    pub bytes: u64,
    pub verify: Duration,
    /// The restore alone, without what follows it.
    pub restore: Duration,
    /// From the command that restores to the first value, without a look at what was brought back: nobody need wait for that.
    pub value: Duration,
    /// `fsck` of what was brought back.
    pub look: Duration,
}

impl Took {
    fn slower(self, other: Self) -> Self {
        Self {
            backup: self.backup.max(other.backup),
            bytes: self.bytes.max(other.bytes),
            verify: self.verify.max(other.verify),
            restore: self.restore.max(other.restore),
            value: self.value.max(other.value),
            look: self.look.max(other.look),
        }
    }
}

/// The longest that [`Took::value`] may be for a house with so many secrets.
pub fn bar(secrets: usize) -> Duration {
    BACK * times(secrets)
}

/// How far one putter is.
#[derive(Debug, Default)]
struct Putter {
    asked: AtomicU64,
    acknowledged: AtomicU64,
}

/// One house that is lost, and one that it is brought back to, in time.
pub async fn round(
    (binary, folder): (&Path, &Path),
    on: (Engine, Option<&Url>),
    secrets: usize,
    found: &mut Found,
) -> Result<()> {
    let (took, values) = bring_back((binary, folder), on, secrets).await?;
    found.rounds += 1;
    found.values += values;
    found.slowest = found.slowest.slower(took);
    ensure!(took.value <= bar(secrets), "the first value came too late: {found}");
    Ok(())
}

/// The same, however long it takes: how long that was, and how many values of the load came back.
pub async fn bring_back(
    (binary, folder): (&Path, &Path),
    (engine, server): (Engine, Option<&Url>),
    secrets: usize,
) -> Result<(Took, u64)> {
    let ends = ENDS * times(secrets);
    let mut took = Took::default();
    let plan = engine.plan(binary, &folder.join("lost"), server)?;
    let node = plan.start().await?;
    let house = House::furnish(&plan, node.url()).await?;
    let recovery = Recovery::arrange(&plan)?;
    let manager = node.client(&house.manager);
    for from in (0..secrets).step_by(stock::BATCH) {
        stock::import(&manager, (from, (from + stock::BATCH).min(secrets))).await?;
    }
    let load = Load::begin(&node, &house);
    tokio::time::sleep(LOAD).await;
    let before = load.acknowledged().await?;
    let backup = plan.folder.join("house.kwb");
    let (asking, to) = (plan.clone(), text(&backup)?.to_owned());
    let began = Instant::now();
    let backing_up = move || asking.run_within(ends, &["backup", "--to", &to]);
    tokio::task::spawn_blocking(backing_up).await??;
    took.backup = began.elapsed();
    took.bytes = std::fs::metadata(&backup)?.len();
    let after = load.asked();
    tokio::time::sleep(LOAD).await;
    load.end().await?;
    node.kill()?;

    let empty = engine.plan(binary, &folder.join("empty"), server)?;
    std::fs::create_dir_all(&empty.folder)?;
    let (file, key) = (text(&backup)?, text(recovery.key())?);
    let began = Instant::now();
    empty.run_within(ends, &["backup", "verify", file, "--recovery-key", key])?;
    took.verify = began.elapsed();
    let began = Instant::now();
    let said = empty.run_within(ends, &["restore", file, "--recovery-key", key])?;
    took.restore = began.elapsed();
    let made_at = said.split_once("the backup of ").and_then(|(_, rest)| rest.split_whitespace().next());
    let made_at = made_at.with_context(|| format!("a restore of no backup: {said}"))?.to_owned();
    let looking = Instant::now();
    empty.run_within(ends, &["fsck"]).context("what was brought back")?;
    took.look = looking.elapsed();
    let began = began + looking.elapsed();
    let accepting = empty.clone();
    let accepted = tokio::task::spawn_blocking(move || accept(&accepting, &made_at));
    let node = empty.start().await?;
    accepted.await??;
    let manager = node.client(&house.manager);
    let mut values = 0;
    for (number, (before, after)) in before.into_iter().zip(after).enumerate() {
        manager.get(&address(number)).await?.good()?;
        if number == 0 {
            took.value = began.elapsed();
        }
        values += check(&manager, number, before, after).await?;
    }
    for number in (0..secrets).step_by(SOME) {
        let there = manager.get(&stock::address(&stock::path(number))).await?.text("value")?;
        ensure!(there == stock::value(number), "secret {number} came back as another value");
    }
    node.stop()?;
    empty.run_within(ends, &["fsck"]).context("the house that goes on")?;
    Ok((took, values))
}

/// What is put all the while.
struct Load {
    stop: Arc<AtomicBool>,
    putters: Vec<Arc<Putter>>,
    tasks: JoinSet<Result<()>>,
}

impl Load {
    fn begin(node: &Node, house: &House) -> Self {
        let (stop, mut tasks) = (Arc::new(AtomicBool::new(false)), JoinSet::new());
        let putters: Vec<_> = (0..PUTTERS).map(|_| Arc::new(Putter::default())).collect();
        for (number, putter) in putters.iter().enumerate() {
            let client = node.client(&house.manager);
            tasks.spawn(put_until(client, number, Arc::clone(putter), Arc::clone(&stop)));
        }
        Self { stop, putters, tasks }
    }

    /// What each putter had acknowledged by now; at least one value, which takes its time on a busy machine.
    async fn acknowledged(&self) -> Result<Vec<u64>> {
        let began = Instant::now();
        let acknowledged = || self.putters.iter().map(|it| it.acknowledged.load(Ordering::SeqCst));
        while acknowledged().any(|number| number == 0) {
            ensure!(began.elapsed() < BACK, "a value is not put");
            tokio::time::sleep(LOOK).await;
        }
        Ok(acknowledged().collect())
    }

    /// What each putter had asked for by now.
    fn asked(&self) -> Vec<u64> {
        self.putters.iter().map(|it| it.asked.load(Ordering::SeqCst)).collect()
    }

    async fn end(mut self) -> Result<()> {
        self.stop.store(true, Ordering::SeqCst);
        while let Some(put) = self.tasks.join_next().await {
            put??;
        }
        Ok(())
    }
}

/// How many times what is allowed for so many.
fn times(secrets: usize) -> u32 {
    u32::try_from(secrets.div_ceil(OF).max(1)).unwrap_or(u32::MAX)
}

/// Opens the doors, once there are any; before that they are shut.
fn accept(plan: &Plan, made_at: &str) -> Result<()> {
    let began = Instant::now();
    loop {
        let told = plan.ask(&["restore", "accept", made_at])?;
        if told.status.success() {
            return Ok(());
        }
        let why = String::from_utf8_lossy(&told.stderr).into_owned();
        ensure!(began.elapsed() < BACK, "the gap is not accepted: {why}");
        std::thread::sleep(LOOK);
    }
}

/// The values of a putter's secret, whole and in order; how many there are.
async fn check(manager: &Client, putter: usize, before: u64, after: u64) -> Result<u64> {
    let there = manager.get(&address(putter)).await?.good()?;
    let newest = there.get("version").and_then(Value::as_u64).context("no version")?;
    ensure!(newest >= before, "{before} values were acknowledged before the backup, {newest} came back");
    ensure!(newest <= after, "{newest} values came back, {after} were asked for when the backup was told of");
    for number in 1..=newest {
        let read = manager.get(&format!("{}?version={number}", address(putter))).await?.text("value")?;
        ensure!(read == value(putter, number), "version {number} of {putter} came back as another value");
    }
    Ok(newest)
}

/// Puts one value after the other.
async fn put_until(client: Client, number: usize, putter: Arc<Putter>, stop: Arc<AtomicBool>) -> Result<()> {
    for version in 1.. {
        if stop.load(Ordering::SeqCst) {
            break;
        }
        putter.asked.store(version, Ordering::SeqCst);
        client.put(&address(number), &json!({ "value": value(number, version) })).await?.good()?;
        putter.acknowledged.store(version, Ordering::SeqCst);
    }
    Ok(())
}

fn value(putter: usize, version: u64) -> String {
    format!("value {version} of {putter}")
}

fn address(putter: usize) -> String {
    format!("/api/v1/projects/{PROJECT}/environments/{ENVIRONMENT}/secrets/restored/{putter}")
}

fn text(path: &Path) -> Result<&str> {
    path.to_str().context("a path that is no text")
}

impl std::fmt::Display for Found {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { rounds, values, slowest } = self;
        let Took { bytes, .. } = slowest;
        write!(
            f,
            "{rounds} houses were brought back with {values} values; a backup of {} KiB took",
            bytes / 1024
        )?;
        let [backup, verify, restore, value, look] =
            [slowest.backup, slowest.verify, slowest.restore, slowest.value, slowest.look]
                .map(|took| took.as_millis());
        write!(
            f,
            " {backup} ms and to verify it {verify} ms, a restore {restore} ms, the first value came after {value} ms;"
        )?;
        write!(f, " fsck took {look} ms")
    }
}
