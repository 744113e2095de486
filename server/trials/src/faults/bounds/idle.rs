//! Connections that say nothing.

use std::{
    fmt,
    net::Ipv4Addr,
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use tokio::{io::AsyncReadExt as _, net::TcpStream, task::JoinSet, time::timeout};

use super::{Extent, PROMPT, cost::Process, others, wire::connect};
use crate::{Result, house::House, node::Node};

/// What a network has open at once, as the server has it without a setting.
pub(super) const PER_ADDRESS: usize = 512;
/// Of [`PER_ADDRESS`], what each stranger opens.
const EACH: usize = 500;
/// What one of them may take of the server's memory.
const MEMORY: u64 = 32 << 10;
/// A head may take twenty seconds: nobody holds a place for nothing longer.
const LET_GO: Duration = Duration::from_secs(40);
/// How many more than its share a network tries to open.
const BEYOND: usize = 40;
/// Files that this program has open beside connections.
const FILES: u64 = 300;

/// What was seen.
#[derive(Debug)]
pub(super) struct Found {
    open: usize,
    each: u64,
    slowest: Duration,
    let_go: Option<Duration>,
}

pub(super) async fn prove(node: &Node, house: &House, extent: Extent) -> Result<Found> {
    let wanted = allowed(extent.idle)?;
    let process = Process::of(node);
    let before = process.resident()?;
    let mut held = Vec::new();
    for n in 0..wanted {
        held.push(connect(stranger(n / EACH), node.port()).await?);
    }
    let slowest = others(node, house).await.with_context(|| format!("beside {wanted} idle connections"))?;
    let each = process.resident()?.saturating_sub(before) / u64::try_from(wanted)?;
    ensure!(each <= MEMORY, "each idle connection takes {each} bytes");
    // Of who came last: those who came first may be let go soon.
    let last = (wanted - 1) / EACH;
    bounded(node, stranger(last), wanted - last * EACH).await?;
    let let_go = if extent.strict { Some(let_go(held).await?) } else { None };
    Ok(Found { open: wanted, each, slowest, let_go })
}

/// The address of the stranger with this number; this machine answers to all that begin with 127.
fn stranger(number: usize) -> Ipv4Addr {
    Ipv4Addr::new(127, 0, 1, u8::try_from(number).unwrap_or(u8::MAX))
}

/// As many as this program may have open, and a sentence where that is less.
#[expect(clippy::print_stdout, reason = "the person who waits reads it")]
pub(super) fn allowed(wanted: usize) -> Result<usize> {
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE)?;
    setrlimit(Resource::RLIMIT_NOFILE, most, most)?;
    let room = usize::try_from(most.saturating_sub(FILES)).unwrap_or(usize::MAX);
    if room < wanted {
        println!("only {room} of {wanted} connections: no more files may be open here (ulimit -Hn)");
    }
    ensure!(room > 0, "too few files may be open: raise `ulimit -Hn`");
    Ok(room.min(wanted))
}

/// Whether a network that has so many open is refused more than its share.
async fn bounded(node: &Node, from: Ipv4Addr, open: usize) -> Result<()> {
    let mut more = Vec::new();
    for _ in 0..PER_ADDRESS - open + BEYOND {
        more.push(connect(from, node.port()).await?);
    }
    let (all, open) = (more.len(), open_after(more, PROMPT).await?);
    let closed = all - open;
    ensure!(closed == BEYOND, "{closed} of {BEYOND} connections beyond a network's share were closed");
    Ok(())
}

/// Waits until the server has closed all of them, and says how long that took.
async fn let_go(held: Vec<TcpStream>) -> Result<Duration> {
    let began = Instant::now();
    let kept = open_after(held, LET_GO).await?;
    ensure!(kept == 0, "{kept} idle connections are open {} s after", LET_GO.as_secs());
    Ok(began.elapsed())
}

/// How many the server has not closed within this time.
async fn open_after(streams: Vec<TcpStream>, wait: Duration) -> Result<usize> {
    let mut waiting = JoinSet::new();
    for mut stream in streams {
        waiting.spawn(async move { timeout(wait, stream.read_to_end(&mut Vec::new())).await.is_err() });
    }
    let mut open = 0;
    while let Some(is_open) = waiting.join_next().await {
        open += usize::from(is_open?);
    }
    Ok(open)
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { open, each, slowest, .. } = self;
        write!(
            f,
            "{open} idle connections of {each} bytes, others answered within {} ms",
            slowest.as_millis()
        )?;
        match self.let_go {
            Some(after) => write!(f, ", all let go after {} s", after.as_secs()),
            None => Ok(()),
        }
    }
}
