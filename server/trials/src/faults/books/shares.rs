//! One-time links: made, opened, withdrawn.
//!
//! A link is opened as whoever was sent it does it: at the console's page, without an account. An opening whose answer never
//! came gave the value to nobody, or it did not open: then the link opens once more, and no more.

use std::fmt;

use anyhow::{Context as _, bail, ensure};
use http::StatusCode;
use rand::{Rng, RngExt as _};
use serde_json::{Value, json};

use super::{Tally, events, items, text};
use crate::{
    Result,
    client::{Answer, Client, NoAnswer},
    house::{ENVIRONMENT, PROJECT},
};

/// Links to one secret: no more than the server lets be open, and few enough that one page of the record tells of all.
const LINKS: usize = 30;
/// The path at which links are opened.
const PAGE: &str = "/shared/";

/// What became of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Open,
    Opened,
    Withdrawn,
}

/// A link as its only client knows it.
#[derive(Debug)]
struct Link {
    id: String,
    page: String,
    passphrase: String,
    fate: Fate,
}

/// A secret, and the links to it.
#[derive(Debug)]
struct Shared {
    id: String,
    path: String,
    value: String,
    links: Vec<Link>,
}

/// An act whose answer never came.
#[derive(Debug)]
enum Doubt {
    /// Under this idempotency key.
    Make(String),
    /// The link's place in the book.
    Open(usize),
    Put(Shared),
    Withdraw(usize),
}

/// One client's links: to the last of its secrets more are made.
#[derive(Debug)]
pub struct Shares {
    name: String,
    shared: Vec<Shared>,
    doubt: Option<Doubt>,
    pub tally: Tally,
}

impl Fate {
    /// The actions that the record must tell of the link.
    fn history(self) -> &'static [&'static str] {
        match self {
            Self::Open => &["secret.share"],
            Self::Opened => &["secret.share", "secret.open-share"],
            Self::Withdrawn => &["secret.share", "secret.withdraw-share"],
        }
    }
}

impl Link {
    fn told(answer: &Value) -> Result<Self> {
        let url = text(answer, "url")?;
        let (_, token) = url.split_once(PAGE).with_context(|| format!("no link: {url}"))?;
        let (id, passphrase) = (text(answer, "id")?, text(answer, "passphrase")?);
        Ok(Self { id, page: format!("{PAGE}{token}"), passphrase, fate: Fate::Open })
    }

    async fn open(&self, client: &Client) -> Result<Answer, NoAnswer> {
        client.post_form(&self.page, &format!("passphrase={}", self.passphrase)).await
    }

    /// It opens nothing any more.
    async fn is_gone(&self, client: &Client) -> Result<()> {
        let again = self.open(client).await?;
        let told = again.status;
        ensure!(told == StatusCode::NOT_FOUND, "{} is {:?} and is answered {told}", self.id, self.fate);
        Ok(())
    }
}

impl Shared {
    fn address(&self) -> String {
        format!("/api/v1/projects/{PROJECT}/environments/{ENVIRONMENT}/secrets/{}", self.path)
    }

    fn links(&self) -> String {
        format!("/api/v1/secrets/{}/shares", self.id)
    }

    async fn put(&self, client: &Client) -> Result<Answer, NoAnswer> {
        client.put(&self.address(), &json!({ "value": self.value })).await
    }

    async fn make(&self, once: &str, client: &Client) -> Result<Answer, NoAnswer> {
        client.post_once(once, &self.links(), &json!({ "version": 1, "expires_in": "24h" })).await
    }

    async fn withdraw(&self, link: &Link, client: &Client) -> Result<Answer, NoAnswer> {
        client.delete(&format!("{}/{}", self.links(), link.id)).await
    }

    /// The page of an opened link holds the value.
    fn shows(&self, answer: Answer) -> Result<()> {
        let page = answer.good()?;
        let page = page.as_str().unwrap_or_default();
        ensure!(page.contains(&self.value), "an opened link to {} shows no value, or another", self.path);
        Ok(())
    }

    /// The record's events of a link, oldest first.
    async fn history(&self, link: &Link, manager: &Client) -> Result<Vec<String>> {
        let of_link =
            |event: &Value| event.pointer("/event/facts/share").and_then(Value::as_str) == Some(&*link.id);
        let found = events(manager, &self.id).await?;
        found.iter().filter(|event| of_link(event)).map(|event| text(event, "action")).collect()
    }

    async fn check(&self, manager: &Client) -> Result<()> {
        let open = manager.get(&self.links()).await?.good()?;
        let is_listed = |link: &Link| {
            items(&open).iter().any(|it| it.get("id").and_then(Value::as_str) == Some(&*link.id))
        };
        let mut serving = 0;
        for link in &self.links {
            let serves = link.fate == Fate::Open;
            serving += usize::from(serves);
            ensure!(is_listed(link) == serves, "{} is {:?}, and the list says otherwise", link.id, link.fate);
            if !serves {
                link.is_gone(manager).await?;
            }
            let told = self.history(link, manager).await?;
            ensure!(
                told == link.fate.history(),
                "the record of {} tells {told:?}: it is {:?}",
                link.id,
                link.fate
            );
        }
        let listed = items(&open).len();
        ensure!(listed == serving, "{listed} links to {} serve, {serving} were asked for", self.path);
        Ok(())
    }
}

