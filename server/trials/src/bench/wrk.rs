//! Load by `wrk` (github.com/wg/wrk): bounded in time, on loopback, from one thread.

use std::{
    fs::{self, File},
    io::{BufWriter, Write as _},
    path::Path,
    process::Command,
};

use anyhow::{Context as _, anyhow, bail, ensure};

use crate::Result;

/// Seconds of one load.
const SECONDS: u32 = 8;
const WARM: u32 = 3;
/// A load's figure is the middle one of so many, taken in turn with what it is compared with.
const TURNS: usize = 3;

/// A load's outcome.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    pub per_second: f64,
    /// Milliseconds.
    pub p50: f64,
    pub p95: f64,
    pub p99: f64,
    pub requests: u64,
}

/// Connections at once.
pub const CONNECTIONS: u32 = 32;

/// A request of a load.
#[derive(Debug)]
pub struct Ask {
    /// Path and query.
    pub path: String,
    /// JSON without tabs and line breaks; empty: none.
    pub body: String,
}

/// Writes the script that sends each of `asks` in turn, over and over, as the holder of `token`. The requests are put together
/// before the first is sent: what that costs, more with many different ones, is none of the server's.
pub fn script(file: &Path, method: &str, token: &str, asks: impl Iterator<Item = Ask>) -> Result<()> {
    let data = file.with_extension("asks");
    let mut lines = BufWriter::new(File::create(&data)?);
    for Ask { path, body } in asks {
        writeln!(lines, "{path}\t{body}")?;
    }
    lines.flush()?;
    let text = format!(
        r#"local asked, at = {{}}, 0
function init()
  local headers = {{ ["Authorization"] = "Bearer {token}", ["Content-Type"] = "application/json" }}
  for line in io.lines("{}") do
    local path, body = line:match("^([^\t]*)\t(.*)$")
    asked[#asked + 1] = wrk.format("{method}", path, headers, body)
  end
end
function request()
  at = at % #asked + 1
  return asked[at]
end
function done(summary, latency)
  local errors = summary.errors
  io.write(string.format("figures %f %f %f %f %d %d\n", summary.requests / summary.duration * 1e6,
    latency:percentile(50) / 1000, latency:percentile(95) / 1000, latency:percentile(99) / 1000,
    summary.requests, errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
"#,
        data.display()
    );
    Ok(fs::write(file, text)?)
}

/// Loads `url` for `seconds`; an error of any request is one here.
pub fn load(script: &Path, url: &str, seconds: u32) -> Result<Load> {
    let output = Command::new("wrk")
        .args(["-t1", &format!("-c{CONNECTIONS}"), &format!("-d{seconds}s"), "-s"])
        .arg(script)
        .arg(url)
        .output()
        .context("run wrk")?;
    let text = String::from_utf8_lossy(&output.stdout);
    ensure!(output.status.success(), "wrk: {text}{}", String::from_utf8_lossy(&output.stderr));
    let figures =
        text.lines().find_map(|line| line.strip_prefix("figures ")).context("wrk told no figures")?;
    let told: Vec<&str> = figures.split(' ').collect();
    let [per_second, p50, p95, p99, requests, errors] = told.as_slice() else {
        bail!("wrk told other figures: {figures}")
    };
    ensure!(*errors == "0", "{errors} of {requests} requests failed");
    Ok(Load {
        per_second: per_second.parse()?,
        p50: p50.parse()?,
        p95: p95.parse()?,
        p99: p99.parse()?,
        requests: requests.parse()?,
    })
}

/// Loads by turns, each by its middle throughput, so that what the machine does meanwhile falls on all of them alike.
/// A target is a script and the address of the server that it is sent to.
pub fn by_turns<const N: usize>(targets: [(&Path, &str); N]) -> Result<[Load; N]> {
    for (script, url) in targets {
        load(script, url, WARM)?;
    }
    let mut loads: [Vec<Load>; N] = std::array::from_fn(|_| Vec::new());
    for _ in 0..TURNS {
        for ((script, url), loads) in targets.into_iter().zip(&mut loads) {
            loads.push(load(script, url, SECONDS)?);
        }
    }
    let middle: Vec<Load> = loads.into_iter().map(middle).collect::<Result<_>>()?;
    middle.try_into().map_err(|_| anyhow!("a load is missing"))
}

fn middle(mut loads: Vec<Load>) -> Result<Load> {
    loads.sort_by(|a, b| a.per_second.total_cmp(&b.per_second));
    loads.get(loads.len() / 2).copied().context("no load")
}
