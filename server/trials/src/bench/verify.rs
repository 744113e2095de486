//! How fast a key is verified.

use std::{path::Path, time::Duration};

use super::{
    draw::{Draw, draws},
    fixture::Fixture,
    wrk::{self, Ask},
};
use crate::{
    Result,
    node::{Node, Plan},
};

/// Requests that a load goes through before it begins anew.
const DRAWS: usize = 500_000;

/// Keys of a fixture, as they are asked about.
pub fn script(file: &Path, fixture: &Fixture, count: usize, draw: Draw) -> Result<()> {
    let asked = draws(draw, count, DRAWS);
    let ask = |index: usize| {
        let value = fixture.keys.get(index).map_or("", |(_, value)| value.as_str());
        let body = format!(r#"{{"key":"{value}","scopes":["orders:read"],"caller":"bench"}}"#);
        Ask { path: "/api/v1/keys/verify".into(), body }
    };
    wrk::script(file, "POST", &fixture.house.verifier, asked.into_iter().map(ask))
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
