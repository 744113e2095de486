//! Roles are held by those whom an event gave them to, and by nobody from whom one took them. Which binding an event tells
//! of stands in its bytes alone.

use std::collections::BTreeSet;

use keywarden_store::fsck::{self, EventColumns};
use serde_json::Value;

use super::Findings;
use crate::{Domain, Fault};

/// Bindings that events told of so far.
#[derive(Debug, Default)]
pub(super) struct Told {
    granted: BTreeSet<String>,
    revoked: BTreeSet<String>,
}

impl Told {
    pub(super) fn note(&mut self, row: &EventColumns, event: &Value) {
        let told = match row.action.as_str() {
            "role.grant" => &mut self.granted,
            "role.revoke" => &mut self.revoked,
            _ => return,
        };
        if row.outcome == "allowed" {
            told.extend(event.pointer("/facts/binding").and_then(Value::as_str).map(Into::into));
        }
    }
}

impl Domain {
    pub(super) async fn check_roles(&self, told: &Told, findings: &mut Findings) -> Result<(), Fault> {
        let mut conn = self.store().read().await?;
        let mut there = BTreeSet::new();
        for binding in fsck::bindings(&mut conn).await? {
            if told.revoked.contains(&binding.id) {
                findings.found(
                    "role-event-not-revoked",
                    &binding.id,
                    "is a role that an event took and that is there",
                );
            } else if !binding.came && !told.granted.contains(&binding.id) {
                let says = "is a role binding of whose granting there is no event";
                findings.found("role-without-event", &binding.id, says);
            }
            there.insert(binding.id);
        }
        for gone in told.granted.difference(&told.revoked).filter(|id| !there.contains(*id)) {
            findings.found(
                "role-event-without-role",
                gone,
                "is a role that an event gave, none took, and that is not there",
            );
        }
        Ok(())
    }
}
