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
    node::Plan,
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
    slowest: Duration,
    /// The slowest backup, its bytes, and the slowest restore without what follows it.
    backup: Duration,
    bytes: u64,
    restore: Duration,
    /// The slowest `fsck` of what was brought back.
    look: Duration,
}

/// How far one putter is.
#[derive(Debug, Default)]
struct Putter {
    asked: AtomicU64,
    acknowledged: AtomicU64,
}

/// One house that is lost, and one that it is brought back to.
pub async fn round(
    (binary, folder): (&Path, &Path),
    (engine, server): (Engine, Option<&Url>),
    secrets: usize,
    found: &mut Found,
) -> Result<()> {
    let plan = engine.plan(binary, &folder.join("lost"), server)?;
    let node = plan.start().await?;
    let house = House::furnish(&plan, node.url()).await?;
    let recovery = Recovery::arrange(&plan)?;
    let manager = node.client(&house.manager);
    for from in (0..secrets).step_by(stock::BATCH) {
        stock::import(&manager, (from, (from + stock::BATCH).min(secrets))).await?;
    }
    let stop = Arc::new(AtomicBool::new(false));
    let putters: Vec<_> = (0..PUTTERS).map(|_| Arc::new(Putter::default())).collect();
    let mut load = JoinSet::new();
    for (number, putter) in putters.iter().enumerate() {
        load.spawn(put_until(node.client(&house.manager), number, Arc::clone(putter), Arc::clone(&stop)));
    }
    tokio::time::sleep(LOAD).await;
    // On a busy machine a first value takes its time.
    let began = Instant::now();
    while putters.iter().any(|it| it.acknowledged.load(Ordering::SeqCst) == 0) {
        ensure!(began.elapsed() < BACK, "a value is not put");
        tokio::time::sleep(LOOK).await;
    }
    let before: Vec<_> = putters.iter().map(|it| it.acknowledged.load(Ordering::SeqCst)).collect();
    let backup = plan.folder.join("house.kwb");
    let (asking, to) = (plan.clone(), text(&backup)?.to_owned());
    let began = Instant::now();
    let backing_up = move || asking.run_within(ENDS * times(secrets), &["backup", "--to", &to]);
    tokio::task::spawn_blocking(backing_up).await??;
    found.backup = found.backup.max(began.elapsed());
    found.bytes = found.bytes.max(std::fs::metadata(&backup)?.len());
    let after: Vec<_> = putters.iter().map(|it| it.asked.load(Ordering::SeqCst)).collect();
    tokio::time::sleep(LOAD).await;
    stop.store(true, Ordering::SeqCst);
    while let Some(put) = load.join_next().await {
        put??;
    }
    node.kill()?;

    let began = Instant::now();
    let empty = engine.plan(binary, &folder.join("empty"), server)?;
    std::fs::create_dir_all(&empty.folder)?;
    let restoring = ["restore", text(&backup)?, "--recovery-key", text(recovery.key())?];
    let said = empty.run_within(ENDS * times(secrets), &restoring)?;
    found.restore = found.restore.max(began.elapsed());
    let made_at = said.split_once("the backup of ").and_then(|(_, rest)| rest.split_whitespace().next());
    let made_at = made_at.with_context(|| format!("a restore of no backup: {said}"))?.to_owned();
    // Nobody need wait for the look at it.
    let looking = Instant::now();
    empty.run_within(ENDS * times(secrets), &["fsck"]).context("what was brought back")?;
    found.look = found.look.max(looking.elapsed());
    let began = began + looking.elapsed();
    let accepting = empty.clone();
    let accepted = tokio::task::spawn_blocking(move || accept(&accepting, &made_at));
    let node = empty.start().await?;
    accepted.await??;
    let manager = node.client(&house.manager);
    for (number, (before, after)) in before.into_iter().zip(after).enumerate() {
        let newest = check(&manager, number, before, after).await?;
        if number == 0 {
            found.slowest = found.slowest.max(began.elapsed());
            let late = began.elapsed();
            ensure!(late <= BACK * times(secrets), "the first value came too late: {found}");
        }
        found.values += newest;
    }
    for number in (0..secrets).step_by(SOME) {
        let there = manager.get(&stock::address(&stock::path(number))).await?.text("value")?;
        ensure!(there == stock::value(number), "secret {number} came back as another value");
    }
    found.rounds += 1;
    node.stop()?;
    empty.run_within(ENDS * times(secrets), &["fsck"]).context("the house that goes on").map(drop)
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
        write!(
            f,
            "{} houses were brought back with {} values; a backup of {} KiB took {} ms, a restore {} ms, the first value came \
             after {} ms; fsck took {} ms",
            self.rounds,
            self.values,
            self.bytes / 1024,
            self.backup.as_millis(),
            self.restore.as_millis(),
            self.slowest.as_millis(),
            self.look.as_millis()
        )
    }
}
