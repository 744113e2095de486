//! `keywarden restore`: an encrypted backup into an empty database, while no server runs; and opening the doors after it.

use std::{
    fs::File,
    io::{BufReader, Write},
    path::PathBuf,
};

use chrono::{DateTime, Utc};
use clap::Subcommand;
use http::Method;
use keywarden_domain::backup::{Restored, verify};
use keywarden_store::Store;
use keywarden_vault::recovery;
use tokio::task::spawn_blocking;

use super::{Failure, shown_at};
use crate::{
    config::Config,
    data_dir,
    operator::{self, Accept, Accepted},
    seals::{self, Seals},
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
    #[command(subcommand)]
    what: Option<What>,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Open the doors of a restored server: what was done after the backup is lost, revocations too
    Accept {
        /// The instant of the backup, as the server's page and `keywarden status` name it
        made_at: DateTime<Utc>,
    },
}

pub(super) async fn run(config: &Config, arguments: Arguments) -> Result<(), Failure> {
    match (arguments.what, arguments.file) {
        (Some(What::Accept { made_at }), _) => accept(config, made_at).await,
        (None, Some(file)) => {
            let restored = restore(config, file, &arguments.recovery_key).await?;
            print(&restored).map_err(Failure::io("print"))
        }
        (None, None) => Err(Failure::Usage("say what: `keywarden restore FILE --recovery-key FILE`")),
    }
}

async fn restore(config: &Config, file: PathBuf, keys: &[PathBuf]) -> Result<Restored, Failure> {
    data_dir::prepare(&config.data_dir)?;
    // The server must stand still: it holds this lock while it runs.
    let _lock = data_dir::lock(&config.data_dir)?;
    seals::prepare(config).map_err(Failure::io("prepare the embedded token"))?;
    let key = recovery::load(keys)?;
    let open = move || File::open(&file).map(BufReader::new);
    // All of it, before anything is made.
    verify(&open, Some(&key))?;
    let (_, env) = wire::world()?;
    let seals = Seals::build(config, &env).map_err(WireError::from)?;
    let store = Store::open(&wire::location(&config.database)).await;
    let store = store.map_err(|cause| WireError::Database { cause })?;
    let domain = wire::domain(config, store, env, seals.all().to_vec())?;
    if !domain.has_keyring().await.map_err(WireError::from)? {
        let lent = seals.clone();
        let made = spawn_blocking(move || lent.create()).await;
        made.map_err(std::io::Error::other)
            .and_then(|made| made.map_err(std::io::Error::other))
            .map_err(Failure::io("make the seal's key"))?;
    }
    Ok(domain.restore(open, key, &seals.all()).await?)
}

fn print(restored: &Restored) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    let made = shown_at(restored.manifest.made_at);
    writeln!(
        out,
        "{} rows of the backup of {made} are back, and the keyring is under this machine's seal.",
        restored.rows
    )?;
    writeln!(
        out,
        "What was changed, revoked or destroyed after {made} is undone. Start the server: it stays closed until\n\
         `keywarden restore accept {made}`."
    )
}

async fn accept(config: &Config, made_at: DateTime<Utc>) -> Result<(), Failure> {
    let wanted = Accept { made_at };
    let socket = config.operator_socket();
    let accepted: Accepted = operator::call(&socket, Method::POST, "/restores/accept", Some(&wanted)).await?;
    let mut out = std::io::stdout().lock();
    writeln!(out, "accepted: what was done after {} is lost; the doors open", shown_at(accepted.made_at))
        .map_err(Failure::io("print"))
}
