//! Templates: a secret whose text refers to another one. Both are put again and again, and read.
//!
//! Must be so: what a template reads as is made of the text and of the value that were acknowledged last, or of those in
//! doubt, and of no others; each reading that was given is in the record of both secrets.

use anyhow::{Context as _, ensure};
use http::StatusCode;
use rand::{Rng, RngExt as _};
use serde_json::{Value, json};

use super::{Tally, events, text};
use crate::{
    Result,
    client::{Answer, Client, NoAnswer},
    house::{ENVIRONMENT, PROJECT},
};

/// Acts on one pair of secrets: so few that one page of the record tells of all of them, and of those that look.
const ACTS: usize = 40;

/// A secret that is put again and again.
#[derive(Debug, Clone, Default)]
struct Slot {
    id: String,
    path: String,
    /// What was put, oldest first; the newest is current.
    values: Vec<String>,
}

/// A template, and what it refers to.
#[derive(Debug, Clone, Default)]
struct Pair {
    source: Slot,
    template: Slot,
    acts: usize,
    /// Readings of the template, with what it refers to, that were given.
    read: usize,
}

/// Something a client asks for.
#[derive(Debug, Clone)]
enum Act {
    /// Of the source.
    Put(String),
    /// The words before the reference.
    PutTemplate(String),
    Read,
}

/// One client's templates.
#[derive(Debug)]
pub struct Templates {
    name: String,
    pairs: Vec<Pair>,
    doubt: Option<Act>,
    pub tally: Tally,
}

impl Slot {
    fn at(path: String) -> Self {
        Self { path, ..Self::default() }
    }

    fn address(&self) -> String {
        format!("/api/v1/projects/{PROJECT}/environments/{ENVIRONMENT}/secrets/{}", self.path)
    }

    async fn put(&self, value: &str, template: bool, client: &Client) -> Result<Answer, NoAnswer> {
        let put = json!({ "value": value, "template": template, "expected_version": self.values.len() });
        client.put(&self.address(), &put).await
    }

    fn did(&mut self, value: String, answer: &Value) -> Result<()> {
        self.id = text(answer, "id")?;
        self.values.push(value);
        Ok(())
    }

    /// Whether this value is there, as the next version; its text as it was put.
    async fn has(&self, value: &str, client: &Client) -> Result<Option<Value>> {
        let found = client.get(&format!("{}?raw=true", self.address())).await?;
        if found.status == StatusCode::NOT_FOUND && self.values.is_empty() {
            return Ok(None);
        }
        let found = found.good()?;
        let version = found.get("version").and_then(Value::as_u64).context("no version")?;
        if version == self.values.len() as u64 {
            return Ok(None);
        }
        let next = self.values.len() as u64 + 1;
        ensure!(version == next && text(&found, "value")? == value, "{} has what nobody put", self.path);
        Ok(Some(found))
    }

    fn current(&self) -> &str {
        self.values.last().map_or("", String::as_str)
    }

    /// How often it was put, by the record.
    async fn check(&self, manager: &Client) -> Result<Vec<Value>> {
        let events = events(manager, &self.id).await?;
        let is = |event: &&Value, action: &str| event.get("action").and_then(Value::as_str) == Some(action);
        let count = |action: &str| events.iter().filter(|event| is(event, action)).count();
        let (made, put) = (count("secret.create"), count("secret.put"));
        ensure!(
            (made, put) == (1, self.values.len().saturating_sub(1)),
            "the record of {} tells of {made} makings and {put} puts of {} versions",
            self.path,
            self.values.len()
        );
        Ok(events.into_iter().filter(|event| is(&event, "secret.read")).collect())
    }
}

impl Pair {
    fn reference(&self, words: &str) -> String {
        format!("{words}:${{{PROJECT}/{ENVIRONMENT}/{}}}", self.source.path)
    }

    /// What a version of the template reads as now.
    fn resolved(&self, template: &str) -> String {
        let words = template.split(':').next().unwrap_or_default();
        format!("{words}:{}", self.source.current())
    }

    async fn ask(&self, act: &Act, client: &Client) -> Result<Answer, NoAnswer> {
        match act {
            Act::Put(value) => self.source.put(value, false, client).await,
            Act::PutTemplate(words) => self.template.put(&self.reference(words), true, client).await,
            Act::Read => client.get(&self.template.address()).await,
        }
    }

