//! The long proofs: `faults --binary PATH [kill-sqlite] [kill-postgres] [two-nodes] [cut-off] [disk-full]
//! [disk-full-postgres] [disk-full-token] [parsers] [durable-sqlite] [durable-postgres] [failed-sync-sqlite]
//! [failed-sync-postgres] [restored] [bounds] [hsm]`. A failure names the round; the same seed and `--from` do it again.

#![allow(clippy::arithmetic_side_effects, reason = "it counts rounds, and serves nobody")]

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use clap::{Parser, ValueEnum};
use keywarden_trials::{
    Result,
    database::Engine,
    faults::{
        bounds, cut_off,
        disk_full::{self, Full},
        durable, failed_sync, hsm, kill, parsers, restored, two_nodes,
    },
    progress::{Progress, Voice},
};
use url::Url;

#[derive(Debug, Parser)]
#[command(name = "faults", about = "Breaks a running Keywarden and looks at what is left")]
struct Line {
    /// The `keywarden` to break
    #[arg(long)]
    binary: PathBuf,
    /// A PostgreSQL server on which databases may be made; proofs that need one fail without it
    #[arg(long, env = "KEYWARDEN_TEST_POSTGRES", hide_env_values = true)]
    postgres: Option<Url>,
    /// Rounds of each proof that kills; the others do half as many
    #[arg(long, default_value_t = 200)]
    rounds: u64,
    /// Begin no round of a proof after so many minutes of it, and go on there the next time; `parsers` goes on until then
    #[arg(long)]
    minutes: Option<u64>,
    /// What chance is made from
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The first round
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// Remembers how far each proof is: run again, it goes on there
    #[arg(long)]
    progress: Option<PathBuf>,
    /// Secrets beside those under load in the house that `restored` loses and brings back
    #[arg(long, default_value_t = 0)]
    secrets: usize,
    /// Fail on a start that takes longer than two seconds and where a proof was skipped, and try the bounds in full; meant
    /// for optimized builds
    #[arg(long)]
    strict: bool,
    /// Which proofs; all without a name
    #[arg(value_enum)]
    proofs: Vec<Proof>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Proof {
    KillSqlite,
    KillPostgres,
    TwoNodes,
    CutOff,
    DiskFull,
    DiskFullPostgres,
    DiskFullToken,
    Parsers,
    DurableSqlite,
    DurablePostgres,
    FailedSyncSqlite,
    FailedSyncPostgres,
    Restored,
    Bounds,
    Hsm,
}

fn main() -> ExitCode {
    let line = Line::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let done = runtime.map_err(anyhow::Error::from).and_then(|runtime| runtime.block_on(prove(&line)));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tell(&error);
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stderr, reason = "a command says why it failed")]
fn tell(error: &anyhow::Error) {
    eprintln!("faults: {error:#}");
}

async fn prove(line: &Line) -> Result<()> {
    let mut progress = Progress::open(line.progress.clone())?;
    let all = Proof::value_variants();
    let (mut whole, mut skipped) = (true, Vec::new());
    for proof in if line.proofs.is_empty() { all } else { &line.proofs } {
        let name = proof.to_possible_value().context("a proof's name")?.get_name().to_owned();
        let told = format!("{name} (seed {})", line.seed);
        let folder = tempfile::Builder::new().prefix("keywarden-faults-").tempdir()?;
        let from = line.from.max(progress.done(&told));
        let until = line.minutes.map(|minutes| Instant::now() + Duration::from_mins(minutes));
        let run =
            Run { line, folder: folder.path(), from, until, name: &told, skipped: AtomicBool::new(false) };
        let outcome = run.prove(*proof, &mut progress).await;
        if outcome.is_err() {
            let kept = folder.keep();
            return outcome.with_context(|| format!("{told}; its folder is kept: {}", kept.display()));
        }
        whole &= !run.is_over();
        if run.skipped.load(Ordering::Relaxed) {
            skipped.push(name);
        }
    }
    // What the minutes did not suffice for is gone on with.
    if whole {
        progress.forget()?;
    }
    ensure!(
        !line.strict || skipped.is_empty(),
        "skipped here, and so not proven: {}; what they take is said above",
        skipped.join(", ")
    );
    Ok(())
}

/// One proof's run.
struct Run<'a> {
    line: &'a Line,
    folder: &'a Path,
    from: u64,
    until: Option<Instant>,
    name: &'a str,
    /// Whether it could not be made here.
    skipped: AtomicBool,
}

