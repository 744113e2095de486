//! `keywarden backup`

use std::{
    fs::File,
    io::{BufReader, Read, Write},
    path::{Path, PathBuf},
};

use clap::Subcommand;
use http::Method;
use keywarden_domain::backup::{DrillSeal, Verified, verify};
use keywarden_vault::recovery;

use super::{Failure, shown_at};
use crate::{
    config::Config,
    operator::{
        self, Drilled, MadeBackup, MakeBackup, NewRecipient, RecipientMade, RecipientShown, RemoveRecipient,
    },
};

#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(super) struct Arguments {
    /// A new file; the running server writes it
    #[arg(long, value_name = "FILE", required = true)]
    to: Option<PathBuf>,
    #[command(subcommand)]
    what: Option<What>,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Let the running server restore its newest backup to a scratch database, look at everything, and take it away again
    Drill {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show, add or remove whom backups are encrypted to
    Recipient {
        #[command(subcommand)]
        what: Recipient,
    },
    /// Look at a backup; with its recovery key, prove every byte of it. Needs no server
    Verify {
        /// The backup
        file: PathBuf,
        /// The recovery key's file, or one for each share
        #[arg(long, value_name = "FILE")]
        recovery_key: Vec<PathBuf>,
    },
}

#[derive(Debug, Subcommand)]
enum Recipient {
    /// Encrypt later backups to one more recipient
    Add {
        /// What people call it: whose it is, and where
        #[arg(long)]
        name: String,
        /// File with what `keywarden recovery-key create` printed; `-` reads it from here
        recipient: PathBuf,
    },
    /// Show whom backups are encrypted to
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Encrypt later backups to one recipient less
    Remove {
        /// Its id, as `list` shows it
        id: String,
    },
}

pub(super) async fn run(config: &Config, arguments: Arguments) -> Result<(), Failure> {
    match (arguments.what, arguments.to) {
        (Some(What::Drill { json }), _) => drill(&config.operator_socket(), json).await,
        (Some(What::Verify { file, recovery_key }), _) => look(&file, &recovery_key),
        (Some(What::Recipient { what }), _) => recipient(&config.operator_socket(), what).await,
        (None, Some(to)) => make(&config.operator_socket(), &to).await,
        (None, None) => Err(Failure::Usage("say where to: `keywarden backup --to FILE`")),
    }
}

async fn make(socket: &Path, to: &Path) -> Result<(), Failure> {
    // The server has another working folder than the shell.
    let wanted = MakeBackup { to: std::path::absolute(to).map_err(Failure::io("find the folder"))? };
    let made: MadeBackup = operator::call(socket, Method::POST, "/backups", Some(&wanted)).await?;
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "{} of {}, {} bytes\nSHA-256 {}",
        wanted.to.display(),
        shown_at(made.made_at),
        made.size,
        made.digest
    )
    .and_then(|()| {
        made.recipients.iter().try_for_each(|id| writeln!(out, "opens with the recovery key of {id}"))
    })
    .map_err(Failure::io("print"))
}

async fn drill(socket: &Path, json: bool) -> Result<(), Failure> {
    let drilled: Drilled = operator::call(socket, Method::POST, "/drills", None::<&()>).await?;
    let (made, report) = (shown_at(drilled.made_at), &drilled.report);
    let mut out = std::io::stdout().lock();
    let written = if json {
        serde_json::to_writer(&mut out, &drilled).map_err(Into::into).and_then(|()| writeln!(out))
    } else {
        let told = report.failures.iter().try_for_each(|failure| writeln!(out, "{failure}"));
        let told = told.and_then(|()| {
            report.apart.iter().try_for_each(|apart| writeln!(out, "came back, and was not opened: {apart}"))
        });
        told.and_then(|()| {
            writeln!(
                out,
                "the backup of {made}, looked at for {} ms: {} rows, {} events, {} rows and values opened, {} values \
                 compared with this house's",
                drilled.took, report.rows, report.events, report.opened, report.compared
            )?;
            match &report.seal {
                Some(DrillSeal::Token) => writeln!(out, "restored under an empty SoftHSM2 token, made for it and gone"),
                Some(DrillSeal::Software { why }) => {
                    writeln!(out, "restored under a key in memory (software), with no token: {why}")
                }
                None => Ok(()),
            }
        })
    };
    written.map_err(Failure::io("print"))?;
    if report.failures.is_empty() { Ok(()) } else { Err(Failure::Drill(report.failures.len())) }
}