    fn did(&mut self, act: Act, answer: &Value) -> Result<()> {
        self.acts += 1;
        match act {
            Act::Put(value) => self.source.did(value, answer),
            Act::PutTemplate(words) => {
                let text = self.reference(&words);
                self.template.did(text, answer)
            }
            Act::Read => {
                self.read += 1;
                let wanted = self.resolved(self.template.current());
                ensure!(
                    text(answer, "value")? == wanted,
                    "{} reads as what was never so",
                    self.template.path
                );
                Ok(())
            }
        }
    }

    /// Whether the server shows what there is after `act`; `None` if it shows what there was before.
    async fn done(&self, act: &Act, client: &Client) -> Result<Option<Value>> {
        match act {
            Act::Put(value) => self.source.has(value, client).await,
            Act::PutTemplate(words) => self.template.has(&self.reference(words), client).await,
            Act::Read => Ok(None),
        }
    }

    async fn check(&self, manager: &Client) -> Result<()> {
        if self.template.values.is_empty() {
            return Ok(());
        }
        for (number, put) in (1..).zip(&self.template.values) {
            let at = format!("{}?version={number}", self.template.address());
            let read = manager.get(&at).await?.text("value")?;
            ensure!(read == self.resolved(put), "version {number} of {} reads as {read}", self.template.path);
            let raw = manager.get(&format!("{at}&raw=true")).await?.text("value")?;
            ensure!(raw == *put, "version {number} of {} was put as {put} and is {raw}", self.template.path);
        }
        let given = self.read + self.template.values.len();
        let readings = self.template.check(manager).await?.len();
        ensure!(readings >= given, "{given} readings of {} were given, {readings} told", self.template.path);
        let for_it = |event: &&Value| {
            event.pointer("/event/facts/for").and_then(Value::as_str) == Some(&*self.template.id)
        };
        let readings = self.source.check(manager).await?.iter().filter(for_it).count();
        ensure!(
            readings >= given,
            "{given} readings of {} were given, {readings} of what it refers to are told",
            self.template.path
        );
        Ok(())
    }
}

impl Templates {
    pub fn new(name: String) -> Self {
        Self { name, pairs: Vec::new(), doubt: None, tally: Tally::default() }
    }

    /// Does one thing. Whether the server is still there.
    pub async fn act(&mut self, client: &Client, random: &mut impl Rng) -> Result<bool> {
        if self.pairs.last().is_none_or(|pair| pair.acts >= ACTS) {
            let path = format!("{}/{}", self.name, self.pairs.len());
            let (source, template) =
                (Slot::at(format!("{path}/source")), Slot::at(format!("{path}/template")));
            self.pairs.push(Pair { source, template, ..Pair::default() });
        }
        let pair = self.pairs.last_mut().context("no pair")?;
        let chance = format!("{:032x}", random.random::<u128>());
        let (puts, templates) = (pair.source.values.len(), pair.template.values.len());
        let act = match random.random_range(0..10) {
            _ if puts == 0 => Act::Put(chance),
            _ if templates == 0 => Act::PutTemplate(chance),
            0..=2 => Act::Put(chance),
            3 | 4 => Act::PutTemplate(chance),
            _ => Act::Read,
        };
        match pair.ask(&act, client).await {
            Ok(answer) => {
                let told = format!("{act:?} of {}", pair.template.path);
                let answer = answer.good().with_context(|| told.clone())?;
                pair.did(act, &answer).context(told)?;
                self.tally.acknowledged += 1;
                Ok(true)
            }
            Err(_) => {
                self.tally.doubted += 1;
                self.doubt = Some(act);
                Ok(false)
            }
        }
    }

    /// Looks at what became of the act in doubt, and asks for it again where it was not done.
    pub async fn settle(&mut self, client: &Client) -> Result<()> {
        let Some(act) = self.doubt.take() else { return Ok(()) };
        let pair = self.pairs.last_mut().context("an act on nothing")?;
        let answer = match pair.done(&act, client).await? {
            Some(answer) => answer,
            None => {
                pair.ask(&act, client).await?.good().with_context(|| format!("{act:?} asked for again"))?
            }
        };
        pair.did(act, &answer)?;
        self.tally.acknowledged += 1;
        Ok(())
    }

    /// Asks about every template: each version reads as it must, and the record tells of each reading.
    pub async fn check(&self, manager: &Client) -> Result<()> {
        for pair in &self.pairs {
            pair.check(manager).await?;
        }
        Ok(())
    }
}
