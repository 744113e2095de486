//! How fast a key is verified.

use std::{path::Path, time::Duration};

use anyhow::Context as _;

use super::{
    draw::{Draw, draws},
    fixture::Fixture,
    wrk::{self, Load},
};
use crate::{
    Result,
    node::{Node, Plan},
};

/// Requests that a load goes through before it begins anew.
const DRAWS: usize = 500_000;
/// Seconds of one load.
const SECONDS: u32 = 8;
const WARM: u32 = 3;
/// A load's figure is the middle one of so many, taken in turn with what it is compared with.
const TURNS: usize = 3;

/// Keys of a fixture, as they are asked about.
pub fn script(file: &Path, fixture: &Fixture, count: usize, draw: Draw) -> Result<()> {
    let asked = draws(draw, count, DRAWS);
    let body = |index: usize| {
        let value = fixture.keys.get(index).map_or("", |(_, value)| value.as_str());
        format!(r#"{{"key":"{value}","scopes":["orders:read"],"caller":"bench"}}"#)
    };
    wrk::script(file, &fixture.house.verifier, asked.into_iter().map(body))
}

/// Both loads by turns, each by its middle throughput.
pub fn by_turns(first: (&Path, &str), second: (&Path, &str)) -> Result<(Load, Load)> {
    let one = |(script, url): (&Path, &str)| wrk::load(script, &format!("{url}/api/v1/keys/verify"), SECONDS);
    for (script, url) in [first, second] {
        wrk::load(script, &format!("{url}/api/v1/keys/verify"), WARM)?;
    }
    let (mut firsts, mut seconds) = (Vec::new(), Vec::new());
    for _ in 0..TURNS {
        firsts.push(one(first)?);
        seconds.push(one(second)?);
    }
    Ok((middle(firsts)?, middle(seconds)?))
}

fn middle(mut loads: Vec<Load>) -> Result<Load> {
    loads.sort_by(|a, b| a.per_second.total_cmp(&b.per_second));
    loads.get(loads.len() / 2).copied().context("no load")
}

/// The bare server of the same build.
pub async fn bare(plan: &Plan) -> Result<Node> {
    plan.start_as("bare").await
}

/// Memory of a server that does nothing for a while.
pub async fn idle(node: &Node) -> Result<u64> {
    tokio::time::sleep(Duration::from_secs(3)).await;
    node.resident()
}