impl Shares {
    pub fn new(name: String) -> Self {
        Self { name, shared: Vec::new(), doubt: None, tally: Tally::default() }
    }

    /// Does one thing. Whether the server is still there.
    pub async fn act(&mut self, client: &Client, random: &mut impl Rng) -> Result<bool> {
        let doubt = self.choose(random);
        match self.ask(&doubt, client).await {
            Ok(answer) => {
                self.note(doubt, answer)?;
                Ok(true)
            }
            Err(Asking::NoAnswer(_)) => {
                self.tally.doubted += 1;
                self.doubt = Some(doubt);
                Ok(false)
            }
            Err(Asking::Nothing) => bail!("{doubt:?} is about nothing in the book"),
        }
    }

    fn choose(&self, random: &mut impl Rng) -> Doubt {
        let Some(shared) = self.shared.last().filter(|it| it.links.len() < LINKS) else {
            return Doubt::Put(Shared {
                id: String::new(),
                path: format!("{}/{}", self.name, self.shared.len()),
                value: format!("{:032x}", random.random::<u128>()),
                links: Vec::new(),
            });
        };
        let open: Vec<_> = (0..shared.links.len())
            .filter(|at| shared.links.get(*at).is_some_and(|it| it.fate == Fate::Open))
            .collect();
        let at = open.get(random.random_range(0..open.len().max(1))).copied();
        match (at, random.random_range(0..10)) {
            (Some(at), 0..=4) => Doubt::Open(at),
            (Some(at), 5 | 6) => Doubt::Withdraw(at),
            _ => Doubt::Make(format!("{:032x}", random.random::<u128>())),
        }
    }

    fn link(&self, at: usize) -> Result<(&Shared, &Link), Asking> {
        let shared = self.shared.last().ok_or(Asking::Nothing)?;
        Ok((shared, shared.links.get(at).ok_or(Asking::Nothing)?))
    }

    async fn ask(&self, doubt: &Doubt, client: &Client) -> Result<Answer, Asking> {
        Ok(match doubt {
            Doubt::Make(once) => self.shared.last().ok_or(Asking::Nothing)?.make(once, client).await?,
            Doubt::Open(at) => self.link(*at)?.1.open(client).await?,
            Doubt::Put(shared) => shared.put(client).await?,
            Doubt::Withdraw(at) => {
                let (shared, link) = self.link(*at)?;
                shared.withdraw(link, client).await?
            }
        })
    }

    /// Writes down what was acknowledged.
    fn note(&mut self, done: Doubt, answer: Answer) -> Result<()> {
        self.tally.acknowledged += 1;
        if let Doubt::Put(shared) = done {
            let id = text(&answer.good()?, "id")?;
            self.shared.push(Shared { id, ..shared });
            return Ok(());
        }
        let shared = self.shared.last_mut().context("a link to nothing")?;
        match done {
            Doubt::Make(_) => shared.links.push(Link::told(&answer.good()?)?),
            Doubt::Open(at) => {
                shared.shows(answer).context("a link that was open")?;
                shared.links.get_mut(at).context("no such link")?.fate = Fate::Opened;
            }
            Doubt::Withdraw(at) => {
                answer.good().context("a link that was open is withdrawn")?;
                shared.links.get_mut(at).context("no such link")?.fate = Fate::Withdrawn;
            }
            Doubt::Put(_) => {}
        }
        Ok(())
    }

    /// Asks for what is in doubt once more. A link that was opened or withdrawn is gone then, and what it was is told by
    /// the record alone: exactly one event, which [`Shares::check`] looks for.
    pub async fn settle(&mut self, client: &Client) -> Result<()> {
        let Some(doubt) = self.doubt.take() else { return Ok(()) };
        let answer = match self.ask(&doubt, client).await {
            Ok(answer) => answer,
            Err(Asking::NoAnswer(none)) => return Err(none.into()),
            Err(Asking::Nothing) => bail!("{doubt:?} is about nothing in the book"),
        };
        let (at, fate) = match doubt {
            Doubt::Open(at) => (at, Fate::Opened),
            Doubt::Withdraw(at) => (at, Fate::Withdrawn),
            // Put again it is another version, or the first one: links are made to the first, and both hold one value.
            Doubt::Make(_) | Doubt::Put(_) => return self.note(doubt, answer),
        };
        if answer.status != StatusCode::NOT_FOUND {
            return self.note(doubt, answer).context("asked for again");
        }
        self.tally.acknowledged += 1;
        let link = self.shared.last_mut().and_then(|shared| shared.links.get_mut(at));
        link.context("no such link")?.fate = fate;
        Ok(())
    }

    /// Asks about every link: those that ended open nothing, and the record of each tells how, once.
    pub async fn check(&self, manager: &Client) -> Result<()> {
        for shared in &self.shared {
            shared.check(manager).await?;
        }
        Ok(())
    }
}

/// Why there is nothing to write down.
enum Asking {
    NoAnswer(NoAnswer),
    Nothing,
}

impl From<NoAnswer> for Asking {
    fn from(none: NoAnswer) -> Self {
        Self::NoAnswer(none)
    }
}

impl fmt::Display for Fate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}
