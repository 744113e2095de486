//! What a client was told, and what must therefore be so.
//!
//! A client writes down every act that was acknowledged. Of one whose answer never came it knows only that it may have
//! been done: then the server is asked, and must show the state before or the state after, nothing between.

pub mod keys;
pub mod secrets;
pub mod shares;
pub mod templates;

use anyhow::{Result, bail, ensure};
use rand::Rng;
use serde_json::Value;

use crate::{client::Client, house::House};

/// One client's book.
#[derive(Debug)]
pub enum Book {
    Keys(keys::Keys),
    Secrets(secrets::Secrets),
    Shares(shares::Shares),
    Templates(templates::Templates),
}

/// What happened to a client's acts.
#[derive(Debug, Default, Clone, Copy)]
pub struct Tally {
    pub acknowledged: u64,
    /// Their answer never came.
    pub doubted: u64,
}

impl Book {
    /// Does one thing. Whether the server is still there.
    pub async fn act(&mut self, house: &House, client: &Client, random: &mut impl Rng) -> Result<bool> {
        match self {
            Self::Keys(keys) => keys.act(house, client, random).await,
            Self::Secrets(secrets) => secrets.act(client, random).await,
            Self::Shares(shares) => shares.act(client, random).await,
            Self::Templates(templates) => templates.act(client, random).await,
        }
    }

    /// Finds out what became of the act in doubt, and does it if it was not done.
    pub async fn settle(&mut self, client: &Client) -> Result<()> {
        match self {
            Self::Keys(keys) => keys.settle(client).await,
            Self::Secrets(secrets) => secrets.settle(client).await,
            Self::Shares(shares) => shares.settle(client).await,
            Self::Templates(templates) => templates.settle(client).await,
        }
    }

    /// Asks the server about everything in the book.
    pub async fn check(&self, manager: &Client) -> Result<()> {
        match self {
            Self::Keys(keys) => keys.check(manager).await,
            Self::Secrets(secrets) => secrets.check(manager).await,
            Self::Shares(shares) => shares.check(manager).await,
            Self::Templates(templates) => templates.check(manager).await,
        }
    }

    pub fn tally(&self) -> Tally {
        match self {
            Self::Keys(keys) => keys.tally,
            Self::Secrets(secrets) => secrets.tally,
            Self::Shares(shares) => shares.tally,
            Self::Templates(templates) => templates.tally,
        }
    }
}

/// The actions that the record tells of a thing, oldest first.
async fn record(manager: &Client, resource: &str) -> Result<Vec<String>> {
    events(manager, resource).await?.iter().map(|event| text(event, "action")).collect()
}

/// What the record tells of a thing, oldest first; all of it.
async fn events(manager: &Client, resource: &str) -> Result<Vec<Value>> {
    let page = manager.get(&format!("/api/v1/audit?resource={resource}&limit=200")).await?.good()?;
    let mut told = items(&page).to_vec();
    ensure!(told.len() < 200, "more is told of {resource} than this looks at");
    told.reverse();
    Ok(told)
}

fn items(page: &Value) -> &[Value] {
    page.get("items").and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn text(body: &Value, field: &str) -> Result<String> {
    match body.get(field).and_then(Value::as_str) {
        Some(text) => Ok(text.to_owned()),
        None => bail!("no `{field}` in {body}"),
    }
}
