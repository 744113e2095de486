//! `keywarden restore`: an encrypted backup into an empty database, while no server runs; applying events that came after
//! it, and opening the doors.

mod report;

use std::{
    fs::File,
    io::{BufReader, Write},
    path::PathBuf,
};

use chrono::{DateTime, Utc};
use clap::Subcommand;
use http::Method;
use keywarden_domain::backup::{ApplyEvents, EventsReport, Restored, verify};
use keywarden_store::Store;
use keywarden_vault::{SealError, recovery};
use tokio::task::spawn_blocking;

use super::{Failure, shown_at};
use crate::{
    config::Config,
    data_dir,
    operator::{self, Accept, Accepted, WantedEvents},
    seals::Seals,
    wire::{self, WireError},
};

#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(super) struct Arguments {
    /// The backup
    #[arg(required = true)]
    file: Option<PathBuf>,
    /// The recovery key's file, or one for each share
    #[arg(long, value_name = "FILE", required = true)]
    recovery_key: Vec<PathBuf>,
    /// Events of after the backup, as `keywarden audit export` kept them: what they took away is taken away again
    #[arg(long, value_name = "FILE")]
    events: Vec<PathBuf>,
    #[command(flatten)]
    until: Until,
    #[command(subcommand)]
    what: Option<What>,
}

/// When the doors open.
#[derive(Debug, clap::Args)]
struct Until {
    /// The events have to reach this instant, as in `2027-01-31T00:00:00Z`; otherwise as far as they do
    #[arg(long, value_name = "INSTANT")]
    complete_until: Option<DateTime<Utc>>,
    /// Open the doors if nothing was missing: what was done after the last event is given up
    #[arg(long)]
    accept_gap: bool,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Open the doors of a restored server: what was done after the instant is lost, revocations too
    Accept {
        /// The instant of the backup, or of the last event that was applied, as the server's page and `keywarden status` name it
        from: DateTime<Utc>,
    },
    /// Take away again, while the doors are shut, what events of after the backup took away; nothing is given by them
    Apply {
        /// A file that `keywarden audit export` wrote; the server reads it
        #[arg(long, value_name = "FILE", required = true)]
        events: Vec<PathBuf>,
        #[command(flatten)]
        until: Until,
    },
}

pub(super) async fn run(config: &Config, arguments: Arguments) -> Result<(), Failure> {
    let Arguments { file, recovery_key, events, until, what } = arguments;
    match (what, file) {
        (Some(What::Accept { from }), _) => accept(config, from).await,
        (Some(What::Apply { events, until }), _) => apply(config, events, &until).await,
        (None, Some(_)) if events.is_empty() && (until.accept_gap || until.complete_until.is_some()) => {
            Err(Failure::Usage("say which events: `--events FILE`"))
        }
        (None, Some(file)) => restore(config, file, &recovery_key, &events, &until).await,
        (None, None) => Err(Failure::Usage("say what: `keywarden restore FILE --recovery-key FILE`")),
    }
}

async fn restore(
    config: &Config,
    file: PathBuf,
    keys: &[PathBuf],
    events: &[PathBuf],
    until: &Until,
) -> Result<(), Failure> {
    data_dir::prepare(&config.data_dir)?;
    // The server must stand still: it holds this lock while it runs.
    let _lock = data_dir::lock(&config.data_dir)?;
    let key = recovery::load(keys)?;
    let open = move || File::open(&file).map(BufReader::new);
    // All of it, before anything is made.
    verify(&open, Some(&key))?;
    let events = operator::opened(events).map_err(Failure::io("read the events"))?;
    let (_, env) = wire::world()?;
    let seals = Seals::prepare(config, &env).map_err(WireError::from)?;
    let store = Store::open_to_fill(&wire::location(&config.database)).await;
    let store = store.map_err(|cause| WireError::Database { cause })?;
    let domain = wire::domain(config, store, env, Some(&seals))?;
    if !domain.has_keyring().await.map_err(WireError::from)? {
        let lent = seals.clone();
        let made = spawn_blocking(move || lent.create()).await;
        let told =
            |cause: SealError| std::io::Error::other(format!("{cause}{}", seals.runs_as().doubt(&cause)));
        made.map_err(std::io::Error::other)
            .and_then(|made| made.map_err(told))
            .map_err(Failure::io("make the seal's key"))?;
    }
    let restored = domain.restore(open, key, &seals.all()).await?;
    print(&restored).map_err(Failure::io("print"))?;
    if events.is_empty() {
        return Ok(());
    }
    let unsealed = domain.unseal(&seals.all()).await.map_err(std::io::Error::other);
    unsealed.map_err(Failure::io("open the keyring"))?;
    let how = ApplyEvents { complete_until: until.complete_until, accept_gap: until.accept_gap };
    let report = domain.apply_events(&domain.shell_op(), events, how).await?;
    tell(&report, until)
}

async fn apply(config: &Config, events: Vec<PathBuf>, until: &Until) -> Result<(), Failure> {
    // The server has another working folder than the shell.
    let files: Vec<_> = events
        .iter()
        .map(std::path::absolute)
        .collect::<Result<_, _>>()
        .map_err(Failure::io("find the folder"))?;
    let wanted = WantedEvents { files, complete_until: until.complete_until, accept_gap: until.accept_gap };
    let socket = config.operator_socket();
    let report: EventsReport =
        operator::call(&socket, Method::POST, "/restores/events", Some(&wanted)).await?;
    tell(&report, until)
}

fn tell(report: &EventsReport, until: &Until) -> Result<(), Failure> {
    report::print(&mut std::io::stdout().lock(), report).map_err(Failure::io("print"))?;
    if report.complete && (report.accepted || !until.accept_gap) {
        return Ok(());
    }
    Err(Failure::Shut(shown_at(report.until)))
}

fn print(restored: &Restored) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    let made = shown_at(restored.manifest.made_at);
    writeln!(
        out,
        "{} rows of the backup of {made} are back, and the keyring is under this machine's seal.",
        restored.rows
    )?;
    for (seal, projects) in &restored.apart {
        let projects = projects.join(", ");
        writeln!(
            out,
            "Secrets of {projects} are opened by their own seal `{seal}` alone: set it in KEYWARDEN_SEAL_PROJECTS."
        )?;
    }
    writeln!(
        out,
        "What was changed, revoked or destroyed after {made} is undone. The server stays closed until events\n\
         that were exported elsewhere are applied, `keywarden restore apply --events FILE`, and what is lost is accepted,\n\
         `keywarden restore accept {made}`."
    )
}

async fn accept(config: &Config, from: DateTime<Utc>) -> Result<(), Failure> {
    let wanted = Accept { made_at: from };
    let socket = config.operator_socket();
    let accepted: Accepted = operator::call(&socket, Method::POST, "/restores/accept", Some(&wanted)).await?;
    let mut out = std::io::stdout().lock();
    writeln!(out, "accepted: what was done after {} is lost; the doors open", shown_at(accepted.reached))
        .map_err(Failure::io("print"))
}
