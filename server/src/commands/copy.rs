//! `keywarden copy --to URL`: carries everything to another, empty database; a pilot on SQLite moves to PostgreSQL.

use std::io::Write;

use keywarden_store::Store;

use super::Failure;
use crate::{
    config::{Config, Database},
    data_dir,
    wire::{self, WireError},
};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Where to: `postgres://…` or `sqlite://…`; an empty database
    #[arg(long, value_name = "URL", required_unless_present = "to_file")]
    to: Option<String>,
    /// The same, from a file: a URL may hold a password
    #[arg(long, value_name = "FILE", conflicts_with = "to")]
    to_file: Option<std::path::PathBuf>,
}

pub(super) async fn run(config: &Config, arguments: &Arguments) -> Result<(), Failure> {
    // Its server must stand still: the one of this folder holds this lock while it runs, others are among the nodes.
    let _lock = data_dir::lock(&config.data_dir)?;
    let url = match (&arguments.to, &arguments.to_file) {
        (Some(url), _) => url.clone(),
        (None, Some(path)) => {
            std::fs::read_to_string(path).map_err(Failure::io("read the target's URL"))?.trim().to_owned()
        }
        (None, None) => String::new(),
    };
    let target = Database::parse(&url).map_err(Failure::Target)?;
    let failed = |cause| Failure::from(WireError::Database { cause });
    let source = Store::inspect(&wire::location(&config.database)).await.map_err(failed)?;
    let open = Store::open_to_fill(&wire::location(&target)).await.map_err(failed)?;
    let (_, env) = wire::world()?;
    let domain = wire::domain(config, source, env, None)?;
    let copied = domain.copy_to(&open).await.map_err(Failure::Copy)?;
    let mut out = std::io::stdout().lock();
    let told = copied.iter().filter(|(_, rows)| *rows > 0);
    let rows: i64 = copied.iter().map(|(_, rows)| rows).sum();
    told.into_iter()
        .try_for_each(|(table, rows)| writeln!(out, "{rows:>9}  {table}"))
        .and_then(|()| writeln!(out, "{rows:>9}  rows, counted on both sides"))
        .and_then(|()| {
            writeln!(
                out,
                "Now start the server with KEYWARDEN_DATABASE_URL set to the target; the data folder stays."
            )
        })
        .map_err(Failure::io("print"))
}
