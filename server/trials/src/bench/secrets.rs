//! How fast values are read and put, and what a reading leaves in the record.
//!
//! A reading of ours is authorized and its event is on the disk before the value leaves. What it is compared with: a bare
//! handler that answers as many bytes and knows nothing, and OpenBao, which authorizes too and writes its audit file without
//! flushing it.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};

use super::{
    bao::{self, Bao},
    draw::{Draw, draws},
    lists::{Figure, figure},
    stock::{self, Stock},
    wrk::{self, Ask, Load, by_turns},
};
use crate::{Result, client::Client, house::PROJECT, node::Node};

/// Requests that a load goes through before it begins anew.
const DRAWS: usize = 200_000;
/// Seconds of a load whose traces are measured.
const SECONDS: u32 = 5;
/// How often it is looked how far a rewrap is.
const LOOK: Duration = Duration::from_millis(100);
/// A rewrap that does not end in this time has failed.
const LONGEST: Duration = Duration::from_mins(30);

/// The same load on each.
#[derive(Debug)]
pub struct Compared {
    pub ours: Load,
    pub bare: Load,
    /// Where there is one.
    pub bao: Option<Load>,
}

/// Who is compared.
#[derive(Debug)]
pub struct Servers<'a> {
    pub stock: &'a Stock,
    pub ours: &'a Node,
    pub bare: &'a Node,
    pub bao: Option<&'a Bao>,
    /// Where scripts lie.
    pub folder: &'a Path,
}

impl Servers<'_> {
    /// Values, read.
    pub fn read(&self) -> Result<Compared> {
        let draws = draws(Draw::Zipf, self.stock.count, DRAWS);
        let ask = |address: fn(&str) -> String| {
            draws.iter().map(move |number| Ask { path: address(&stock::path(*number)), body: String::new() })
        };
        let ours = self.script("read", "GET", &self.stock.reader, ask(stock::address))?;
        let bao = match self.bao {
            Some(bao) => Some(self.script("read-bao", "GET", &bao.token, ask(bao::address))?),
            None => None,
        };
        self.compare(&ours, bao.as_deref())
    }

    /// New versions, put.
    pub fn put(&self) -> Result<Compared> {
        let draws = draws(Draw::Uniform, self.stock.count, DRAWS);
        let ask = |address: fn(&str) -> String, body: fn(String) -> Value| {
            draws.iter().enumerate().map(move |(at, number)| Ask {
                path: address(&stock::path(*number)),
                body: body(stock::value(at)).to_string(),
            })
        };
        let ours = ask(stock::address, |value| json!({ "value": value }));
        let ours = self.script("put", "PUT", &self.stock.writer, ours)?;
        let bao = match self.bao {
            Some(bao) => {
                let asks = ask(bao::address, |value| json!({ "data": { "value": value } }));
                Some(self.script("put-bao", "PUT", &bao.token, asks)?)
            }
            None => None,
        };
        self.compare(&ours, bao.as_deref())
    }

    fn script(
        &self,
        name: &str,
        method: &str,
        token: &str,
        asks: impl Iterator<Item = Ask>,
    ) -> Result<PathBuf> {
        let file = self.folder.join(name).with_extension("lua");
        wrk::script(&file, method, token, asks)?;
        Ok(file)
    }

    /// `script` is what ours and the bare handler are asked alike.
    fn compare(&self, script: &Path, bao_script: Option<&Path>) -> Result<Compared> {
        let (ours, bare) = (self.ours.url(), self.bare.url());
        match (self.bao, bao_script) {
            (Some(bao), Some(bao_script)) => {
                let targets = [(script, ours.as_str()), (script, bare.as_str()), (bao_script, bao.url())];
                let [ours, bare, bao] = by_turns(targets)?;
                Ok(Compared { ours, bare, bao: Some(bao) })
            }
            _ => {
                let [ours, bare] = by_turns([(script, ours.as_str()), (script, bare.as_str())])?;
                Ok(Compared { ours, bare, bao: None })
            }
        }
    }
}

/// As many secrets in OpenBao as there are in a stock, with the same paths and values.
pub async fn fill(bao: &Bao, stock: &Stock) -> Result<()> {
    let client = bao.client();
    for number in 0..stock.count {
        bao::put(&client, &stock::path(number), &stock::value(number)).await?;
    }
    Ok(())
}

