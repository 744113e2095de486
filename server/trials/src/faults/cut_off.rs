//! A node is cut off from its database, by closed connections and by silence.
//!
//! Must be so: from [`SOON`] after the cut it calls no key good, says 503 within [`PROMPT`], and after the wire is whole
//! again it knows what was revoked meanwhile within [`BACK`].

use std::{
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail, ensure};
use http::StatusCode;
use url::Url;

use super::two_nodes::{Pair, SOON};
use crate::{
    Result,
    client::NoAnswer,
    database,
    proxy::{Proxy, Wire},
};

/// The honest answer of a node that cannot know.
const UNKNOWN: StatusCode = StatusCode::SERVICE_UNAVAILABLE;
/// An answer takes no longer, whatever the database does.
const PROMPT: Duration = Duration::from_secs(3);
/// From a whole wire to right answers.
const BACK: Duration = Duration::from_secs(5);
/// How long the wire stays cut.
const CUT: Duration = Duration::from_millis(2_500);
const LOOK: Duration = Duration::from_millis(10);

/// Two nodes, one of them behind a wire that can be cut.
#[derive(Debug)]
pub struct Trial {
    pair: Pair,
    proxy: Proxy,
    found: Found,
}

/// What was seen so far.
#[derive(Debug, Default)]
pub struct Found {
    last_good: Duration,
    slowest_answer: Duration,
    slowest_return: Duration,
    refusals: u64,
}

impl Trial {
    pub async fn new(binary: &Path, folder: &Path, server: &Url) -> Result<Self> {
        let database = database::fresh(server)?;
        let host = database.host_str().context("the database's host")?;
        let proxy = Proxy::to(format!("{host}:{}", database.port().unwrap_or(5432))).await?;
        let mut wire = database.clone();
        wire.set_ip_host(proxy.address.ip()).ok().context("an address for the wire")?;
        wire.set_port(Some(proxy.address.port())).ok().context("a port for the wire")?;
        let mut pair = Pair::start(binary, folder, &database, &wire).await?;
        pair.there = pair.there.patient(PROMPT);
        Ok(Self { pair, proxy, found: Found::default() })
    }

    pub async fn round(&mut self, round: u64) -> Result<&Found> {
        let wire = if round.is_multiple_of(2) { Wire::Cut } else { Wire::Silent };
        let (id, value) = self.pair.key(&format!("round {round}")).await?;
        self.proxy.set(wire);
        let cut = Instant::now();
        self.pair.revoke(&id).await?;
        while cut.elapsed() < CUT {
            let asked = cut.elapsed();
            let answer = self
                .pair
                .there
                .verify(&value)
                .await
                .with_context(|| format!("no prompt answer: {wire:?}"))?;
            self.found.slowest_answer = self.found.slowest_answer.max(cut.elapsed().saturating_sub(asked));
            if answer.status == UNKNOWN {
                self.found.refusals += 1;
            } else {
                match answer.text("code")?.as_str() {
                    "valid" => {
                        self.found.last_good = self.found.last_good.max(asked);
                        ensure!(
                            asked <= SOON,
                            "{id} is valid {} ms after the cut: {wire:?}",
                            asked.as_millis()
                        );
                    }
                    code => bail!("{id} is {code} on a node that cannot know: {wire:?}"),
                }
            }
            tokio::time::sleep(LOOK).await;
        }
        self.proxy.set(Wire::Whole);
        let whole = Instant::now();
        loop {
            let answer = self.pair.there.verify(&value).await;
            match answer {
                Ok(answer) if answer.status == UNKNOWN => {}
                Ok(answer) => match answer.text("code")?.as_str() {
                    "revoked" => break,
                    code => bail!("{id} is {code} after the wire is whole again"),
                },
                Err(NoAnswer::Late(_)) => {}
                Err(broken) => return Err(broken.into()),
            }
            ensure!(
                whole.elapsed() <= BACK,
                "no right answer {} ms after the cut's end",
                whole.elapsed().as_millis()
            );
            tokio::time::sleep(LOOK).await;
        }
        self.found.slowest_return = self.found.slowest_return.max(whole.elapsed());
        Ok(&self.found)
    }

    pub fn end(self) -> Result<()> {
        ensure!(self.found.refusals > 0, "the node was never asked while it could not know");
        self.pair.stop()
    }
}

impl std::fmt::Display for Found {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "last `valid` {} ms after the cut, {} times 503, slowest answer {} ms, right again after {} ms",
            self.last_good.as_millis(),
            self.refusals,
            self.slowest_answer.as_millis(),
            self.slowest_return.as_millis()
        )
    }
}
