//! `keywarden seal`

use std::{
    io::Write,
    path::{Path, PathBuf},
};

use clap::Subcommand;
use http::Method;
use keywarden_vault::seal::software::SoftwareSeal;
use serde_json::{Value, json};

use super::{Failure, shown_at};
use crate::{
    config::Config,
    operator::{
        self, Added, DestroySealKey, ForgottenPins, Letter, LetterTo, OfferSeal, OfferedShown, RemoveSeal,
        RotateSeal, RotatedSeal, SealShown, SealWanted,
    },
    wire,
};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Show what wraps the keyring, and which seals projects may name
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
    /// Destroy an old key of a seal, in the HSM and for good; refused while it wraps anything
    DestroyKey {
        /// The seal's id, as `seal list` shows it
        id: String,
        /// The key's number: 1 for the first
        number: u32,
    },
    /// On PostgreSQL, once the PINs that are set are right: let all be tried again that tokens have refused, or may have
    ForgetPins,
    /// Let projects name one of the seals in KEYWARDEN_SEAL_PROJECTS as their own; makes its key, which never leaves it
    Offer {
        /// The seal's id: `pkcs11:` and the token's label, or `software:` and the key file's name
        id: String,
    },
    /// Make a new key in a seal and wrap what lies under it to that one; the old key stays until it is destroyed
    Rotate {
        /// The seal's id, as `seal list` shows it
        id: String,
    },
    /// Take a seal away; refused where a key would be lost, or a project names it
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
        /// Its serial number, where two have that label
        #[arg(long)]
        serial: Option<String>,
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
            let offered: Vec<OfferedShown> =
                operator::call(&socket, Method::GET, "/seals/offered", None::<&()>).await?;
            if json {
                // Those of projects have `projects`.
                let both = [json!(seals), json!(offered)];
                let all: Vec<&Value> = both.iter().filter_map(Value::as_array).flatten().collect();
                serde_json::to_writer(&mut out, &all).map_err(Into::into).and_then(|()| writeln!(out))
            } else {
                print(&mut out, &seals).and_then(|()| print_offered(&mut out, &offered))
            }
        }
        What::Offer { id } => {
            let wanted = OfferSeal { id };
            let offered: Added =
                operator::call(&socket, Method::POST, "/seals/offered", Some(&wanted)).await?;
            writeln!(out, "projects may name `{}` as their own seal", offered.id)
        }
        What::Add { kind } => {
            let wanted = match kind {
                Kind::Software { key_file } => {
                    let to = operator::call(&socket, Method::POST, "/seals/letters", None::<&()>).await?;
                    sent(key_file, &to)?
                }
                Kind::Pkcs11 { module, token, serial, pin_file } => {
                    SealWanted::Pkcs11 { module: find(&module)?, token, serial, pin_file: find(&pin_file)? }
                }
            };
            let added: Added = operator::call(&socket, Method::POST, "/seals", Some(&wanted)).await?;
            writeln!(out, "the keyring is wrapped under `{}` too", added.id)
        }
        What::DestroyKey { id, number } => {
            let wanted = DestroySealKey { id, number };
            let () = operator::call(&socket, Method::DELETE, "/seals/keys", Some(&wanted)).await?;
            writeln!(out, "key {number} of `{}` is destroyed", wanted.id)
        }
        What::ForgetPins => {
            let forgotten: ForgottenPins =
                operator::call(&socket, Method::DELETE, "/seals/pins", None::<&()>).await?;
            match forgotten.pins {
                0 => writeln!(out, "no PIN was held back"),
                1 => writeln!(out, "one PIN is forgotten: every node may try it again, twice in all"),
                pins => {
                    writeln!(out, "{pins} PINs are forgotten: every node may try them again, twice in all")
                }
            }
        }
        What::Rotate { id } => {
            let wanted = RotateSeal { id };
            let rotated: RotatedSeal =
                operator::call(&socket, Method::POST, "/seals/keys", Some(&wanted)).await?;
            let (number, id) = (rotated.number, &wanted.id);
            let what = match rotated.projects {
                Some(1) => "the keys of one project".to_owned(),
                Some(projects) => format!("the keys of {projects} projects"),
                None => "the keyring".to_owned(),
            };
            writeln!(out, "key {number} of `{id}` wraps {what}; older keys of it wrap nothing any more")
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

/// Of a token's files the server is told, which has another working folder than the shell.
fn find(path: &Path) -> Result<PathBuf, Failure> {
    std::path::absolute(path).map_err(Failure::io("find the file"))
}

/// A key file is made and read here: whoever has this shell reaches places that the server's user does not.
fn sent(key_file: PathBuf, to: &LetterTo) -> Result<SealWanted, Failure> {
    let name = key_file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let seal = SoftwareSeal::at(key_file, &name);
    let (_, env) = wire::world()?;
    seal.create_key(&mut env.fork())?;
    let keys = Letter::seal(to, &name, &seal.text()?, &env)?;
    Ok(SealWanted::Software { name, keys })
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

fn print_offered(out: &mut impl Write, offered: &[OfferedShown]) -> std::io::Result<()> {
    for seal in offered {
        write!(
            out,
            "{}  {}-protected, for projects since {}",
            seal.id,
            seal.protection,
            shown_at(seal.offered_at)
        )?;
        match seal.projects.as_slice() {
            [] => write!(out, "; no project names it")?,
            projects => write!(out, "; the seal of {}", projects.join(", "))?,
        }
        match &seal.away {
            Some(cause) => writeln!(out, "; AWAY: {cause}")?,
            None => writeln!(out)?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::operator::Letterbox;

    #[test]
    fn a_key_file_is_made_by_the_command_and_the_server_is_sent_its_keys_and_not_its_place() {
        let stick = tempfile::tempdir().unwrap();
        let path = stick.path().join("recovery.key");
        let (_, env) = wire::world().unwrap();
        let letterbox = Letterbox::default();
        let ask = || sent(path.clone(), &letterbox.next(&env).unwrap());
        let asked = || {
            let wanted = ask().unwrap();
            let json = serde_json::to_string(&wanted).unwrap();
            let SealWanted::Software { name, keys } = wanted else { panic!("{json}") };
            assert_eq!(name, "recovery.key");
            (json, letterbox.open(&name, &keys).unwrap())
        };
        let (_, first) = asked();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(first.expose(), text);
        let (json, again) = asked();
        assert_eq!(again.expose(), text, "it is not made a second time");
        let place = stick.path().to_str().unwrap();
        assert!(!json.contains(text.trim()) && !json.contains(place), "{json}");
        std::fs::write(&path, "no keys").unwrap();
        assert!(ask().is_err());
    }
}
