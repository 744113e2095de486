//! How fast lists, searches and single keys are read, by the API and by the console's own queries behind it.

use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use serde_json::Value;

use super::fixture::Fixture;
use crate::{Result, client::Client};

/// Requests of each kind.
const ASKED: usize = 200;

/// A kind of request, and how long its median, its slowest twentieth and its slowest hundredth take at least.
#[derive(Debug)]
pub struct Figure {
    pub name: &'static str,
    pub p50: Duration,
    pub p95: Duration,
    pub p99: Duration,
}

/// Asks each kind of request, one after the other.
pub async fn measure(fixture: &Fixture, client: &Client) -> Result<Vec<Figure>> {
    let at = |number: usize| fixture.keys.get(number * 7_919 % fixture.keys.len());
    let id = |number: usize| at(number).map(|(id, _)| id.clone()).unwrap_or_default();
    let public = |number: usize| {
        let public = at(number).and_then(|(_, value)| value.split('_').nth(2)).unwrap_or_default();
        public.to_owned()
    };
    let second = client.get("/api/v1/keys?limit=50").await?.good()?;
    let cursor = second.get("next_cursor").and_then(Value::as_str).context("no second page")?.to_owned();
    let base = "/api/v1/keys?project=pay&environment=live";
    Ok(vec![
        figure("list, newest first", client, |_| format!("{base}&limit=50")).await?,
        figure("list, second page", client, |_| format!("/api/v1/keys?limit=50&cursor={cursor}")).await?,
        figure("list by name", client, |_| format!("{base}&order=name&limit=50")).await?,
        figure("list by expiry", client, |_| format!("{base}&order=expires&limit=50")).await?,
        figure("filter: active", client, |_| format!("{base}&state=active&limit=50")).await?,
        figure("filter: revoked (none)", client, |_| format!("{base}&state=compromised&limit=50")).await?,
        figure("filter: a tag", client, |number| format!("{base}&tag=shard%3D{}&limit=50", number % 64))
            .await?,
        figure("search: a word", client, |_| format!("{base}&q=refunds&limit=50")).await?,
        figure("search: one name", client, |number| {
            format!("{base}&q={:07}", number * 7_919 % fixture.keys.len())
        })
        .await?,
        figure("search: no match", client, |number| format!("{base}&q=nothing-{number}")).await?,
        figure("search: a public id", client, |number| format!("{base}&q={}", public(number))).await?,
        figure("show", client, |number| format!("/api/v1/keys/{}", id(number))).await?,
    ])
}

/// Asks one kind of request, one after the other.
pub async fn figure(name: &'static str, client: &Client, path: impl Fn(usize) -> String) -> Result<Figure> {
    let mut took = Vec::with_capacity(ASKED);
    for number in 0..ASKED {
        let path = path(number);
        let began = Instant::now();
        let answer = client.get(&path).await?;
        took.push(began.elapsed());
        ensure!(answer.status.is_success(), "{path}: {} {}", answer.status, answer.body);
    }
    took.sort();
    let at = |share: usize| took.get(took.len() * share / 100).copied().context("no figure");
    Ok(Figure { name, p50: at(50)?, p95: at(95)?, p99: at(99)? })
}
