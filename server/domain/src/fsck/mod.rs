//! Looks at everything that is stored and says what must not be so. The oracle of every proof that breaks things.
//!
//! What SQL can see is a rule in the store's `fsck/`, one file per noun. What takes a key or the event's canonical form
//! is here: every wrap unwraps, every sealed row opens in its place, every event's bytes say what its columns say.
//!
//! To add a check: a file with a function from [`Look`] to findings, and a line in [`Domain::fsck`].
//!
//! **Invariant:** reading only. It may run beside a server; what that one changes meanwhile can be told as a finding,
//! so proofs stop it first.

mod audit;
mod channels;
mod keyring;
mod members;
mod policies;
mod roles;
mod sealed;
mod secrets;
mod standards;

use std::fmt;
use std::sync::Arc;

use keywarden_store::fsck;
use keywarden_vault::Seal;
use serde::Serialize;

use crate::{Domain, Fault};

/// Things told of each rule; the rest are counted.
const TOLD: usize = 20;
/// Rows read at once.
const PAGE: i64 = 500;

/// Something that must not be so.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Finding {
    /// The check's stable name.
    pub check: &'static str,
    /// The id of what is wrong.
    pub thing: String,
    /// What is wrong with it.
    pub says: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: `{}` {}", self.check, self.thing, self.says)
    }
}

/// What was looked at and found.
#[derive(Debug, Default, Serialize)]
pub struct Findings {
    /// What must not be so, check by check.
    pub findings: Vec<Finding>,
    /// Rules that were asked of the store.
    pub rules: usize,
    /// Events whose bytes were compared.
    pub events: u64,
    /// Rows that were opened.
    pub opened: u64,
    /// What could not be looked at, and why.
    pub skipped: Vec<String>,
    /// What only seals of projects open, and they are not at hand: it is theirs to give.
    pub apart: Vec<String>,
}

impl Findings {
    /// Whether all is as it should be, as far as it could be seen.
    pub fn is_clean(&self) -> bool {
        self.findings.is_empty()
    }

    /// Whether everything could be looked at.
    pub fn is_whole(&self) -> bool {
        self.skipped.is_empty() && self.apart.is_empty()
    }

    fn found(&mut self, check: &'static str, thing: impl fmt::Display, says: impl fmt::Display) {
        self.findings.push(Finding { check, thing: thing.to_string(), says: says.to_string() });
    }
}

impl Domain {
    /// Looks at everything. Seals that are not given, or do not answer, leave their wraps unlooked at, and without any
    /// nothing sealed can be opened; both is said.
    pub async fn fsck(&self, seals: &[Arc<dyn Seal>]) -> Result<Findings, Fault> {
        let mut findings = Findings::default();
        for rule in fsck::rules(self.store().engine()) {
            findings.rules = findings.rules.saturating_add(1);
            let mut conn = self.store().read().await?;
            for thing in fsck::offenders(&mut conn, rule, TOLD).await? {
                findings.found(rule.name, thing, rule.says);
            }
        }
        self.check_policies(&mut findings).await?;
        self.check_standards(&mut findings).await?;
        let unsealed = self.check_keyring(seals, &mut findings).await?;
        self.check_events(unsealed, &mut findings).await?;
        if unsealed {
            self.check_sealed(&mut findings).await?;
            self.check_secrets(&mut findings).await?;
            self.check_channels(&mut findings).await?;
        } else {
            findings.skipped.push("sealed rows: without the keyring nothing can be opened".into());
        }
        Ok(findings)
    }
}

#[cfg(test)]
mod tests;
