//! `keywarden secret`: values, by hand or in a script, over the API of any server.

mod import;
mod labels;
mod versions;

use std::{
    io::{IsTerminal as _, Read as _, Write as _},
    path::PathBuf,
    str::FromStr,
};

use clap::{Subcommand, builder::NonEmptyStringValueParser};
use keywarden_vault::SecretBytes;
use serde::de::IgnoredAny;
use zeroize::Zeroizing;

use super::{Failure, shown_at};
use crate::client::{Access, Client, Field, Place, Put, Switch, Valid, Which};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    access: Access,
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Delete a secret; until the day that is printed it can be restored
    Delete(versions::Whole),
    /// Destroy the value of a version for good; asks for the secret's path
    Destroy {
        #[command(flatten)]
        one: versions::One,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// Stop a version from being read
    Disable(versions::One),
    /// Let a version be read again
    Enable(versions::One),
    /// Print a value, byte for byte; the server records that it was read
    Get {
        /// `project/environment/path`
        secret: Address,
        #[command(flatten)]
        which: Which,
    },
    /// Import a file of values, or those of a running Vault or AWS Secrets Manager, all of it or nothing; prints what happens
    /// with each
    Import(Box<import::Import>),
    /// Show labels, let them point at versions, or take them away
    Labels(labels::Arguments),
    /// List the secrets of an environment or folder; no value is read
    List {
        /// `project/environment`, or `project/environment/folder`
        place: Address,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Destroy a deleted secret for good; asks for its path
    Purge {
        /// `project/environment/path`
        secret: Address,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// Put the value that comes in, byte for byte: a new secret, or a new version of one
    Put {
        /// `project/environment/path`
        secret: Address,
        /// Read the value from a file instead of standard input
        #[arg(long)]
        file: Option<PathBuf>,
        /// `text`, `json` or `binary`; otherwise what the bytes are
        #[arg(long)]
        kind: Option<String>,
        /// What it is for other programs, as in `application/x-pem-file`; otherwise what its kind says
        #[arg(long, value_name = "TYPE", conflicts_with = "field")]
        content_type: Option<String>,
        /// Write only this field of a value that is a JSON object, and keep the others. What comes in is its text; with `--kind
        /// json` it is a number, `true`, a list or an object, and `null` takes the field away
        #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
        field: Option<String>,
        /// A label for the new version instead of `current`
        #[arg(long)]
        label: Option<String>,
        /// The version that must be `current`; 0: there is no secret yet
        #[arg(long, value_name = "N")]
        if_version: Option<i64>,
        /// The value is a template: what `${project/environment/path}` and `${…/path#field}` in it name is resolved when it is
        /// read; `$${` is `${`
        #[arg(long, conflicts_with = "field")]
        template: bool,
        #[command(flatten)]
        valid: Valid,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Bring a deleted secret back, with its versions and labels
    Restore(versions::Whole),
    /// List the versions of a secret with their labels, newest first; no value is read
    Versions(versions::Whole),
}

/// Where a secret lives, or a folder, or all of an environment.
#[derive(Debug, Clone)]
struct Address {
    place: Place,
    path: Option<String>,
}

impl FromStr for Address {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.trim_end_matches('/').splitn(3, '/').map(str::to_owned);
        let (Some(project), Some(environment)) = (parts.next(), parts.next()) else {
            return Err("write `project/environment/path`");
        };
        if project.is_empty() || environment.is_empty() {
            return Err("write `project/environment/path`");
        }
        Ok(Self { place: Place { project, environment }, path: parts.next() })
    }
}

impl Address {
    fn path(&self) -> Result<&str, Failure> {
        self.path.as_deref().ok_or(Failure::Usage("name a secret: `project/environment/path`"))
    }
}

pub(super) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let client = Client::new(&arguments.access, "secret").await?;
    match arguments.what {
        What::Delete(asked) => versions::delete(&client, asked).await,
        What::Destroy { one, yes } => versions::destroy(&client, one, yes).await,
        What::Disable(asked) => versions::switch(&client, asked, Switch::Disable).await,
        What::Enable(asked) => versions::switch(&client, asked, Switch::Enable).await,
        What::Get { secret, which } => get(&client, &secret, &which).await,
        What::Import(asked) => import::import(&client, *asked).await,
        What::Labels(asked) => labels::labels(&client, asked).await,
        What::List { place, json } => list(&client, &place, json).await,
        What::Purge { secret, yes } => versions::purge(&client, &secret, yes).await,
        What::Put { secret, file, kind, content_type, field, label, if_version, template, valid, json } => {
            let path = secret.path()?;
            let value = value(file)?;
            let made = match field {
                Some(name) => {
                    let json = written(&value, kind.as_deref())?;
                    let put = Field { name, json, label, expected_version: if_version, valid };
                    client.put_field(&secret.place, path, put).await?
                }
                None => {
                    let put = Put {
                        value,
                        kind,
                        content_type,
                        label,
                        expected_version: if_version,
                        template,
                        valid,
                    };
                    client.put(&secret.place, path, put).await?
                }
            };
            if json {
                return print_json(&made);
            }
            let same =
                made.same_as.map_or_else(String::new, |it| format!(", with the value of version {it}"));
            print(format_args!("version {} of {path}{same}\n", made.version))
        }
        What::Restore(asked) => versions::restore(&client, asked).await,
        What::Versions(asked) => versions::list(&client, asked).await,
    }
}

async fn get(client: &Client, secret: &Address, which: &Which) -> Result<(), Failure> {
    let value = client.read(&secret.place, secret.path()?, which).await?;
    let bytes = value.bytes.expose();
    let mut out = std::io::stdout().lock();
    // At a terminal a person reads it; in a pipe every byte counts.
    let end = if out.is_terminal() && !bytes.ends_with(b"\n") { "\n" } else { "" };
    out.write_all(bytes)
        .and_then(|()| out.write_all(end.as_bytes()))
        .and_then(|()| out.flush())
        .map_err(Failure::io("print"))
}

async fn list(client: &Client, place: &Address, json: bool) -> Result<(), Failure> {
    let all = client.list(&place.place, place.path.as_deref()).await?;
    if json {
        return print_json(&all);
    }
    let width = all.iter().map(|it| it.path.chars().count()).max().unwrap_or(0);
    for it in all {
        match it.current {
            Some(at) => print(format_args!(
                "{:width$}  {:>4}  {:8}  {}\n",
                it.path,
                at.version,
                at.kind,
                shown_at(at.created_at)
            ))?,
            None => print(format_args!("{:width$}     -\n", it.path))?,
        }
    }
    Ok(())
}

/// The value that comes in. Never an argument: whoever lists processes sees those.
fn value(file: Option<PathBuf>) -> Result<SecretBytes, Failure> {
    let mut bytes = Vec::new();
    match file {
        Some(path) => bytes = std::fs::read(path).map_err(Failure::io("read the file"))?,
        None => {
            let mut input = std::io::stdin().lock();
            if input.is_terminal() {
                eprintln!("Type the value, then Ctrl-D twice (it is shown, and every byte counts):");
            }
            input.read_to_end(&mut bytes).map_err(Failure::io("read the value"))?;
        }
    }
    Ok(SecretBytes::new(bytes))
}

/// What is to stand in a field, as JSON.
fn written(value: &SecretBytes, kind: Option<&str>) -> Result<Zeroizing<String>, Failure> {
    let text =
        std::str::from_utf8(value.expose()).map_err(|_| Failure::Usage("a field holds text: UTF-8"))?;
    match kind {
        None | Some("text") => serde_json::to_string(text)
            .map(Zeroizing::new)
            .map_err(|cause| Failure::io("write the value")(cause.into())),
        Some("json") => match serde_json::from_str::<IgnoredAny>(text) {
            Ok(_) => Ok(Zeroizing::new(text.to_owned())),
            Err(_) => Err(Failure::Usage("what came in is not JSON: leave `--kind json` out for text")),
        },
        Some(_) => Err(Failure::Usage("a field is `--kind text` or `--kind json`")),
    }
}

fn print_json(it: &impl serde::Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(it).map_err(|cause| Failure::io("print")(cause.into()))?;
    print(format_args!("{text}\n"))
}

fn print(text: std::fmt::Arguments<'_>) -> Result<(), Failure> {
    std::io::stdout().lock().write_fmt(text).map_err(Failure::io("print"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_project_environment_and_the_rest() {
        let address: Address = "pay/live/database/url".parse().unwrap();
        assert_eq!((address.place.project.as_str(), address.place.environment.as_str()), ("pay", "live"));
        assert_eq!(address.path.as_deref(), Some("database/url"));
        assert_eq!("pay/live/".parse::<Address>().unwrap().path, None);
        for wrong in ["", "pay", "pay/", "/live/x"] {
            assert!(wrong.parse::<Address>().is_err(), "{wrong}");
        }
    }
}

#[cfg(test)]
mod parsers {
    use super::*;

    #[test]
    fn what_is_typed_for_a_secret() {
        keywarden_garble::texts(&["pay/live/database/password", "pay/live/", "a//b"], |text| {
            if let Ok(address) = text.parse::<Address>() {
                assert!(
                    !address.place.project.is_empty() && !address.place.environment.is_empty(),
                    "{text:?}"
                );
            }
        });
    }
}
