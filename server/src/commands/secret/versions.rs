//! `keywarden secret versions`, `disable`, `enable`, `destroy`, `delete`, `restore` and `purge`: what becomes of a secret and its
//! versions. No value is read.

use std::io::{BufRead as _, Write as _};

use super::{Address, print, print_json};
use crate::{
    client::{self, Client, Switch},
    commands::{Failure, shown_at},
};

/// A secret.
#[derive(Debug, clap::Args)]
pub(super) struct Whole {
    /// `project/environment/path`
    secret: Address,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// A version of a secret.
#[derive(Debug, clap::Args)]
pub(super) struct One {
    /// `project/environment/path`
    secret: Address,
    /// The number of the version
    #[arg(long, value_name = "N")]
    version: i64,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn list(client: &Client, asked: Whole) -> Result<(), Failure> {
    let id = client.find_even_deleted(&asked.secret.place, asked.secret.path()?).await?;
    let whole = client.show(&id).await?;
    if asked.json {
        return print_json(&whole);
    }
    for it in &whole.versions {
        print(format_args!("{}\n", line(&whole, it)))?;
    }
    match whole.purge_at {
        Some(at) => print(format_args!("deleted; it can be restored until {}\n", shown_at(at))),
        None => Ok(()),
    }
}

/// One version in a line, with the labels that point at it.
fn line(whole: &client::Whole, it: &client::Version) -> String {
    let mut labels: Vec<_> =
        whole.labels.iter().filter(|(_, at)| **at == it.number).map(|(label, _)| label.as_str()).collect();
    labels.extend(it.template.then_some("(template)"));
    let made = shown_at(it.created_at);
    let line = format!(
        "{:>4}  {:12}  {:6}  {:>6}  {made}  {}  {}",
        it.number,
        it.state,
        it.kind,
        it.size,
        it.created_by,
        labels.join(", ")
    );
    line.trim_end().to_owned()
}

pub(super) async fn delete(client: &Client, asked: Whole) -> Result<(), Failure> {
    let path = asked.secret.path()?;
    let whole = client.delete(&asked.secret.place, path).await?;
    if asked.json {
        return print_json(&whole);
    }
    let until = whole.purge_at.map(|at| format!("; it can be restored until {}", shown_at(at)));
    print(format_args!("{path} is deleted{}\n", until.unwrap_or_default()))
}

pub(super) async fn restore(client: &Client, asked: Whole) -> Result<(), Failure> {
    let path = asked.secret.path()?;
    let id = client.find(&asked.secret.place, path, true).await?;
    let whole = client.restore(&id).await?;
    if asked.json {
        return print_json(&whole);
    }
    print(format_args!("{path} is there again\n"))
}

pub(super) async fn switch(client: &Client, asked: One, to: Switch) -> Result<(), Failure> {
    let path = asked.secret.path()?;
    let id = client.find(&asked.secret.place, path, false).await?;
    done(client, &asked, path, &id, to).await
}

/// Destroys a version, after its secret's path was typed.
pub(super) async fn destroy(client: &Client, asked: One, yes: bool) -> Result<(), Failure> {
    let path = asked.secret.path()?;
    let id = client.find_even_deleted(&asked.secret.place, path).await?;
    let what = format!("Version {} of `{path}`", asked.version);
    if !yes && !is_typed(path, &what)? {
        return Err(Failure::NotDestroyed(path.to_owned()));
    }
    done(client, &asked, path, &id, Switch::Destroy).await
}

async fn done(client: &Client, asked: &One, path: &str, id: &str, to: Switch) -> Result<(), Failure> {
    let whole = client.switch(id, asked.version, to).await?;
    if asked.json {
        return print_json(&whole);
    }
    let is = match to {
        Switch::Destroy => "destroyed",
        Switch::Disable => "disabled",
        Switch::Enable => "enabled",
    };
    print(format_args!("version {} of {path} is {is}\n", asked.version))
}

/// Destroys a deleted secret, after its path was typed.
pub(super) async fn purge(client: &Client, secret: &Address, yes: bool) -> Result<(), Failure> {
    let path = secret.path()?;
    let id = client.find(&secret.place, path, true).await?;
    if !yes && !is_typed(path, &format!("`{path}` with all of its versions"))? {
        return Err(Failure::NotDestroyed(path.to_owned()));
    }
    client.purge(&id).await?;
    print(format_args!("{path} is destroyed\n"))
}

fn is_typed(path: &str, what: &str) -> Result<bool, Failure> {
    eprint!("{what} is gone for good then. Type `{path}` to destroy it: ");
    std::io::stderr().flush().map_err(Failure::io("ask"))?;
    let mut typed = String::new();
    std::io::stdin().lock().read_line(&mut typed).map_err(Failure::io("read the answer"))?;
    Ok(typed.trim_end_matches(['\r', '\n']) == path)
}
