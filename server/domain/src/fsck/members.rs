//! People are in a team as often as events put them in it and did not take them out: once or not at all. Who it was stands in
//! an event's bytes alone. Counted, not followed: events of one moment have no order.

use std::collections::{BTreeMap, BTreeSet};

use keywarden_store::fsck::{self, EventColumns};
use serde_json::Value;

use super::Findings;
use crate::{Domain, Fault};

/// A team's id, and a person's.
type Membership = (String, String);

/// How often events put somebody in a team, and took them out, so far.
#[derive(Debug, Default)]
pub(super) struct Told(BTreeMap<Membership, Times>);

#[derive(Debug, Default)]
struct Times {
    added: u64,
    removed: u64,
}

impl Told {
    pub(super) fn note(&mut self, row: &EventColumns, event: &Value) {
        let added = match row.action.as_str() {
            "team.add-member" => true,
            "team.remove-member" => false,
            _ => return,
        };
        let person = event.pointer("/facts/person").and_then(Value::as_str);
        if let (Some(person), "allowed") = (person, row.outcome.as_str()) {
            let times = self.0.entry((row.resource_id.clone(), person.to_owned())).or_default();
            let told = if added { &mut times.added } else { &mut times.removed };
            *told = told.saturating_add(1);
        }
    }
}

impl Domain {
    pub(super) async fn check_members(&self, told: &Told, findings: &mut Findings) -> Result<(), Fault> {
        let mut conn = self.store().read().await?;
        let members = fsck::members(&mut conn).await?;
        let members: BTreeSet<_> = members.into_iter().map(|it| (it.team_id, it.user_id)).collect();
        let all: BTreeSet<_> = members.iter().chain(told.0.keys()).collect();
        for membership in all {
            let (added, removed) = told.0.get(membership).map_or((0, 0), |it| (it.added, it.removed));
            let left = added.checked_sub(removed);
            let (check, says) = match (members.contains(membership), left) {
                (true, Some(1)) | (false, Some(0)) => continue,
                (true, Some(0)) if removed > 0 => {
                    ("member-event-not-removed", "is a member whom an event removed and who is there")
                }
                (true, Some(0)) => ("member-without-event", "is a member of whose adding there is no event"),
                (false, Some(1)) => (
                    "member-event-without-member",
                    "is a member whom an event added, none removed, and who is not there",
                ),
                _ => ("member-events-uneven", "was not added to the team and removed from it by turns"),
            };
            let (team, person) = membership;
            findings.found(check, format!("{team} {person}"), says);
        }
        Ok(())
    }
}
