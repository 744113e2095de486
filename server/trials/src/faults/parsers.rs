//! Every parser of foreign bytes before what chance makes of good ones: the tests called `parsers…` of all crates, with many more
//! inputs than `make test` gives them, and others in each round. A parser that hangs is ended, and named, by nextest.

use std::{
    fmt,
    process::{Command, Stdio},
};

use anyhow::{Context as _, ensure};

use crate::Result;

/// Inputs for each parser in one round. Those that are whole requests or ceremonies get a part of them.
pub const INPUTS: u64 = 20_000;

/// What was tried so far.
#[derive(Debug, Default)]
pub struct Found {
    tests: u64,
    inputs: u64,
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} tests, {} inputs for each parser", self.tests, self.inputs)
    }
}

/// Runs the tests of all parsers in the working folder with inputs of this seed. A failure tells the smallest input that makes
/// it; the same seed makes it again.
pub fn round(seed: u64, found: &mut Found) -> Result<()> {
    let ran = Command::new("cargo")
        .args(["nextest", "run", "--locked", "--workspace", "--profile", "parsers", "--cargo-profile", "ci"])
        .args(["--no-fail-fast", "-E", "test(/parsers/)"])
        .env("PROPTEST_CASES", INPUTS.to_string())
        .env("PROPTEST_RNG_SEED", seed.to_string())
        .stdin(Stdio::null())
        .output()
        .context("cargo nextest")?;
    let said = String::from_utf8_lossy(&ran.stderr);
    ensure!(
        ran.status.success(),
        "PROPTEST_RNG_SEED={seed} PROPTEST_CASES={INPUTS}:\n{said}\n{}",
        String::from_utf8_lossy(&ran.stdout)
    );
    let summary = said.lines().rev().find(|line| line.contains("Summary")).unwrap_or_default();
    let run = summary.split_once("] ").and_then(|(_, rest)| rest.trim().split(' ').next()?.parse().ok());
    found.tests = run.with_context(|| format!("no count of tests in {summary:?}"))?;
    ensure!(found.tests > 30, "only {} tests of parsers were found", found.tests);
    found.inputs += INPUTS;
    Ok(())
}