/// Readings of all secrets alike, whichever was read before.
pub fn uniform(stock: &Stock, node: &Node, folder: &Path) -> Result<Load> {
    let script = all(stock, folder, &stock.reader, stock::address)?;
    let [load] = by_turns([(script.as_path(), node.url().as_str())])?;
    Ok(load)
}

/// Bytes by which the records of a server on SQLite grow with each reading.
pub async fn growth(stock: &Stock, folder: &Path) -> Result<u64> {
    let script = all(stock, folder, &stock.reader, stock::address)?;
    grown(stock, &script).await
}

/// Bytes by which they grow with each new version: its event, and the version itself.
pub async fn growth_by_puts(stock: &Stock, folder: &Path) -> Result<u64> {
    let draws = draws(Draw::Uniform, stock.count, DRAWS);
    let asks = draws.into_iter().enumerate().map(|(at, number)| Ask {
        path: stock::address(&stock::path(number)),
        body: json!({ "value": stock::value(at) }).to_string(),
    });
    let script = folder.join("all-put.lua");
    wrk::script(&script, "PUT", &stock.writer, asks)?;
    grown(stock, &script).await
}

async fn grown(stock: &Stock, script: &Path) -> Result<u64> {
    let before = stock.bytes()?;
    let (node, _) = stock.start().await?;
    let load = wrk::load(script, &node.url(), SECONDS)?;
    node.stop()?;
    per_request(before, stock.bytes()?, load)
}

/// Bytes by which OpenBao's audit file grows with each reading.
pub fn bao_growth(bao: &Bao, stock: &Stock, folder: &Path) -> Result<u64> {
    let script = all(stock, folder, &bao.token, bao::address)?;
    let before = bao.audited()?;
    let load = wrk::load(&script, bao.url(), SECONDS)?;
    per_request(before, bao.audited()?, load)
}

fn per_request(before: u64, after: u64, load: Load) -> Result<u64> {
    after.saturating_sub(before).checked_div(load.requests).context("nothing was asked")
}

/// Each secret as often as any other.
fn all(stock: &Stock, folder: &Path, token: &str, address: fn(&str) -> String) -> Result<PathBuf> {
    let draws = draws(Draw::Uniform, stock.count, DRAWS);
    let asks = draws.into_iter().map(|it| Ask { path: address(&stock::path(it)), body: String::new() });
    let file = folder.join("all.lua");
    wrk::script(&file, "GET", token, asks)?;
    Ok(file)
}

/// Lists, searches and single readings, one after the other.
pub async fn lists(stock: &Stock, manager: &Client, reader: &Client) -> Result<Vec<Figure>> {
    let at = |number: usize| number * 7_919 % stock.count;
    let base = "/api/v1/secrets?project=pay&environment=live&limit=50";
    let first = manager.get(base).await?.good()?;
    let cursor = first.get("next_cursor").and_then(Value::as_str).context("no second page")?.to_owned();
    Ok(vec![
        figure("list, first page", manager, |_| base.to_owned()).await?,
        figure("list, second page", manager, |_| format!("{base}&cursor={cursor}")).await?,
        figure("a folder", manager, |number| format!("{base}&folder={}", stock::folder(at(number)))).await?,
        figure("search: a word", manager, |_| format!("{base}&q=refunds")).await?,
        figure("search: one name", manager, |number| format!("{base}&q={:07}", at(number))).await?,
        figure("search: no match", manager, |number| format!("{base}&q=nothing-{number}")).await?,
        figure("filter: deleted (none)", manager, |_| format!("{base}&state=deleted")).await?,
        figure("filter: expiring (none)", manager, |_| format!("{base}&state=expiring")).await?,
        figure("read a value", reader, |number| stock::address(&stock::path(at(number)))).await?,
    ])
}

/// Rotates the project's key, and waits until everything lies under the new one: data keys per second.
pub async fn rewrap(manager: &Client) -> Result<(u64, f64)> {
    let rotate = format!("/api/v1/projects/{PROJECT}/key/rotate");
    let began = Instant::now();
    let rewrap = manager.post(&rotate, &json!({})).await?.text("rewrap")?;
    loop {
        let shown = manager.get(&format!("/api/v1/rewraps/{rewrap}")).await?.good()?;
        if shown.get("state").and_then(Value::as_str) == Some("done") {
            let done = shown.get("done").and_then(Value::as_u64).context("no count")?;
            #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
            return Ok((done, done as f64 / began.elapsed().as_secs_f64()));
        }
        ensure!(began.elapsed() < LONGEST, "the rewrap does not end: {shown}");
        tokio::time::sleep(LOOK).await;
    }
}
