//! What anybody may send and leave behind costs no more than it may (S-29, S-30).
//!
//! Must be so: a [`bombs`] is refused at [`CPU`] and [`MEMORY`]; while [`idle`] connections are held open others are answered,
//! and no network has more than its share; a flood of [`starts`] of ceremonies leaves less than it may in memory and on the
//! disk, and whoever is signed in is answered meanwhile; no token, caller, project or server has more [`streams`] than it may, all that are
//! open hear of a change, and they end with the permission.

mod bombs;
mod cost;
mod idle;
mod starts;
mod streams;
mod wire;

use std::{
    fmt,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};

use super::upkeep::fsck;
use crate::{
    Result,
    house::House,
    node::{Node, Plan},
};

/// Of the server, for one bomb.
pub const CPU: Duration = Duration::from_millis(50);
/// Bytes beyond what it had before, for one bomb.
pub const MEMORY: u64 = 8 << 20;
/// Others are answered within this, whatever is open beside them.
const PROMPT: Duration = Duration::from_secs(2);

/// How much of it.
#[derive(Debug, Clone, Copy)]
struct Extent {
    /// Whether an optimized build is tried: others take longer for the same.
    strict: bool,
    idle: usize,
    starts: u32,
}

/// What was seen.
#[derive(Debug)]
pub struct Found {
    bombs: bombs::Found,
    idle: idle::Found,
    starts: starts::Found,
    streams: streams::Found,
}

/// Does all of it once: in full where it is `strict`, else a slice.
pub async fn prove(binary: &Path, folder: &Path, strict: bool) -> Result<Found> {
    let extent = if strict {
        Extent { strict, idle: 5_000, starts: 1_000_000 }
    } else {
        Extent { strict, idle: 1_000, starts: 1_000 }
    };
    // A proxy says for whom it asks; the other addresses of this machine are strangers. What is freed goes back at once,
    // so that nothing hides in memory that something before it has left, and small pages tell what is used exactly.
    let plan = Plan::new(binary, folder.join("bounds"))
        .with("KEYWARDEN_TRUSTED_PROXIES", "127.0.0.1/32")
        .with("KEYWARDEN_LIMITS_CONNECTIONS_PER_ADDRESS", idle::PER_ADDRESS.to_string())
        .with("MIMALLOC_ALLOW_THP", "0")
        .with("MIMALLOC_PURGE_DELAY", "0");
    let node = plan.start().await?;
    let house = House::furnish(&plan, node.url()).await?;
    warm(&node, &house).await?;
    let bombs = bombs::prove(&node, &house, extent).await.context("bombs")?;
    let idle = idle::prove(&node, &house, extent).await.context("idle connections")?;
    let starts = starts::prove(&node, &house, &plan, extent).await.context("starts of ceremonies")?;
    let streams = streams::prove(&node, &house, extent).await.context("streams of changes")?;
    node.stop()?;
    fsck(&plan)?;
    Ok(Found { bombs, idle, starts, streams })
}

/// How long others wait at most.
async fn others(node: &Node, house: &House) -> Result<Duration> {
    let (client, verifier) = (node.client(&house.manager), node.client(&house.verifier));
    let mut slowest = Duration::ZERO;
    for _ in 0..20 {
        let asked = Instant::now();
        client.get("/api/v1/keys").await?.good()?;
        verifier.verify("kwk_live_none").await?.good()?;
        node.stranger().get("/sign-in").await?.good()?;
        slowest = slowest.max(asked.elapsed());
    }
    ensure!(slowest < PROMPT, "others wait {} ms", slowest.as_millis());
    Ok(slowest)
}

/// What every server has once it was used: connections to its records, pages that were drawn once.
async fn warm(node: &Node, house: &House) -> Result<()> {
    let (manager, stranger) = (node.client(&house.manager), node.stranger());
    for _ in 0..50 {
        manager.get("/api/v1/keys").await?.good()?;
        stranger.get("/sign-in").await?.good()?;
    }
    Ok(())
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}; {}; {}", self.bombs, self.idle, self.starts, self.streams)
    }
}
