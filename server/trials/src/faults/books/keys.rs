//! Keys: issued, rotated, suspended, resumed, revoked.

use std::fmt;

use anyhow::{Context as _, ensure};
use rand::{Rng, RngExt as _};
use serde_json::{Value, json};

use super::{Tally, items, record, text};
use crate::{
    Result,
    client::{Answer, Client},
    house::House,
};

/// A key as its only client knows it.
#[derive(Debug)]
struct Known {
    id: String,
    /// Oldest first.
    values: Vec<String>,
    suspended: bool,
    revoked: bool,
    /// The actions that its record must tell, oldest first.
    history: Vec<&'static str>,
}

/// Something a client asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    Issue,
    Resume,
    Revoke,
    Rotate,
    Suspend,
}

/// An act whose answer never came.
#[derive(Debug)]
struct Doubt {
    act: Act,
    /// Its idempotency key.
    once: String,
    path: String,
    body: Value,
    /// Which key of the book it is about; none while it is issued.
    key: Option<usize>,
}

/// One client's keys.
#[derive(Debug)]
pub struct Keys {
    name: String,
    known: Vec<Known>,
    issued: u32,
    doubt: Option<Doubt>,
    pub tally: Tally,
}

/// Values that one key may have at once; the server allows a few more.
const VALUES: usize = 3;

impl Act {
    /// How the record calls it.
    fn action(self) -> &'static str {
        match self {
            Self::Issue => "key.issue",
            Self::Resume => "key.resume",
            Self::Revoke => "key.revoke",
            Self::Rotate => "key.rotate",
            Self::Suspend => "key.suspend",
        }
    }

    fn verb(self) -> &'static str {
        self.action().trim_start_matches("key.")
    }
}

impl fmt::Display for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.action())
    }
}

impl Known {
    /// The code that verifying any of its values must give.
    fn code(&self) -> &'static str {
        match (self.revoked, self.suspended) {
            (true, _) => "revoked",
            (false, true) => "suspended",
            (false, false) => "valid",
        }
    }

    fn can(&self, act: Act) -> bool {
        !self.revoked
            && match act {
                Act::Issue => false,
                Act::Revoke => true,
                Act::Rotate => !self.suspended && self.values.len() < VALUES,
                Act::Suspend => !self.suspended,
                Act::Resume => self.suspended,
            }
    }

    fn did(&mut self, act: Act, answer: &Value) -> Result<()> {
        match act {
            Act::Issue | Act::Rotate => self.values.push(text(answer, "key")?),
            Act::Resume => self.suspended = false,
            Act::Revoke => self.revoked = true,
            Act::Suspend => self.suspended = true,
        }
        self.history.push(act.action());
        Ok(())
    }
}

impl Keys {
    pub fn new(name: String) -> Self {
        Self { name, known: Vec::new(), issued: 0, doubt: None, tally: Tally::default() }
    }

    /// Does one thing. Whether the server is still there.
    pub async fn act(&mut self, house: &House, client: &Client, random: &mut impl Rng) -> Result<bool> {
        let (act, key) = self.choose(random);
        let (path, body) = match key.and_then(|key| self.known.get(key)) {
            Some(key) => (format!("/api/v1/keys/{}/{}", key.id, act.verb()), terms(act)),
            None => ("/api/v1/keys".into(), house.key(&format!("{} {}", self.name, self.issued))),
        };
        self.issued += u32::from(act == Act::Issue);
        let once = format!("{:032x}", random.random::<u128>());
        match client.post_once(&once, &path, &body).await {
            Ok(answer) => {
                self.note(act, key, answer).with_context(|| format!("{act} at {path}"))?;
                Ok(true)
            }
            Err(_) => {
                self.tally.doubted += 1;
                self.doubt = Some(Doubt { act, once, path, body, key });
                Ok(false)
            }
        }
    }

    fn choose(&self, random: &mut impl Rng) -> (Act, Option<usize>) {
        if self.known.len() < 2 || random.random_ratio(2, 5) {
            return (Act::Issue, None);
        }
        let key = random.random_range(0..self.known.len());
        let act = match random.random_range(0..10) {
            0..=4 => Act::Rotate,
            5 => Act::Suspend,
            6 | 7 => Act::Resume,
            _ => Act::Revoke,
        };
        match self.known.get(key) {
            Some(known) if known.can(act) => (act, Some(key)),
            _ => (Act::Issue, None),
        }
    }

    fn note(&mut self, act: Act, key: Option<usize>, answer: Answer) -> Result<()> {
        let body = answer.good()?;
        if act == Act::Issue {
            self.known.push(Known {
                id: text(&body, "id")?,
                values: Vec::new(),
                suspended: false,
                revoked: false,
                history: Vec::new(),
            });
        }
        let key = key.unwrap_or(self.known.len().saturating_sub(1));
        self.known.get_mut(key).context("a key that is not in the book")?.did(act, &body)?;
        self.tally.acknowledged += 1;
        Ok(())
    }

    /// Settles what is in doubt by sending the very same request again: it must be done exactly once.
    pub async fn settle(&mut self, client: &Client) -> Result<()> {
        let Some(doubt) = self.doubt.take() else { return Ok(()) };
        let answer = client.post_once(&doubt.once, &doubt.path, &doubt.body).await?;
        self.note(doubt.act, doubt.key, answer).with_context(|| format!("{} sent again", doubt.act))?;
        if doubt.act == Act::Issue {
            let name = doubt.body.get("name").and_then(Value::as_str).unwrap_or_default();
            let found = client.get(&format!("/api/v1/keys?q={}", name.replace(' ', "%20"))).await?.good()?;
            let found = items(&found).iter().filter(|key| key.get("name") == doubt.body.get("name")).count();
            ensure!(found == 1, "`{name}` was asked for once and is there {found} times");
        }
        Ok(())
    }

    /// Asks the server about every key: each value's verdict, and the record of each act, once and in order.
    pub async fn check(&self, manager: &Client) -> Result<()> {
        for key in &self.known {
            for value in &key.values {
                let told = manager.verify(value).await?.text("code")?;
                ensure!(told == key.code(), "{} was told as {} and is {told}", key.id, key.code());
            }
            let told = record(manager, &key.id).await?;
            ensure!(told == key.history, "the record of {} tells {told:?}, not {:?}", key.id, key.history);
        }
        Ok(())
    }
}

fn terms(act: Act) -> Value {
    match act {
        Act::Rotate => json!({ "overlap_seconds": 3_600 }),
        Act::Revoke => json!({ "reason": "superseded" }),
        Act::Issue | Act::Resume | Act::Suspend => json!({}),
    }
}