impl Run<'_> {
    async fn prove(&self, proof: Proof, progress: &mut Progress) -> Result<()> {
        match proof {
            Proof::KillSqlite => self.kill(Engine::Sqlite, progress).await,
            Proof::KillPostgres => self.kill(Engine::Postgres, progress).await,
            Proof::TwoNodes => self.two_nodes(progress).await,
            Proof::CutOff => self.cut_off(progress).await,
            Proof::DiskFull => self.disk_full(Full::Sqlite, progress).await,
            Proof::DiskFullPostgres => self.disk_full(Full::Postgres, progress).await,
            Proof::DiskFullToken => self.disk_full(Full::Token, progress).await,
            Proof::Parsers => self.parsers(progress),
            Proof::DurableSqlite => self.durable(Engine::Sqlite, progress).await,
            Proof::DurablePostgres => self.durable(Engine::Postgres, progress).await,
            Proof::FailedSyncSqlite => self.failed_sync(Engine::Sqlite, progress).await,
            Proof::FailedSyncPostgres => self.failed_sync(Engine::Postgres, progress).await,
            Proof::Restored => self.restored(progress).await,
            Proof::Bounds => self.bounds(progress).await,
            Proof::Hsm => self.hsm(progress).await,
        }
    }

    /// Whether no further round is begun.
    fn is_over(&self) -> bool {
        self.until.is_some_and(|until| Instant::now() >= until)
    }

    /// It cannot be made here; why has been said.
    fn skip(&self) {
        self.skipped.store(true, Ordering::Relaxed);
    }

    /// The rounds that are left, as long as there is time for them.
    fn left(&self, rounds: u64) -> impl Iterator<Item = u64> {
        (self.from..rounds).take_while(|_| !self.is_over())
    }

    /// The rounds that are left; `one` does one of them, and says what was seen so far.
    async fn rounds(
        &self,
        rounds: u64,
        progress: &mut Progress,
        mut one: impl AsyncFnMut(u64) -> Result<String>,
    ) -> Result<()> {
        let mut voice = Voice::new(self.name, rounds);
        for round in self.left(rounds) {
            let found = one(round).await.with_context(|| format!("round {round}"))?;
            voice.round(round + 1, &found);
            progress.note(self.name, round + 1)?;
        }
        Ok(())
    }

    async fn kill(&self, engine: Engine, progress: &mut Progress) -> Result<()> {
        let plan = engine.plan(&self.line.binary, self.folder, self.line.postgres.as_ref())?;
        let mut trial = kill::Trial::new(plan, self.line.seed).await?;
        let one = async |round| Ok(trial.round(round).await?.to_string());
        self.rounds(self.line.rounds, progress, one).await?;
        trial.end(self.line.strict).await
    }

    async fn two_nodes(&self, progress: &mut Progress) -> Result<()> {
        let pair = two_nodes::pair(&self.line.binary, self.folder, self.server()?).await?;
        let mut found = two_nodes::Found::default();
        let one = async |round| {
            two_nodes::round(&pair, round, &mut found).await?;
            Ok(found.to_string())
        };
        self.rounds(self.line.rounds.div_ceil(2), progress, one).await?;
        pair.stop()
    }

    async fn cut_off(&self, progress: &mut Progress) -> Result<()> {
        let rounds = self.line.rounds.div_ceil(10).max(2);
        if self.from >= rounds {
            return Ok(());
        }
        let mut trial = cut_off::Trial::new(&self.line.binary, self.folder, self.server()?).await?;
        let one = async |round| Ok(trial.round(round).await?.to_string());
        self.rounds(rounds, progress, one).await?;
        trial.end()
    }

    async fn disk_full(&self, full: Full, progress: &mut Progress) -> Result<()> {
        let rounds = self.line.rounds.div_ceil(40);
        if self.from >= rounds {
            return Ok(());
        }
        let Some(mut trial) = disk_full::Trial::new(&self.line.binary, self.folder, full).await? else {
            self.skip();
            return Ok(());
        };
        let one = async |_| Ok(trial.round().await?.to_string());
        self.rounds(rounds, progress, one).await?;
        trial.end().await
    }

    /// In a slice there is none of it: the tests have run already, with fewer inputs.
    fn parsers(&self, progress: &mut Progress) -> Result<()> {
        let rounds = if self.until.is_some() { u64::MAX } else { self.line.rounds / 20 };
        let mut found = parsers::Found::default();
        let mut voice = Voice::new(self.name, rounds);
        for round in self.left(rounds) {
            let seed = self.line.seed.wrapping_mul(1_000_000).wrapping_add(round);
            parsers::round(seed, &mut found).with_context(|| format!("round {round}"))?;
            voice.round(round + 1, &found.to_string());
            progress.note(self.name, round + 1)?;
        }
        Ok(())
    }

    /// One round: every act is done once, and nothing is left to chance.
    async fn durable(&self, engine: Engine, progress: &mut Progress) -> Result<()> {
        if self.from > 0 {
            return Ok(());
        }
        let server = self.line.postgres.as_ref();
        let Some(found) = durable::prove(&self.line.binary, self.folder, engine, server).await? else {
            self.skip();
            return Ok(());
        };
        Voice::new(self.name, 1).round(1, &found.to_string());
        progress.note(self.name, 1)
    }

    /// The files beside the database once, before the first round on SQLite.
    async fn failed_sync(&self, engine: Engine, progress: &mut Progress) -> Result<()> {
        let (binary, folder, seed) = (&self.line.binary, self.folder, self.line.seed);
        let rounds = match engine {
            Engine::Sqlite => self.line.rounds.div_ceil(5).max(8),
            Engine::Postgres => self.line.rounds.div_ceil(20),
        };
        if self.from >= rounds {
            return Ok(());
        }
        match engine {
            Engine::Sqlite => {
                if self.from == 0 && !failed_sync::files::prove(binary, folder).await? {
                    self.skip();
                    return Ok(());
                }
                let trial = failed_sync::sqlite::Trial::new(binary, folder, seed).await?;
                let Some(mut trial) = trial else {
                    self.skip();
                    return Ok(());
                };
                let one = async |round| Ok(trial.round(round).await?.to_string());
                self.rounds(rounds, progress, one).await?;
                trial.end()
            }
            Engine::Postgres => {
                let trial = failed_sync::postgres::Trial::new(binary, folder, seed).await?;
                let Some(mut trial) = trial else {
                    self.skip();
                    return Ok(());
                };
                let one = async |round| Ok(trial.round(round).await?.to_string());
                self.rounds(rounds, progress, one).await?;
                trial.end()
            }
        }
    }

    /// By turns on SQLite and PostgreSQL.
    async fn restored(&self, progress: &mut Progress) -> Result<()> {
        let mut found = restored::Found::default();
        let one = async |round: u64| {
            let folder = self.folder.join(round.to_string());
            let engine = if round.is_multiple_of(2) { Engine::Sqlite } else { Engine::Postgres };
            let on = (engine, self.line.postgres.as_ref());
            let done = restored::round((&self.line.binary, &folder), on, self.line.secrets, &mut found).await;
            done.with_context(|| format!("on {engine}"))?;
            Ok(found.to_string())
        };
        self.rounds(self.line.rounds.div_ceil(20).max(2), progress, one).await
    }

    /// One round.
    async fn bounds(&self, progress: &mut Progress) -> Result<()> {
        if self.from > 0 {
            return Ok(());
        }
        let found = bounds::prove(&self.line.binary, self.folder, self.line.strict).await?;
        Voice::new(self.name, 1).round(1, &found.to_string());
        progress.note(self.name, 1)
    }

    async fn hsm(&self, progress: &mut Progress) -> Result<()> {
        let rounds = self.line.rounds.div_ceil(40);
        if self.from >= rounds {
            return Ok(());
        }
        let mut trial = hsm::Trial::new(&self.line.binary, self.folder, self.line.strict).await?;
        let one = async |round| Ok(trial.round(round).await?.to_string());
        self.rounds(rounds, progress, one).await?;
        trial.end()
    }

    fn server(&self) -> Result<&Url> {
        self.line.postgres.as_ref().context("name a PostgreSQL server: --postgres or KEYWARDEN_TEST_POSTGRES")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn words(text: &str) -> BTreeSet<&str> {
        text.split(|letter: char| !letter.is_ascii_lowercase() && letter != '-').collect()
    }

    #[test]
    fn every_proof_is_in_the_table_of_what_befalls_a_house_and_runs_each_week_and_in_a_slice() {
        let (_, table) = include_str!("../../../../.github/ARCHITECTURE.md")
            .split_once("## What befalls a house")
            .expect("the table");
        let (_, slice) = include_str!("../../../../.ci/faults").split_once("slice ]]").expect("a slice");
        let (slice, _) = slice.split_once("\nfi").expect("its end");
        let weekly = include_str!("../../../../.github/workflows/weekly.yml");
        let [table, slice, weekly] = [table, slice, weekly].map(words);
        for proof in Proof::value_variants() {
            let named = proof.to_possible_value().unwrap();
            let name = named.get_name();
            assert!(table.contains(name), "{name} has no line in the table");
            assert!(weekly.contains(name), "{name} does not run each week");
            assert_eq!(slice.contains(name), *proof != Proof::Parsers, "{name} in the slice");
        }
    }
}
