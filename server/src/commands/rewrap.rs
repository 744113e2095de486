//! `keywarden rewrap`

use std::io::Write;

use clap::Subcommand;
use http::Method;

use super::{Failure, shown_at};
use crate::{
    config::Config,
    operator::{self, RewrapShown},
};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Let a rewrap rest after the batch that it is at; everything goes on reading
    Pause {
        /// Its id, as `rewrap status` shows it
        id: String,
    },
    /// Let a paused rewrap go on
    Resume {
        /// Its id, as `rewrap status` shows it
        id: String,
    },
    /// Show how far the rewraps are
    Status {
        /// Only this one
        id: Option<String>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

pub(super) async fn run(config: &Config, arguments: Arguments) -> Result<(), Failure> {
    let socket = config.operator_socket();
    let mut out = std::io::stdout().lock();
    let (rewraps, json) = match arguments.what {
        What::Pause { id } => (vec![switch(config, &id, "pause").await?], false),
        What::Resume { id } => (vec![switch(config, &id, "resume").await?], false),
        What::Status { id, json } => {
            let mut all: Vec<RewrapShown> =
                operator::call(&socket, Method::GET, "/rewraps", None::<&()>).await?;
            all.retain(|it| id.as_ref().is_none_or(|id| it.id == *id));
            (all, json)
        }
    };
    let written = if json {
        serde_json::to_writer(&mut out, &rewraps).map_err(Into::into).and_then(|()| writeln!(out))
    } else {
        print(&mut out, &rewraps)
    };
    written.map_err(Failure::io("print"))
}

async fn switch(config: &Config, id: &str, verb: &str) -> Result<RewrapShown, Failure> {
    // What is no id of ours is nothing to put into an address.
    let id: keywarden_model::RewrapId = id
        .parse()
        .map_err(|cause: keywarden_model::IdError| operator::OperatorError::Told(cause.to_string()))?;
    let path = format!("/rewraps/{id}/{verb}");
    Ok(operator::call(&config.operator_socket(), Method::POST, &path, None::<&()>).await?)
}

fn print(out: &mut impl Write, rewraps: &[RewrapShown]) -> std::io::Result<()> {
    if rewraps.is_empty() {
        return writeln!(out, "no rewrap; `keywarden keyring rotate project-key` begins one");
    }
    for it in rewraps {
        write!(out, "{}  {}", it.id, it.kind)?;
        if let Some(project) = &it.project {
            write!(out, " of `{project}`")?;
        }
        write!(out, "  {}: {} of {}", it.state, it.done, it.total)?;
        if it.skipped > 0 {
            write!(out, ", {} did not open: run `keywarden fsck`", it.skipped)?;
        }
        match it.ended_at {
            Some(at) => writeln!(out, ", ended {}", shown_at(at))?,
            None => writeln!(out, ", last moved {}", shown_at(it.moved_at))?,
        }
    }
    Ok(())
}
