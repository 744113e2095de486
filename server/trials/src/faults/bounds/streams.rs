//! Streams of changes: as many as may be open, and more.

use std::{
    collections::BTreeSet,
    fmt,
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use serde_json::json;
use tokio::{
    io::AsyncReadExt as _,
    net::TcpStream,
    time::{sleep, timeout_at},
};

use super::{
    Extent,
    cost::Process,
    idle::allowed,
    others,
    wire::{Request, begin},
};
use crate::{
    Result,
    client::Client,
    house::{ENVIRONMENT, House, PROJECT, token},
    node::Node,
};

/// What a token, a caller, a project and a server may hold open.
const PER_TOKEN: usize = 10;
const PER_CALLER: usize = 250;
const PER_PROJECT: usize = 500;
const IN_ALL: usize = 1_000;
/// What one of them may take of the server's memory: its connection, its request, and what it remembers.
const MEMORY: u64 = 64 << 10;
/// For how long they are left alone, and what all of them may take of one processor meanwhile: one part in so many.
const ALONE: Duration = Duration::from_secs(4);
const PART: u32 = 2;
/// All are told of a change within this, and of the end of their permission.
const TOLD: Duration = Duration::from_secs(3);
const END: &str = "event: end\ndata: {\"reason\":\"permission\"}";

/// What was seen.
#[derive(Debug)]
pub(super) struct Found {
    open: usize,
    each: u64,
    cpu: Duration,
    slowest: Duration,
    told: Duration,
    ended: Duration,
}

pub(super) async fn prove(node: &Node, house: &House, extent: Extent) -> Result<Found> {
    let wanted = allowed(if extent.strict { IN_ALL } else { PER_CALLER })?;
    ensure!(wanted >= PER_CALLER, "too few files may be open: raise `ulimit -Hn`");
    let (manager, port, process) = (node.client(&house.manager), node.port(), Process::of(node));
    let mut callers = Vec::new();
    for number in 0..wanted / PER_CALLER {
        let project = project(&manager, number / (PER_PROJECT / PER_CALLER)).await?;
        callers.push(Caller::make(&manager, &project, number, PER_CALLER / PER_TOKEN + 1).await?);
    }
    let late = Caller::make(&manager, PROJECT, callers.len(), 1).await?;
    drop(Stream::open(port, &late.watch()?).await?);

    let (before, mut open) = (process.resident()?, Vec::new());
    for caller in &callers {
        open.push(caller.fill(port).await?);
        if open.len() == PER_PROJECT / PER_CALLER {
            refused(port, &late.watch()?).await.context("one more of a project")?;
        }
    }
    let streams = open.iter().map(Vec::len).sum::<usize>();
    let each = process.resident()?.saturating_sub(before) / u64::try_from(streams)?;
    ensure!(each <= MEMORY, "each stream takes {each} bytes");
    if streams == IN_ALL {
        let elsewhere = project(&manager, wanted.div_ceil(PER_PROJECT)).await?;
        let other = Caller::make(&manager, &elsewhere, wanted, 1).await?;
        refused(port, &other.watch()?).await.context("one more of a server")?;
    }
    let slowest = others(node, house).await.with_context(|| format!("beside {streams} streams"))?;
    let spent = process.cpu()?;
    sleep(ALONE).await;
    let cpu = process.cpu()?.saturating_sub(spent);
    ensure!(!extent.strict || cpu <= ALONE / PART, "{} ms of CPU in {} s", cpu.as_millis(), ALONE.as_secs());

    put(&manager, &callers, "x").await?;
    let told = all_hear(open.iter_mut().flatten(), "\"path\":\"bounds/told\"").await.context("a change")?;
    let (first, mut gone) = callers.iter().zip(open.drain(..1)).next().context("no caller")?;
    manager.post(&format!("/api/v1/workloads/{}/deactivate", first.id), &json!({})).await?.good()?;
    let ended = all_hear(gone.iter_mut(), END).await.context("the end of a permission")?;
    for stream in gone {
        stream.ends().await?;
    }
    // What ended makes room, and goes on for nobody else.
    let mut newest = Stream::open(port, &late.watch()?).await?;
    put(&manager, &callers, "y").await?;
    let heard = open.iter_mut().flatten().chain([&mut newest]);
    all_hear(heard, "\"action\":\"secret.put\"").await.context("a change after others have ended")?;
    Ok(Found { open: streams, each, cpu, slowest, told, ended })
}

/// The first project is the house's own; each further one is made when it is needed first. Its slug.
async fn project(manager: &Client, number: usize) -> Result<String> {
    if number == 0 {
        return Ok(PROJECT.to_owned());
    }
    let slug = format!("watched-{number}");
    if manager.get(&format!("/api/v1/projects/{slug}")).await?.good().is_err() {
        let project = json!({ "slug": slug, "name": slug });
        manager.post("/api/v1/projects", &project).await?.good()?;
        let environment = json!({ "slug": ENVIRONMENT, "name": "Live", "label": "live" });
        manager.post(&format!("/api/v1/projects/{slug}/environments"), &environment).await?.good()?;
    }
    Ok(slug)
}

/// Changes a secret in each project that is watched.
async fn put(manager: &Client, callers: &[Caller], value: &str) -> Result<()> {
    let projects: BTreeSet<_> = callers.iter().map(|caller| caller.project.as_str()).collect();
    for project in projects {
        let secret = format!("/api/v1/projects/{project}/environments/{ENVIRONMENT}/secrets/bounds/told");
        manager.put(&secret, &json!({ "value": value })).await?.good()?;
    }
    Ok(())
}

/// A workload that may see a project's secrets, and its tokens.
struct Caller {
    id: String,
    project: String,
    tokens: Vec<String>,
}

/// What is asked for a stream with.
struct Watch<'a> {
    project: &'a str,
    token: &'a str,
}

