//! Ceremonies that strangers begin and never end: signing in, and terminals that ask to be let in.

use std::{
    fmt, fs,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::ensure;
use tokio::task::JoinSet;

use super::{
    Extent,
    cost::{Process, mebibytes},
};
use crate::{
    Result,
    client::Client,
    house::House,
    node::{Node, Plan},
};

/// What all of them may leave in memory, and in the records.
const MOST: u64 = 64 << 20;
/// Who begins them at once.
const CROWD: u32 = 16;
/// Whoever is signed in is answered within this.
const PROMPT: Duration = Duration::from_secs(2);
const PAUSE: Duration = Duration::from_millis(50);

/// What was seen.
#[derive(Debug)]
pub(super) struct Found {
    starts: u32,
    took: Duration,
    memory: u64,
    records: u64,
    slowest: Duration,
}

pub(super) async fn prove(node: &Node, house: &House, plan: &Plan, extent: Extent) -> Result<Found> {
    let process = Process::of(node);
    process.forget_peak()?;
    let (resident, kept) = (process.resident()?, records(plan)?);
    let over = Arc::new(AtomicBool::new(false));
    let mut signed_in = JoinSet::new();
    signed_in.spawn(asking(node.client(&house.manager), Arc::clone(&over)));
    let (began, mut crowd) = (Instant::now(), JoinSet::new());
    let each = extent.starts.div_ceil(CROWD);
    for _ in 0..CROWD {
        crowd.spawn(begin(node.stranger(), each));
    }
    while let Some(begun) = crowd.join_next().await {
        begun??;
    }
    let (starts, took) = (each * CROWD, began.elapsed());
    over.store(true, Ordering::Relaxed);
    let mut slowest = Duration::ZERO;
    while let Some(asked) = signed_in.join_next().await {
        slowest = asked??;
    }
    let memory = process.peak()?.saturating_sub(resident);
    let records = records(plan)?.saturating_sub(kept);
    for (what, grown) in [("memory", memory), ("the records", records)] {
        ensure!(grown < MOST, "{starts} starts leave {} in {what}", mebibytes(grown));
    }
    ensure!(slowest < PROMPT, "who is signed in waits {} ms meanwhile", slowest.as_millis());
    Ok(Found { starts, took, memory, records, slowest })
}

/// Bytes of the records' file.
fn records(plan: &Plan) -> Result<u64> {
    Ok(fs::metadata(plan.folder.join("data/keywarden.db"))?.len())
}

/// Begins so many, each from an address of its own.
async fn begin(stranger: Client, starts: u32) -> Result<()> {
    for start in 0..starts {
        let (path, form) = match start % 2 {
            0 => ("/sign-in/start", ""),
            _ => ("/oauth2/device_authorization", "client_id=x"),
        };
        stranger.post_form(path, form).await?.good()?;
    }
    Ok(())
}

/// Asks until it is over; how long the slowest answer took.
async fn asking(manager: Client, over: Arc<AtomicBool>) -> Result<Duration> {
    let mut slowest = Duration::ZERO;
    while !over.load(Ordering::Relaxed) {
        let asked = Instant::now();
        manager.get("/api/v1/keys").await?.good()?;
        slowest = slowest.max(asked.elapsed());
        tokio::time::sleep(PAUSE).await;
    }
    Ok(slowest)
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { starts, took, memory, records, slowest } = self;
        let (memory, records) = (mebibytes(*memory), mebibytes(*records));
        write!(
            f,
            "{starts} starts in {} s left {memory} in memory and {records} in the records, ",
            took.as_secs()
        )?;
        write!(f, "others answered within {} ms", slowest.as_millis())
    }
}
