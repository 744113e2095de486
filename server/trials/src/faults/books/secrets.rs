//! Secrets: put, labelled, named, deleted, restored.
//!
//! None of these is asked for under an idempotency key. What became of an act in doubt is seen by looking: the state before
//! it, then it is asked for again; or the state after it.

use anyhow::{Context as _, bail, ensure};
use rand::{Rng, RngExt as _};
use serde_json::{Value, json};

use super::{Tally, record, text};
use crate::{
    Result,
    client::{Answer, Client, NoAnswer},
    house::{ENVIRONMENT, PROJECT},
};

/// The label that acts move about.
const LABEL: &str = "trial";
/// Versions that one secret may have: each is read in the end.
const VERSIONS: usize = 4;

/// A secret as its only client knows it.
#[derive(Debug, Default, Clone)]
struct Known {
    id: String,
    path: String,
    /// The values, oldest first; the newest is current.
    values: Vec<String>,
    /// The number of the version that [`LABEL`] points at.
    labelled: Option<usize>,
    /// What clients of AWS call it.
    alias: Option<String>,
    deleted: bool,
    /// The actions that its record must tell, oldest first, without the readings.
    history: Vec<&'static str>,
}

/// Something a client asks for.
#[derive(Debug, Clone)]
enum Act {
    Alias(String),
    Delete,
    Label(usize),
    Put(String),
    Restore,
}

/// One client's secrets.
#[derive(Debug)]
pub struct Secrets {
    name: String,
    known: Vec<Known>,
    made: u32,
    /// Which secret, and what was asked of it.
    doubt: Option<(Known, Act)>,
    pub tally: Tally,
}

impl Known {
    fn can(&self, act: &Act) -> bool {
        match act {
            Act::Restore => self.deleted,
            Act::Put(_) => !self.deleted && self.values.len() < VERSIONS,
            Act::Label(number) => {
                !self.deleted && *number <= self.values.len() && self.labelled != Some(*number)
            }
            Act::Alias(_) | Act::Delete => !self.deleted && !self.values.is_empty(),
        }
    }

    fn address(&self) -> String {
        format!("/api/v1/projects/{PROJECT}/environments/{ENVIRONMENT}/secrets/{}", self.path)
    }

    /// Asks for `act`.
    async fn ask(&self, act: &Act, client: &Client) -> Result<Answer, NoAnswer> {
        match act {
            Act::Alias(name) => {
                let alias = format!("/api/v1/secrets/{}/aliases/aws", self.id);
                client.put(&alias, &json!({ "name": name })).await
            }
            Act::Delete => client.delete(&self.address()).await,
            Act::Label(number) => {
                let label = format!("/api/v1/secrets/{}/labels/{LABEL}", self.id);
                client.put(&label, &json!({ "version": number })).await
            }
            Act::Put(value) => {
                let put = json!({ "value": value, "expected_version": self.values.len() });
                client.put(&self.address(), &put).await
            }
            Act::Restore => client.post(&format!("/api/v1/secrets/{}/restore", self.id), &json!({})).await,
        }
    }

    fn did(&mut self, act: Act, answer: &Value) -> Result<()> {
        match act {
            Act::Alias(name) => {
                self.alias = Some(name);
                self.history.push("secret.alias");
            }
            Act::Delete => {
                self.deleted = true;
                self.history.push("secret.delete");
            }
            Act::Label(number) => {
                self.labelled = Some(number);
                self.history.push("secret.label");
            }
            Act::Put(value) => {
                self.id = text(answer, "id")?;
                self.history.push(if self.values.is_empty() { "secret.create" } else { "secret.put" });
                self.values.push(value);
            }
            Act::Restore => {
                self.deleted = false;
                self.history.push("secret.restore");
            }
        }
        Ok(())
    }

    /// Whether the server shows what there is after `act`; `None` if it shows what there was before.
    async fn done(&self, act: &Act, client: &Client) -> Result<Option<Value>> {
        if let Act::Put(value) = act {
            let found = client.get(&self.address()).await?;
            if found.status == http::StatusCode::NOT_FOUND && self.values.is_empty() {
                return Ok(None);
            }
            let found = found.good()?;
            let version = found.get("version").and_then(Value::as_u64).context("no version")?;
            if version == self.values.len() as u64 {
                return Ok(None);
            }
            ensure!(version == self.values.len() as u64 + 1, "{} has a version {version}", self.path);
            ensure!(text(&found, "value")? == *value, "{} has a value that nobody put", self.path);
            return Ok(Some(found));
        }
        let found = client.get(&format!("/api/v1/secrets/{}", self.id)).await?.good()?;
        let done = match act {
            Act::Alias(name) => alias(&found) == Some(name.as_str()),
            Act::Delete => found.get("deleted_at").is_some(),
            Act::Restore => found.get("deleted_at").is_none(),
            Act::Label(number) => labelled(&found)? == Some(*number),
            Act::Put(_) => false,
        };
        Ok(done.then_some(found))
    }

