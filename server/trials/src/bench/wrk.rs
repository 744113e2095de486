//! Load by `wrk` (github.com/wg/wrk): bounded in time, on loopback, from one thread.

use std::{
    fs::{self, File},
    io::{BufWriter, Write as _},
    path::Path,
    process::Command,
};

use anyhow::{Context as _, ensure};

use crate::Result;

/// A load's outcome.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    pub per_second: f64,
    /// Milliseconds.
    pub p50: f64,
    pub p99: f64,
}

/// Connections at once.
pub const CONNECTIONS: u32 = 32;

/// Writes the script that posts each of `bodies` in turn, over and over.
pub fn script(file: &Path, token: &str, bodies: impl Iterator<Item = String>) -> Result<()> {
    let data = file.with_extension("bodies");
    let mut lines = BufWriter::new(File::create(&data)?);
    for body in bodies {
        writeln!(lines, "{body}")?;
    }
    lines.flush()?;
    let text = format!(
        r#"local bodies = {{}}
for line in io.lines("{}") do bodies[#bodies + 1] = line end
local headers = {{ ["Authorization"] = "Bearer {token}", ["Content-Type"] = "application/json" }}
local at = 0
function request()
  at = at % #bodies + 1
  return wrk.format("POST", nil, headers, bodies[at])
end
function done(summary, latency)
  local errors = summary.errors
  io.write(string.format("figures %f %f %f %d\n", summary.requests / summary.duration * 1e6,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
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
    let mut figures = figures.split(' ').map(str::parse::<f64>);
    let mut next = || figures.next().context("a figure is missing")?.context("a figure is none");
    let load = Load { per_second: next()?, p50: next()?, p99: next()? };
    let errors = next()?;
    ensure!(errors == 0.0, "{errors} requests failed");
    Ok(load)
}
