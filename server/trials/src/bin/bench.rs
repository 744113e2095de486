//! The figures: `bench --binary PATH --fixtures FOLDER`. The binary is built with the feature `bare`.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context as _;
use clap::{Parser, ValueEnum};
use keywarden_trials::{
    Result,
    bench::{draw::Draw, fixture::Fixture, lists, sizes, verify, wrk::Load},
    database::Engine,
    node::Plan,
};
use url::Url;

#[derive(Debug, Parser)]
#[command(name = "bench", about = "Measures a running Keywarden on real paths and prints a table")]
struct Line {
    /// The `keywarden` to measure
    #[arg(long)]
    binary: PathBuf,
    /// Where servers with many keys are kept between runs
    #[arg(long)]
    fixtures: PathBuf,
    /// The bundle that browsers load
    #[arg(long)]
    site: Option<PathBuf>,
    /// A PostgreSQL server on which databases may be made
    #[arg(long, env = "KEYWARDEN_TEST_POSTGRES", hide_env_values = true)]
    postgres: Option<Url>,
    /// Keys of the large server
    #[arg(long, default_value_t = 1_000_000)]
    many: usize,
    /// Keys of the servers whose lists are read
    #[arg(long, default_value_t = 100_000)]
    listed: usize,
    /// Which figures; all without a name
    #[arg(value_enum)]
    figures: Vec<Figures>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Figures {
    Sizes,
    Verify,
    ListsSqlite,
    ListsPostgres,
    Many,
}

const FEW: usize = 1_000;

fn main() -> ExitCode {
    let line = Line::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let done = runtime.map_err(anyhow::Error::from).and_then(|runtime| runtime.block_on(measure(&line)));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error);
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stderr, reason = "a command says why it failed")]
fn complain(error: &anyhow::Error) {
    eprintln!("bench: {error:#}");
}

#[expect(clippy::print_stdout, reason = "the table is what the command is for")]
fn tell(what: &str, figure: &str) {
    println!("{what:44} {figure}");
}

async fn measure(line: &Line) -> Result<()> {
    let all = Figures::value_variants();
    for figures in if line.figures.is_empty() { all } else { &line.figures } {
        match figures {
            Figures::Sizes => tell_sizes(line)?,
            Figures::Verify => tell_verify(line).await?,
            Figures::ListsSqlite => tell_lists(line, Engine::Sqlite).await?,
            Figures::ListsPostgres => tell_lists(line, Engine::Postgres).await?,
            Figures::Many => tell_many(line).await?,
        }
    }
    Ok(())
}

fn tell_sizes(line: &Line) -> Result<()> {
    let Some(site) = &line.site else { return Ok(()) };
    for size in sizes::measure(site)? {
        tell(&format!("bytes, {}", size.name), &format!("{} (brotli {})", size.plain, size.brotli));
    }
    Ok(())
}

async fn tell_verify(line: &Line) -> Result<()> {
    let fixture = Fixture::of(line.plan("few"), FEW).await?;
    let folder = tempfile::tempdir()?;
    let script = folder.path().join("few.lua");
    verify::script(&script, &fixture, FEW, Draw::Zipf)?;
    let (node, _) = fixture.start_warm().await?;
    tell("memory, 1 000 keys, idle", &mebibytes(verify::idle(&node).await?));
    let bare = verify::bare(&line.plan("bare")).await?;
    let (ours, bare) = verify::by_turns((&script, &node.url()), (&script, &bare.url()))?;
    tell("verify, 1 000 keys, 32 connections", &shown(ours));
    tell("a bare handler, the same requests", &shown(bare));
    tell("verify to bare (at least 0.70)", &format!("{:.2}", ours.per_second / bare.per_second));
    node.stop()
}

async fn tell_lists(line: &Line, engine: Engine) -> Result<()> {
    let name = format!("listed-{engine}");
    let plan = match engine {
        Engine::Sqlite => line.plan(&name),
        // A server of this run's own: its database, and so the keys, are made anew.
        Engine::Postgres => {
            let folder = line.fixtures.join(&name);
            if folder.exists() {
                std::fs::remove_dir_all(&folder)?;
            }
            Engine::Postgres.plan(&line.binary, &folder, line.postgres.as_ref())?
        }
    };
    let fixture = Fixture::of(plan, line.listed).await?;
    let (node, client) = fixture.start().await?;
    for figure in lists::measure(&fixture, &client).await? {
        let what = format!("{engine}, {} keys, {}", line.listed, figure.name);
        let (p50, p95) = (figure.p50.as_secs_f64() * 1e3, figure.p95.as_secs_f64() * 1e3);
        tell(&what, &format!("p50 {p50:.1} ms, p95 {p95:.1} ms (at most 50)"));
    }
    node.stop()
}

async fn tell_many(line: &Line) -> Result<()> {
    let few = Fixture::of(line.plan("few"), FEW).await?;
    let many = Fixture::of(line.plan("many"), line.many).await.context("the large server")?;
    let folder = tempfile::tempdir()?;
    let (small, large, flat) =
        (folder.path().join("small.lua"), folder.path().join("large.lua"), folder.path().join("flat.lua"));
    verify::script(&small, &few, FEW, Draw::Zipf)?;
    verify::script(&large, &many, line.many, Draw::Zipf)?;
    verify::script(&flat, &many, line.many, Draw::Uniform)?;
    let (few_node, _) = few.start_warm().await?;
    let (many_node, took) = many.start_warm().await?;
    tell(&format!("{} keys in memory after", line.many), &format!("{:.1} s", took.as_secs_f64()));
    tell(&format!("memory, {} keys, idle", line.many), &mebibytes(many_node.resident()?));
    let (few, zipf) = verify::by_turns((&small, &few_node.url()), (&large, &many_node.url()))?;
    tell("verify, 1 000 keys, Zipf", &shown(few));
    tell(&format!("verify, {} keys, Zipf", line.many), &shown(zipf));
    tell("many to few (at least 0.90)", &format!("{:.2}", zipf.per_second / few.per_second));
    let (_, flat) = verify::by_turns((&small, &few_node.url()), (&flat, &many_node.url()))?;
    tell(&format!("verify, {} keys, uniform", line.many), &shown(flat));
    tell(&format!("memory, {} keys, after the load", line.many), &mebibytes(many_node.resident()?));
    few_node.stop()?;
    many_node.stop()
}

impl Line {
    fn plan(&self, name: &str) -> Plan {
        Plan::new(&self.binary, self.folder(name))
    }

    fn folder(&self, name: &str) -> PathBuf {
        Path::new(&self.fixtures).join(name)
    }
}

fn shown(load: Load) -> String {
    format!("{:.0} per second, p50 {:.2} ms, p99 {:.2} ms", load.per_second, load.p50, load.p99)
}

fn mebibytes(bytes: u64) -> String {
    format!("{} MiB", bytes >> 20)
}
