//! The figures: `bench --binary PATH --fixtures FOLDER`. The binary is built with the feature `bare`.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use anyhow::Context as _;
use clap::{Parser, ValueEnum};
use keywarden_trials::{
    Result,
    bench::{
        bao::Bao,
        decisions,
        draw::Draw,
        fixture::Fixture,
        lists::{self, Figure},
        secrets::{self, Compared, Servers},
        sizes,
        stock::Stock,
        table::Table,
        verify,
        wrk::{Load, by_turns},
    },
    database::Engine,
    faults::restored,
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
    /// Secrets of the server that has many
    #[arg(long, default_value_t = 1_000_000)]
    secrets: usize,
    /// Secrets of the house that is lost and brought back
    #[arg(long, default_value_t = 100_000)]
    restored: usize,
    /// OpenBao's program, to be compared with
    #[arg(long, env = "KEYWARDEN_TEST_BAO")]
    bao: Option<PathBuf>,
    /// The program that measures decisions
    #[arg(long)]
    decisions: Option<PathBuf>,
    /// Which figures; all without a name
    #[arg(value_enum)]
    figures: Vec<Figures>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Figures {
    Sizes,
    Decisions,
    Verify,
    ListsSqlite,
    ListsPostgres,
    Many,
    SecretsSqlite,
    SecretsPostgres,
    ManySecrets,
    RestoreSqlite,
    RestorePostgres,
}

const FEW: usize = 1_000;
/// The slowest twentieth of the answers to a list.
const P95: Duration = Duration::from_millis(50);

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

async fn measure(line: &Line) -> Result<()> {
    let (all, mut table) = (Figures::value_variants(), Table::default());
    for figures in if line.figures.is_empty() { all } else { &line.figures } {
        match figures {
            Figures::Sizes => tell_sizes(line, &mut table)?,
            Figures::Decisions => tell_decisions(line, &mut table)?,
            Figures::Verify => tell_verify(line, &mut table).await?,
            Figures::ListsSqlite => tell_lists(line, &mut table, Engine::Sqlite).await?,
            Figures::ListsPostgres => tell_lists(line, &mut table, Engine::Postgres).await?,
            Figures::Many => tell_many(line, &mut table).await?,
            Figures::SecretsSqlite => tell_secrets(line, &mut table, Engine::Sqlite).await?,
            Figures::SecretsPostgres => tell_secrets(line, &mut table, Engine::Postgres).await?,
            Figures::ManySecrets => tell_many_secrets(line, &mut table).await?,
            Figures::RestoreSqlite => tell_restored(line, &mut table, Engine::Sqlite).await?,
            Figures::RestorePostgres => tell_restored(line, &mut table, Engine::Postgres).await?,
        }
    }
    table.end()
}

fn tell_sizes(line: &Line, table: &mut Table) -> Result<()> {
    let Some(site) = &line.site else { return Ok(()) };
    for size in sizes::measure(site)? {
        table.tell(&format!("bytes, {}", size.name), &format!("{} (brotli {})", size.plain, size.brotli));
    }
    Ok(())
}

fn tell_decisions(line: &Line, table: &mut Table) -> Result<()> {
    let program = line.decisions.as_ref().context("name the program that measures decisions: --decisions")?;
    decisions::measure(program, table)
}

async fn tell_verify(line: &Line, table: &mut Table) -> Result<()> {
    let fixture = Fixture::of(line.plan("few"), FEW).await?;
    let folder = tempfile::tempdir()?;
    let script = folder.path().join("few.lua");
    verify::script(&script, &fixture, FEW, Draw::Zipf)?;
    let (node, _) = fixture.start_warm().await?;
    table.tell("memory, 1 000 keys, idle", &mebibytes(verify::idle(&node).await?));
    let bare = verify::bare(&line.plan("bare")).await?;
    let [ours, bare] = by_turns([(&script, &node.url()), (&script, &bare.url())])?;
    table.tell("verify, 1 000 keys, 32 connections", &shown(ours));
    table.tell("a bare handler, the same requests", &shown(bare));
    let ratio = ours.per_second / bare.per_second;
    table.judge("verify to bare (at least 0.70)", &format!("{ratio:.2}"), ratio >= 0.70);
    node.stop()
}

async fn tell_lists(line: &Line, table: &mut Table, engine: Engine) -> Result<()> {
    let name = format!("listed-{engine}");
    let plan = match engine {
        Engine::Sqlite => line.plan(&name),
        Engine::Postgres => line.plan_anew(&name, engine)?,
    };
    let fixture = Fixture::of(plan, line.listed).await?;
    let (node, client) = fixture.start().await?;
    for figure in lists::measure(&fixture, &client).await? {
        let what = format!("{engine}, {} keys, {}", line.listed, figure.name);
        table.judge(&what, &format!("{} (p95 at most 50)", timed(&figure)), figure.p95 <= P95);
    }
    node.stop()
}

async fn tell_many(line: &Line, table: &mut Table) -> Result<()> {
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
    table.tell(&format!("{} keys in memory after", line.many), &format!("{:.1} s", took.as_secs_f64()));
    table.tell(&format!("memory, {} keys, idle", line.many), &mebibytes(many_node.resident()?));
    let [few, zipf] = by_turns([(&small, &few_node.url()), (&large, &many_node.url())])?;
    table.tell("verify, 1 000 keys, Zipf", &shown(few));
    table.tell(&format!("verify, {} keys, Zipf", line.many), &shown(zipf));
    let ratio = zipf.per_second / few.per_second;
    table.judge("many to few (at least 0.90)", &format!("{ratio:.2}"), ratio >= 0.90);
    let [_, flat] = by_turns([(&small, &few_node.url()), (&flat, &many_node.url())])?;
    table.tell(&format!("verify, {} keys, uniform", line.many), &shown(flat));
    table.tell(&format!("memory, {} keys, after the load", line.many), &mebibytes(many_node.resident()?));
    few_node.stop()?;
    many_node.stop()
}

/// A server of this run's own, for each put leaves a version, beside the bare one and OpenBao.
async fn tell_secrets(line: &Line, table: &mut Table, engine: Engine) -> Result<()> {
    let stock = Stock::of(line.plan_anew(&format!("secrets-{engine}"), engine)?, FEW).await?;
    let folder = tempfile::tempdir()?;
    let told = |what: &str| format!("{engine}, {FEW} secrets, {what}");
    if engine == Engine::Sqlite {
        let bytes = secrets::growth(&stock, folder.path()).await?;
        table.tell(&told("bytes of the record for a reading"), &bytes.to_string());
    }
    let bao = line.bao(table).await?;
    if let Some(bao) = &bao {
        secrets::fill(bao, &stock).await?;
        let bytes = secrets::bao_growth(bao, &stock, folder.path())?;
        table.tell("OpenBao, bytes of its audit file for a reading", &bytes.to_string());
    }
    let (ours, _) = stock.start().await?;
    let bare = verify::bare(&line.plan("bare")).await?;
    let (stock, bao, folder) = (&stock, bao.as_ref(), folder.path());
    let servers = Servers { stock, ours: &ours, bare: &bare, bao, folder };
    tell_compared(table, &told("read a value"), servers.read()?);
    tell_compared(table, &told("put a new version"), servers.put()?);
    ours.stop()?;
    if engine == Engine::Sqlite {
        let bytes = secrets::growth_by_puts(stock, folder).await?;
        table.tell(&told("bytes of the database for a new version"), &bytes.to_string());
    }
    Ok(())
}

async fn tell_many_secrets(line: &Line, table: &mut Table) -> Result<()> {
    let stock =
        Stock::of(line.plan("many-secrets"), line.secrets).await.context("the server of many secrets")?;
    let folder = tempfile::tempdir()?;
    let told = |what: &str| format!("{} secrets, {what}", line.secrets);
    let (node, manager) = stock.start().await?;
    table.tell(&told("memory, idle"), &mebibytes(verify::idle(&node).await?));
    for figure in secrets::lists(&stock, &manager, &node.client(&stock.reader)).await? {
        table.tell(&told(figure.name), &timed(&figure));
    }
    table.tell(
        &told("read, uniform, 32 connections"),
        &shown(secrets::uniform(&stock, &node, folder.path())?),
    );
    let (keys, per_second) = secrets::rewrap(&manager).await?;
    table.tell(&told("rewrap of a project's key"), &format!("{keys} data keys, {per_second:.0} per second"));
    table.tell(&told("memory, after the load"), &mebibytes(node.resident()?));
    node.stop()
}

/// Two houses of this run's own: one is backed up under load and lost, and brought back as the other.
async fn tell_restored(line: &Line, table: &mut Table, engine: Engine) -> Result<()> {
    let folder = line.anew(&format!("restored-{engine}"))?;
    let (binary, on, secrets) = (&line.binary, (engine, line.postgres.as_ref()), line.restored);
    let (took, _) = restored::bring_back((binary, &folder), on, secrets).await?;
    std::fs::remove_dir_all(folder)?;
    let told = |what: &str| format!("{engine}, {secrets} secrets, {what}");
    let seconds = |took: Duration| format!("{:.1} s", took.as_secs_f64());
    table.tell(&told("backup under load"), &format!("{}, {}", seconds(took.backup), mebibytes(took.bytes)));
    table.tell(&told("verify the backup"), &seconds(took.verify));
    table.tell(&told("restore"), &seconds(took.restore));
    let bar = restored::bar(secrets);
    let value = format!("{} (at most {})", seconds(took.value), bar.as_secs());
    table.judge(&told("restore to first value"), &value, took.value <= bar);
    table.tell(&told("fsck"), &seconds(took.look));
    Ok(())
}

fn tell_compared(table: &mut Table, what: &str, Compared { ours, bare, bao }: Compared) {
    table.tell(what, &shown(ours));
    table.tell("  a bare handler, the same requests", &shown(bare));
    table.tell("  to bare", &format!("{:.2}", ours.per_second / bare.per_second));
    if let Some(bao) = bao {
        table.tell("  OpenBao, the same values", &shown(bao));
        let ratio = ours.per_second / bao.per_second;
        table.judge("  to OpenBao (at least 1)", &format!("{ratio:.2}"), ratio >= 1.0);
    }
}

impl Line {
    fn plan(&self, name: &str) -> Plan {
        Plan::new(&self.binary, self.folder(name))
    }

    /// Of a server of this run's own: its records, and all that is in them, are made anew.
    fn plan_anew(&self, name: &str, engine: Engine) -> Result<Plan> {
        engine.plan(&self.binary, &self.anew(name)?, self.postgres.as_ref())
    }

    /// A folder in which nothing is.
    fn anew(&self, name: &str) -> Result<PathBuf> {
        let folder = self.folder(name);
        if folder.exists() {
            std::fs::remove_dir_all(&folder)?;
        }
        Ok(folder)
    }

    /// OpenBao, where its program is there.
    async fn bao(&self, table: &Table) -> Result<Option<Bao>> {
        match self.bao.as_ref().filter(|program| !program.as_os_str().is_empty()) {
            Some(program) => Ok(Some(Bao::start(program, &self.folder("bao")).await?)),
            None => {
                table.tell("OpenBao", "not compared: --bao or KEYWARDEN_TEST_BAO names no program");
                Ok(None)
            }
        }
    }

    fn folder(&self, name: &str) -> PathBuf {
        Path::new(&self.fixtures).join(name)
    }
}

fn shown(load: Load) -> String {
    let Load { per_second, p50, p95, p99, .. } = load;
    format!("{per_second:.0} per second, p50 {p50:.2} ms, p95 {p95:.2} ms, p99 {p99:.2} ms")
}

fn timed(figure: &Figure) -> String {
    let [p50, p95, p99] = [figure.p50, figure.p95, figure.p99].map(|took| took.as_secs_f64() * 1e3);
    format!("p50 {p50:.1} ms, p95 {p95:.1} ms, p99 {p99:.1} ms")
}

fn mebibytes(bytes: u64) -> String {
    format!("{} MiB", bytes >> 20)
}
