//! What an operator rotates in the shell: the seal's key that wraps the keyring, and the keyring's keys; the callers' rotations
//! of a project's key are [`super::upkeep::rotate`].
//!
//! Must be so: a rotation whose end nobody heard of ends when it is asked for again, and then the seal's older keys wrap nothing
//! and can be destroyed; whatever was to be rewrapped is, by itself: projects' keys once nodes that were killed count as gone.

use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use rand::{Rng, seq::IndexedRandom as _};
use serde_json::Value;

use crate::{Result, node::Plan};

/// The key of the keyring under which projects' keys lie, which is rotated every so many rounds.
const PROJECT_KEY: &str = "project-key";
const SELDOM: u64 = 10;
/// What the others are for.
const PURPOSES: [&str; 8] = [
    "api-key-mac",
    "fingerprint",
    "idempotency",
    "one-time",
    "personal",
    "secret-fingerprint",
    "service-token-mac",
    "session",
];
/// Rewraps end within this, and those of projects' keys, for which nodes that were killed are waited for a minute.
const ENDS: Duration = Duration::from_secs(30);
const ALL_END: Duration = Duration::from_secs(100);
const LOOK: Duration = Duration::from_millis(50);

/// A command that rotates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// The keyring's key of this purpose.
    Keyring(&'static str),
    Seal,
}

/// The seal that wraps a trial's keyring.
#[derive(Debug, Clone)]
pub struct Rotations {
    seal: String,
    /// Its oldest key that may be there.
    oldest: u32,
}

impl Act {
    /// As often one as the other.
    pub fn draw(round: u64, random: &mut impl Rng) -> Result<Self> {
        let purpose = PURPOSES.choose(random).context("no purpose")?;
        let by_chance = if random.next_u32().is_multiple_of(2) { Self::Seal } else { Self::Keyring(purpose) };
        let projects = round % SELDOM == SELDOM - 1;
        Ok(if projects { Self::Keyring(PROJECT_KEY) } else { by_chance })
    }
}

impl Rotations {
    /// Of the running server.
    pub fn of(plan: &Plan) -> Result<Self> {
        let told: Value = serde_json::from_str(&plan.run(&["seal", "list", "--json"])?)?;
        let seal = told.pointer("/0/id").and_then(Value::as_str).context("no seal")?;
        Ok(Self { seal: seal.to_owned(), oldest: 1 })
    }

    fn command(&self, act: Act) -> [&str; 3] {
        match act {
            Act::Keyring(purpose) => ["keyring", "rotate", purpose],
            Act::Seal => ["seal", "rotate", &self.seal],
        }
    }

    /// Does it, and destroys what it made needless, until that is done or the server is gone. Whether it was told of.
    pub fn begin(&self, plan: &Plan, act: Act) -> Result<bool> {
        let told = plan.ask(&self.command(act))?;
        if told.status.success() && act == Act::Seal {
            let newest = number(&String::from_utf8_lossy(&told.stdout))?;
            for old in self.oldest..newest {
                plan.ask(&["seal", "destroy-key", &self.seal, &old.to_string()])?;
            }
        }
        Ok(told.status.success())
    }

    /// Asks for it again, and waits until what lies under the keys of projects is as it was asked for.
    pub async fn again(&mut self, plan: &Plan, act: Act) -> Result<()> {
        ended(plan, false).await?;
        let told = plan.ask(&self.command(act))?;
        let why = String::from_utf8_lossy(&told.stderr).into_owned();
        let waits = act == Act::Keyring(PROJECT_KEY) && why.contains("is not done");
        ensure!(told.status.success() || waits, "asked for again: {why}");
        if act == Act::Seal {
            let newest = number(&String::from_utf8_lossy(&told.stdout))?;
            for old in self.oldest..newest {
                let told = plan.ask(&["seal", "destroy-key", &self.seal, &old.to_string()])?;
                let why = String::from_utf8_lossy(&told.stderr).into_owned();
                // It may have been destroyed before, though nobody was told.
                ensure!(
                    told.status.success() || why.contains("has no key"),
                    "key {old} of {} is not destroyed though a newer one wraps: {why}",
                    self.seal
                );
            }
            self.oldest = newest;
        }
        ended(plan, false).await
    }

    /// After the last round: all that is still under way ends.
    pub async fn end(&self, plan: &Plan) -> Result<()> {
        ended(plan, true).await
    }
}

/// The number of the key that a rotation says it made.
fn number(said: &str) -> Result<u32> {
    let number = said.strip_prefix("key ").and_then(|rest| rest.split(' ').next());
    number.and_then(|number| number.parse().ok()).with_context(|| format!("no key's number in `{said}`"))
}

/// Waits until every rewrap is done, and none left a key out; if `all` is said, those of projects' keys as well.
async fn ended(plan: &Plan, all: bool) -> Result<()> {
    let began = Instant::now();
    loop {
        let told: Value = serde_json::from_str(&plan.run(&["rewrap", "status", "--json"])?)?;
        let rewraps = told.as_array().context("rewraps that are no list")?;
        let is = |it: &Value, field: &str, word: &str| it.get(field).and_then(Value::as_str) == Some(word);
        if let Some(it) = rewraps.iter().find(|it| it.get("skipped").and_then(Value::as_i64) != Some(0)) {
            bail!("a rewrap left a key out: {it}");
        }
        let mut open = rewraps.iter().filter(|it| !is(it, "state", "done"));
        let Some(open) = open.find(|it| all || !is(it, "kind", "project-keys")) else { return Ok(()) };
        let patience = if all { ALL_END } else { ENDS };
        ensure!(began.elapsed() < patience, "a rewrap does not end: {open}");
        tokio::time::sleep(LOOK).await;
    }
}
