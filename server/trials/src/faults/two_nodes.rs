//! Two nodes on one PostgreSQL: what is revoked on one is refused on the other within [`SOON`] (S-34).

use std::{
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use serde_json::json;
use url::Url;

use crate::{
    Result,
    client::Client,
    database,
    house::House,
    node::{Node, Plan},
};

/// A revocation is known everywhere.
pub const SOON: Duration = Duration::from_secs(1);
/// Refusals in a row after which it is believed for good.
const STEADY: u32 = 20;
const LOOK: Duration = Duration::from_millis(2);

/// Two nodes with one database and one seal.
#[derive(Debug)]
pub struct Pair {
    pub house: House,
    /// Where changes are made.
    pub here: Client,
    /// Where they must be known.
    pub there: Client,
    nodes: [Node; 2],
}

/// What was seen so far.
#[derive(Debug, Default)]
pub struct Found {
    pub slowest: Duration,
    total: Duration,
    rounds: u32,
}

impl Pair {
    /// Starts both in `folder`. The second one reaches the database as `wire` says.
    pub async fn start(binary: &Path, folder: &Path, database: &Url, wire: &Url) -> Result<Self> {
        let seal = folder.join("seal.key");
        let plan = |name: &str, database: &Url| {
            Plan::new(binary, folder.join(name))
                .with("KEYWARDEN_DATABASE_URL", database.as_str())
                .with("KEYWARDEN_SEAL", "software")
                .with("KEYWARDEN_SEAL_KEY_FILE", seal.display().to_string())
        };
        let first = plan("first", database);
        let here = first.start().await.context("the first node")?;
        let house = House::furnish(&first, here.url()).await?;
        let there = plan("second", wire).start().await.context("the second node")?;
        Ok(Self {
            here: here.client(&house.manager),
            there: there.client(&house.verifier),
            house,
            nodes: [here, there],
        })
    }

    /// A new key that the other node has just called good: its id and its value.
    pub async fn key(&self, name: &str) -> Result<(String, String)> {
        let issued = self.here.post("/api/v1/keys", &self.house.key(name)).await?.good()?;
        let text = |field: &str| {
            let text = issued.get(field).and_then(serde_json::Value::as_str);
            text.map(str::to_owned).with_context(|| format!("no `{field}`"))
        };
        let (id, value) = (text("id")?, text("key")?);
        let code = self.there.verify(&value).await?.text("code")?;
        ensure!(code == "valid", "{id}, just issued on the one node, is {code} on the other");
        Ok((id, value))
    }

    pub async fn revoke(&self, id: &str) -> Result<()> {
        let reason = json!({ "reason": "key-compromise" });
        self.here.post(&format!("/api/v1/keys/{id}/revoke"), &reason).await?.good()?;
        Ok(())
    }

    /// Ends both in good order.
    pub fn stop(self) -> Result<()> {
        self.nodes.into_iter().try_for_each(Node::stop)
    }
}

/// Two nodes on a database of their own.
pub async fn pair(binary: &Path, folder: &Path, server: &Url) -> Result<Pair> {
    let database = database::fresh(server)?;
    Pair::start(binary, folder, &database, &database).await
}

/// Revokes on the one node and asks the other until it refuses for good.
pub async fn round(pair: &Pair, round: u64, found: &mut Found) -> Result<()> {
    let (id, value) = pair.key(&format!("round {round}")).await?;
    pair.revoke(&id).await?;
    let revoked = Instant::now();
    let (mut last_good, mut refusals) = (Duration::ZERO, 0);
    while refusals < STEADY {
        let asked = revoked.elapsed();
        match pair.there.verify(&value).await?.text("code")?.as_str() {
            "valid" => {
                (last_good, refusals) = (asked, 0);
                ensure!(asked <= SOON, "{id} is still valid {} ms after its revocation", asked.as_millis());
            }
            "revoked" => refusals += 1,
            other => anyhow::bail!("{id} is {other}"),
        }
        tokio::time::sleep(LOOK).await;
    }
    found.slowest = found.slowest.max(last_good);
    found.total += last_good;
    found.rounds += 1;
    Ok(())
}

impl std::fmt::Display for Found {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mean = self.total.checked_div(self.rounds).unwrap_or_default();
        write!(
            f,
            "last `valid` after {} ms at most, {} ms on average",
            self.slowest.as_millis(),
            mean.as_millis()
        )
    }
}
