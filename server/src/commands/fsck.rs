//! `keywarden fsck`: looks at the whole store and says what must not be so. It reads only. Clean is what was looked at
//! whole; where something could not be, the command ends with a code of its own.

use std::io::Write;

use keywarden_domain::fsck::Findings;
use keywarden_store::Store;

use super::Failure;
use crate::{
    config::Config,
    seals::{Pins, Seals},
    wire::{self, WireError},
};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(config: &Config, arguments: &Arguments) -> Result<(), Failure> {
    let (_, env) = wire::world()?;
    let store = Store::inspect(&wire::location(&config.database))
        .await
        .map_err(|cause| WireError::Database { cause })?;
    let seals = Seals::build(config, &env, Pins::of(&config.database)).map_err(WireError::from)?;
    let domain = wire::domain(config, store, env, Some(&seals))?;
    let findings = domain.fsck(&seals.all()).await.map_err(WireError::from)?;
    domain.keyring().zeroize();
    let mut out = std::io::stdout().lock();
    let written = if arguments.json {
        serde_json::to_writer(&mut out, &findings).map_err(Into::into).and_then(|()| writeln!(out))
    } else {
        print(&mut out, &findings)
    };
    written.map_err(Failure::io("print"))?;
    match (findings.is_clean(), findings.is_whole()) {
        (false, _) => Err(Failure::Damaged(findings.findings.len())),
        (true, false) => Err(Failure::Unseen(findings.skipped.len().saturating_add(findings.apart.len()))),
        (true, true) => Ok(()),
    }
}

fn print(out: &mut impl Write, findings: &Findings) -> std::io::Result<()> {
    findings.findings.iter().try_for_each(|finding| writeln!(out, "{finding}"))?;
    findings.skipped.iter().try_for_each(|skipped| writeln!(out, "not looked at: {skipped}"))?;
    findings.apart.iter().try_for_each(|apart| writeln!(out, "not looked at: {apart}"))?;
    let verdict = match (findings.is_clean(), findings.is_whole()) {
        (false, _) => "damaged",
        (true, false) => "clean as far as it could be seen",
        (true, true) => "clean",
    };
    writeln!(
        out,
        "{verdict}: {} rules asked, {} events compared, {} rows opened",
        findings.rules, findings.events, findings.opened
    )
}