    async fn check(&self, manager: &Client) -> Result<()> {
        let shown = manager.get(&format!("/api/v1/secrets/{}", self.id)).await?.good()?;
        ensure!(shown.get("deleted_at").is_some() == self.deleted, "{} is not as it was told", self.path);
        ensure!(labelled(&shown)? == self.labelled, "the label of {} is elsewhere: {shown}", self.path);
        ensure!(alias(&shown) == self.alias.as_deref(), "{} is called otherwise: {shown}", self.path);
        if let Some(name) = &self.alias {
            let named = format!("/api/v1/projects/{PROJECT}/environments/{ENVIRONMENT}/aliases/aws/{name}");
            ensure!(manager.get(&named).await?.text("id")? == self.id, "{name} leads elsewhere");
        }
        let current = manager.get(&self.address()).await?;
        if self.deleted {
            ensure!(current.status == http::StatusCode::NOT_FOUND, "{} is deleted and read", self.path);
        } else {
            let last = self.values.last().context("a secret without a value")?;
            ensure!(current.text("value")? == *last, "{} is not the value that was put last", self.path);
            for (value, number) in self.values.iter().zip(1..) {
                let read = manager.get(&format!("{}?version={number}", self.address())).await?;
                ensure!(read.text("value")? == *value, "version {number} of {} is another value", self.path);
            }
        }
        let mut told = record(manager, &self.id).await?;
        told.retain(|action| action != "secret.read");
        ensure!(told == self.history, "the record of {} tells {told:?}, not {:?}", self.path, self.history);
        Ok(())
    }
}

impl Secrets {
    pub fn new(name: String) -> Self {
        Self { name, known: Vec::new(), made: 0, doubt: None, tally: Tally::default() }
    }

    /// Does one thing. Whether the server is still there.
    pub async fn act(&mut self, client: &Client, random: &mut impl Rng) -> Result<bool> {
        let (mut secret, act) = self.choose(random);
        match secret.ask(&act, client).await {
            Ok(answer) => {
                let answer = answer.good().with_context(|| format!("{act:?} of {}", secret.path))?;
                secret.did(act, &answer)?;
                self.keep(secret);
                Ok(true)
            }
            Err(_) => {
                self.tally.doubted += 1;
                self.doubt = Some((secret, act));
                Ok(false)
            }
        }
    }

    fn choose(&mut self, random: &mut impl Rng) -> (Known, Act) {
        let value = format!("{:032x}", random.random::<u128>());
        let at = random.random_range(0..self.known.len().max(1));
        let act = match random.random_range(0..11) {
            10 => Act::Alias(value.clone()),
            0..=3 => Act::Put(value.clone()),
            4 | 5 => Act::Label(random.random_range(1..=VERSIONS)),
            6 => Act::Delete,
            _ => Act::Restore,
        };
        match self.known.get(at).filter(|secret| secret.can(&act)) {
            Some(secret) => (secret.clone(), act),
            None => {
                self.made += 1;
                let path = format!("{}/{}", self.name, self.made);
                (Known { path, ..Known::default() }, Act::Put(value))
            }
        }
    }

    fn keep(&mut self, secret: Known) {
        self.tally.acknowledged += 1;
        match self.known.iter_mut().find(|known| known.path == secret.path) {
            Some(known) => *known = secret,
            None => self.known.push(secret),
        }
    }

    /// Looks at what became of the act in doubt, and asks for it again where it was not done.
    pub async fn settle(&mut self, client: &Client) -> Result<()> {
        let Some((mut secret, act)) = self.doubt.take() else { return Ok(()) };
        let answer = match secret.done(&act, client).await? {
            Some(answer) => answer,
            None => secret.ask(&act, client).await?.good().with_context(|| format!("{act:?} sent again"))?,
        };
        secret.did(act, &answer)?;
        self.keep(secret);
        Ok(())
    }

    /// Asks the server about every secret: each version's value, labels, and the record of each act, once and in order.
    pub async fn check(&self, manager: &Client) -> Result<()> {
        for secret in &self.known {
            secret.check(manager).await?;
        }
        Ok(())
    }
}

fn alias(shown: &Value) -> Option<&str> {
    shown.get("aliases")?.get("aws")?.as_str()
}

fn labelled(shown: &Value) -> Result<Option<usize>> {
    let Some(labels) = shown.get("labels") else { bail!("no labels in {shown}") };
    Ok(labels.get(LABEL).and_then(Value::as_u64).and_then(|number| usize::try_from(number).ok()))
}
