//! `keywarden seal`

use std::{io::Write, path::PathBuf};

use clap::Subcommand;
use http::Method;

use super::{Failure, shown_at};
use crate::{
    config::Config,
    operator::{self, Added, DestroySealKey, RemoveSeal, RotateSeal, RotatedSeal, SealShown, SealWanted},
};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Show what wraps the keyring
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Wrap the keyring under one more seal: a second HSM, or a recovery key to be kept elsewhere
    Add {
        #[command(subcommand)]
        kind: Kind,
    },
    /// Destroy an old key of this server's seal, in the HSM and for good; refused while it wraps anything
    DestroyKey {
        /// The seal's id, as `seal list` shows it
        id: String,
        /// The key's number: 1 for the first
        number: u32,
    },
    /// Make a new key in this server's seal and wrap the keyring to it; the old one stays until it is destroyed
    Rotate {
        /// The seal's id, as `seal list` shows it
        id: String,
    },
    /// Take a seal away; refused where a key would be lost
    Remove {
        /// Its id, as `seal list` shows it
        id: String,
    },
}

#[derive(Debug, Subcommand)]
enum Kind {
    /// A key file; made if it is not there. Keep it away from this machine
    Software {
        /// Path of the file
        key_file: PathBuf,
    },
    /// A token behind a PKCS#11 library
    Pkcs11 {
        /// Path of the vendor's library
        #[arg(long)]
        module: PathBuf,
        /// Label of the token
        #[arg(long)]
        token: String,
        /// File with the token's user PIN
        #[arg(long)]
        pin_file: PathBuf,
    },
}

pub(super) async fn run(config: &Config, arguments: Arguments) -> Result<(), Failure> {
    let socket = config.operator_socket();
    let mut out = std::io::stdout().lock();
    let written = match arguments.what {
        What::List { json } => {
            let seals: Vec<SealShown> = operator::call(&socket, Method::GET, "/seals", None::<&()>).await?;
            if json {
                serde_json::to_writer(&mut out, &seals).map_err(Into::into).and_then(|()| writeln!(out))
            } else {
                print(&mut out, &seals)
            }
        }
        What::Add { kind } => {
            let wanted = wanted(kind).map_err(Failure::io("find the file"))?;
            let added: Added = operator::call(&socket, Method::POST, "/seals", Some(&wanted)).await?;
            writeln!(out, "the keyring is wrapped under `{}` too", added.id)
        }
        What::DestroyKey { id, number } => {
            let wanted = DestroySealKey { id, number };
            let () = operator::call(&socket, Method::DELETE, "/seals/keys", Some(&wanted)).await?;
            writeln!(out, "key {number} of `{}` is destroyed", wanted.id)
        }
        What::Rotate { id } => {
            let wanted = RotateSeal { id };
            let rotated: RotatedSeal =
                operator::call(&socket, Method::POST, "/seals/keys", Some(&wanted)).await?;
            let (number, id) = (rotated.number, &wanted.id);
            writeln!(out, "key {number} of `{id}` wraps the keyring; older keys of it wrap nothing any more")
                .and_then(|()| writeln!(out, "destroy them with `keywarden seal destroy-key`"))
        }
        What::Remove { id } => {
            let removed = RemoveSeal { id };
            let () = operator::call(&socket, Method::DELETE, "/seals", Some(&removed)).await?;
            writeln!(out, "`{}` wraps nothing any more", removed.id)
        }
    };
    written.map_err(Failure::io("print"))
}

/// The server has another working folder than the shell.
fn wanted(kind: Kind) -> std::io::Result<SealWanted> {
    Ok(match kind {
        Kind::Software { key_file } => SealWanted::Software { key_file: std::path::absolute(key_file)? },
        Kind::Pkcs11 { module, token, pin_file } => SealWanted::Pkcs11 {
            module: std::path::absolute(module)?,
            token,
            pin_file: std::path::absolute(pin_file)?,
        },
    })
}

pub(super) fn print(out: &mut impl Write, seals: &[SealShown]) -> std::io::Result<()> {
    for seal in seals {
        write!(out, "{}  {}-protected, since {}", seal.id, seal.protection, shown_at(seal.added_at))?;
        match seal.lacks {
            0 => writeln!(out)?,
            lacks => writeln!(out, "; lacks {lacks} keys made since: add it again")?,
        }
    }
    if let [_] = seals {
        writeln!(
            out,
            "Only one seal: if it is lost, so is everything. Add another with `keywarden seal add`."
        )?;
    }
    Ok(())
}
