//! `keywarden doctor`: looks at everything the server stands on and says what to do about what it finds.
//!
//! It changes nothing and runs beside a running server. To add a check: a file here, a line in [`examine`].

mod disk;
mod hsm;
mod mail;
mod origin;
mod proofs;
mod records;
mod tls;

use std::{fmt, io::Write};

use chrono::{DateTime, Utc};
use keywarden_domain::env::{Clock, SystemClock};
use serde::Serialize;

use super::Failure;
use crate::{config::Config, listen, seals::Pins, wire};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// How a check ended; only [`Outcome::Failed`] makes the command fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Outcome {
    Failed,
    Fine,
    Warning,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Check {
    name: &'static str,
    outcome: Outcome,
    finding: String,
    /// What to do; nothing when all is well.
    #[serde(skip_serializing_if = "Option::is_none")]
    advice: Option<String>,
}

impl Check {
    fn fine(name: &'static str, finding: impl Into<String>) -> Self {
        Self { name, outcome: Outcome::Fine, finding: finding.into(), advice: None }
    }

    fn warning(name: &'static str, finding: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { name, outcome: Outcome::Warning, finding: finding.into(), advice: Some(advice.into()) }
    }

    fn failed(name: &'static str, finding: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { name, outcome: Outcome::Failed, finding: finding.into(), advice: Some(advice.into()) }
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = match self.outcome {
            Outcome::Failed => "FAILED ",
            Outcome::Fine => "fine   ",
            Outcome::Warning => "warning",
        };
        write!(f, "{mark}  {:8}  {}", self.name, self.finding)?;
        self.advice.iter().try_for_each(|advice| write!(f, "\n{:19}→ {advice}", ""))
    }
}

pub(super) async fn run(config: &Config, arguments: &Arguments) -> Result<(), Failure> {
    let checks = examine(config).await;
    print(&checks, arguments.json).map_err(Failure::io("print"))?;
    let failed = checks.iter().any(|check| check.outcome == Outcome::Failed);
    if failed { Err(Failure::Checks) } else { Ok(()) }
}

async fn examine(config: &Config) -> Vec<Check> {
    let now = SystemClock.now();
    let mut checks = disk::checks(config);
    checks.extend(beneath(config, now).await);
    checks.extend([listener(config), tls::check(config, now), origin::check(&config.public)]);
    checks.push(proofs::check(config).await);
    checks.extend(mail::check(config).await);
    checks
}

/// Database, clock, HSM and the passkeys that are there.
async fn beneath(config: &Config, now: DateTime<Utc>) -> Vec<Check> {
    let (database, store) = records::database(config).await;
    let env = match wire::world() {
        Ok((_, env)) => env,
        Err(cause) => return vec![database, Check::failed("hsm", cause.to_string(), "report this")],
    };
    let domain = store.and_then(|store| wire::domain(config, store, env.clone(), None).ok());
    let made = match &domain {
        Some(domain) => domain.has_keyring().await.ok(),
        // It will be made; one that does not answer may hold keys.
        None => (database.outcome == Outcome::Fine).then_some(false),
    };
    let failed = database.outcome == Outcome::Failed;
    let mut checks = vec![database, records::clock(domain.as_ref(), now).await];
    // Where the database does not answer nobody knows how often a PIN was tried; one that has no schema yet, or an older one,
    // knows of none.
    let pins = if domain.is_none() && !failed { Pins::Files } else { Pins::of(&config.database) };
    if let Some(domain) = &domain {
        pins.remember_in(domain);
    }
    checks.push(hsm::answers(config, &env, &pins, made).await);
    checks.extend(hsm::library(config, &env, &pins));
    checks.extend(hsm::enough(domain.as_ref()).await);
    checks.extend(hsm::used_up(domain.as_ref()).await);
    checks.extend(origin::stored(domain.as_ref(), &config.public).await);
    checks.extend(hsm::of_projects(config, &env, &pins, domain.as_ref()).await);
    checks
}

fn listener(config: &Config) -> Check {
    match listen::check(config) {
        Ok(()) => Check::fine("listener", format!("{} may be served", config.listen.address)),
        Err(refusal) => Check::failed("listener", "this address would not be served", refusal.to_string()),
    }
}

fn print(checks: &[Check], json: bool) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    if json {
        serde_json::to_writer_pretty(&mut out, checks)?;
        return writeln!(out);
    }
    checks.iter().try_for_each(|check| writeln!(out, "{check}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_is_one_line_and_its_advice_another() {
        assert_eq!(Check::fine("disk", "12 GiB free").to_string(), "fine     disk      12 GiB free");
        let failed = Check::failed("disk", "full", "make room").to_string();
        assert_eq!(failed, "FAILED   disk      full\n                   → make room");
    }
}