async fn recipient(socket: &Path, what: Recipient) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    match what {
        Recipient::Add { name, recipient } => {
            let text = text_of(&recipient).map_err(Failure::io("read the recipient"))?;
            let wanted = NewRecipient { name, text };
            let made: RecipientMade =
                operator::call(socket, Method::POST, "/recipients", Some(&wanted)).await?;
            writeln!(out, "backups are encrypted to {} from now on", made.id)
        }
        Recipient::List { json } => {
            let list: Vec<RecipientShown> =
                operator::call(socket, Method::GET, "/recipients", None::<&()>).await?;
            if json {
                serde_json::to_writer(&mut out, &list).map_err(Into::into).and_then(|()| writeln!(out))
            } else if list.is_empty() {
                writeln!(
                    out,
                    "No recipient: no backup can be made. Make one with `keywarden recovery-key create` on another machine."
                )
            } else {
                let since = |it: &RecipientShown| shown_at(it.added_at);
                list.iter().try_for_each(|it| writeln!(out, "{}  {}, since {}", it.id, it.name, since(it)))
            }
        }
        Recipient::Remove { id } => {
            let removed = RemoveRecipient { id };
            let () = operator::call(socket, Method::DELETE, "/recipients", Some(&removed)).await?;
            writeln!(
                out,
                "later backups are not encrypted to {}; earlier ones still open with its key",
                removed.id
            )
        }
    }
    .map_err(Failure::io("print"))
}

/// A recipient is some 1 600 characters long.
fn text_of(path: &Path) -> std::io::Result<String> {
    let mut text = String::new();
    if path == Path::new("-") {
        std::io::stdin().lock().take(8_192).read_to_string(&mut text)?;
    } else {
        File::open(path)?.take(8_192).read_to_string(&mut text)?;
    }
    Ok(text)
}

fn look(file: &Path, keys: &[PathBuf]) -> Result<(), Failure> {
    let key = if keys.is_empty() { None } else { Some(recovery::load(keys)?) };
    let seen = verify(|| File::open(file).map(BufReader::new), key.as_ref())?;
    print(&mut std::io::stdout().lock(), &seen).map_err(Failure::io("print"))
}

fn print(out: &mut impl Write, seen: &Verified) -> std::io::Result<()> {
    let of = &seen.manifest;
    let deployment = of.deployment.as_deref().unwrap_or("a Keywarden that was not set up yet");
    writeln!(out, "backup of {deployment}, of {}", shown_at(of.made_at))?;
    writeln!(
        out,
        "schema {}, change counter {}, written on {} by version {}",
        of.schema, of.counter, of.engine, of.program
    )?;
    writeln!(out, "{} bytes, SHA-256 {}", seen.size, hex::encode(seen.digest))?;
    seen.recipients.iter().try_for_each(|id| writeln!(out, "opens with the recovery key of {id}"))?;
    match &seen.rows {
        Some(rows) => {
            let all: u64 = rows.values().sum();
            writeln!(
                out,
                "whole and authentic: {all} rows of {} tables, and every key of the keyring opens",
                rows.len()
            )?;
            match rows.get("project_seals").copied().unwrap_or_default() {
                0 => Ok(()),
                1 => writeln!(
                    out,
                    "one project has a seal of its own: after a restore its secrets open by that seal alone"
                ),
                many => writeln!(
                    out,
                    "{many} projects have seals of their own: after a restore their secrets open by those seals alone"
                ),
            }
        }
        None => writeln!(
            out,
            "Nothing of this is proven without --recovery-key, but the SHA-256: compare it with the event `backup.make`."
        ),
    }
}