impl Caller {
    async fn make(manager: &Client, project: &str, number: usize, tokens: usize) -> Result<Self> {
        let workload = json!({ "name": format!("watcher {number}"), "project": project, "role": "viewer" });
        let id = manager.post("/api/v1/workloads", &workload).await?.text("id")?;
        let mut made = Self { id, project: project.to_owned(), tokens: Vec::new() };
        for _ in 0..tokens {
            made.tokens.push(token(manager, &made.id).await?);
        }
        Ok(made)
    }

    /// With the token that no stream is opened with.
    fn watch(&self) -> Result<Watch<'_>> {
        Ok(self.with(self.tokens.last().context("no token")?))
    }

    fn with<'a>(&'a self, token: &'a str) -> Watch<'a> {
        Watch { project: &self.project, token }
    }

    /// Opens as many streams as it may, and finds that neither a token nor the caller gets more.
    async fn fill(&self, port: u16) -> Result<Vec<Stream>> {
        let mut open = Vec::new();
        for token in self.tokens.iter().take(PER_CALLER / PER_TOKEN) {
            for _ in 0..PER_TOKEN {
                open.push(Stream::open(port, &self.with(token)).await?);
            }
            refused(port, &self.with(token)).await.context("one more of a token")?;
        }
        refused(port, &self.watch()?).await.context("one more of a caller")?;
        Ok(open)
    }
}

/// An open stream, and what was heard on it so far.
struct Stream {
    wire: TcpStream,
    heard: Vec<u8>,
}

impl Stream {
    async fn open(port: u16, watch: &Watch<'_>) -> Result<Self> {
        let (head, heard, wire) = begin(port, &request(watch)).await?;
        ensure!(head.starts_with("http/1.1 200 "), "a stream is not opened: {head}");
        Ok(Self { wire, heard })
    }

    /// Reads until this was said. What is said at once comes in one piece.
    async fn hears(&mut self, what: &str, until: tokio::time::Instant) -> Result<()> {
        while !self.heard.windows(what.len()).any(|it| it == what.as_bytes()) {
            let more = timeout_at(until, self.wire.read_buf(&mut self.heard)).await;
            ensure!(
                more.with_context(|| format!("`{what}` is not told"))?? > 0,
                "a stream ended before `{what}`"
            );
        }
        Ok(())
    }

    async fn ends(mut self) -> Result<()> {
        let until = tokio::time::Instant::now() + TOLD;
        timeout_at(until, self.wire.read_to_end(&mut self.heard)).await.context("a stream goes on")??;
        Ok(())
    }
}

fn request(Watch { project, token }: &Watch<'_>) -> Request {
    let path = format!("/api/v1/secrets/watch?project={project}&environment={ENVIRONMENT}");
    Request::new("GET", &path, &[("Authorization", &format!("Bearer {token}"))], b"")
}

/// Whether a stream more is refused as API callers are, and told when to come back.
async fn refused(port: u16, watch: &Watch<'_>) -> Result<()> {
    let (head, mut body, mut wire) = begin(port, &request(watch)).await?;
    ensure!(head.starts_with("http/1.1 429 "), "it is answered: {head}");
    for header in ["content-type: application/problem+json", "retry-after: "] {
        ensure!(head.contains(header), "no `{header}`: {head}");
    }
    wire.read_to_end(&mut body).await?;
    let said = String::from_utf8_lossy(&body);
    ensure!(said.contains("too-many-streams"), "it is refused for something else: {said}");
    Ok(())
}

/// How long it took until this was said on all of them.
async fn all_hear(streams: impl Iterator<Item = &mut Stream>, what: &str) -> Result<Duration> {
    let (began, until) = (Instant::now(), tokio::time::Instant::now() + TOLD);
    for stream in streams {
        stream.hears(what, until).await?;
    }
    Ok(began.elapsed())
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { open, each, .. } = self;
        let [cpu, slowest, told, ended] =
            [self.cpu, self.slowest, self.told, self.ended].map(|took| took.as_millis());
        write!(f, "{open} streams of {each} bytes took {cpu} ms of CPU in {} s, ", ALONE.as_secs())?;
        write!(
            f,
            "others answered within {slowest} ms, all told within {told} ms and ended within {ended} ms"
        )
    }
}
