//! Messages come into being here: in the transaction that writes the event.

use keywarden_model::MessageId;
use keywarden_store::messages::{self, Insert};
use keywarden_store::{EventRow, Tx};
use serde_json::Value;

use super::table;
use crate::{Env, Fault};

/// Writes a message of each of these events that is told.
pub(crate) async fn write(tx: &mut Tx, env: &Env, events: &[EventRow]) -> Result<(), Fault> {
    for event in events {
        let Some(row) = table::row(&event.action) else { continue };
        let facts = facts(event)?;
        if !table::is_worth_it(&event.action, &facts) {
            continue;
        }
        let at_hour = event.at.timestamp().div_euclid(3_600);
        let once = table::once(&event.action, &event.resource_id, at_hour, &facts);
        let message = Insert {
            id: env.id::<MessageId>(event.at),
            kind: row.kind.as_str(),
            event: (event.id, &event.action),
            actor: (event.actor_kind, &event.actor_id),
            resource: (event.resource_kind, &event.resource_id),
            project: event.project_id,
            facts: &facts.to_string(),
            once: once.as_deref(),
            at: event.at,
        };
        messages::insert(tx, &message).await?;
    }
    Ok(())
}

/// What the event says in the open, beside who did what to which thing. What tells of people lies sealed and stays there.
fn facts(event: &EventRow) -> Result<Value, Fault> {
    let mut canonical: Value = serde_json::from_slice(&event.bytes)
        .map_err(|cause| Fault::Unexpected(format!("an event that was just made: {cause}")))?;
    Ok(canonical.get_mut("facts").map(Value::take).unwrap_or_default())
}
