//! The record as it is stored, for keeping it where this house is not.
//!
//! A line is an event's bytes, never written anew: whoever compares hashes later finds what was stored. Nothing of people
//! is in it but salted hashes. It is the whole record or nothing, for a part of it would look like a record with holes.

use chrono::{DateTime, TimeDelta, Utc};
use keywarden_model::{EventId, TypedId as _};
use keywarden_store::event;

use crate::authz::{Action, Resource};
use crate::{Domain, Op, Refused};

/// Events in one page.
const PAGE: u32 = 1_000;

/// Some of the record, the oldest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exported {
    /// Each event's bytes, RFC 8785; no line break is in them.
    pub events: Vec<Vec<u8>>,
    /// Where to go on; `None` once nothing more is there.
    pub next: Option<EventId>,
}

/// Before the first event of an instant, to the millisecond.
pub fn just_before(at: DateTime<Utc>) -> EventId {
    let before = at.checked_sub_signed(TimeDelta::milliseconds(1)).unwrap_or(at);
    EventId::from_parts(before, u128::MAX)
}

impl Domain {
    /// The events after one, in the order of their ids: that of the moments at which they began. One that took long to be
    /// written comes in behind others that are younger, so that who follows the record asks again for the last minutes.
    pub async fn export_events(&self, op: &Op, after: Option<EventId>) -> Result<Exported, Refused> {
        let _permit = self.authorize(op, Action::ReadAudit, &Resource::Organization).await?;
        let mut conn = self.store().read().await?;
        let rows = event::after(&mut conn, after.unwrap_or(EventId::NIL), PAGE).await?;
        let whole = rows.len() == PAGE as usize;
        let next = rows.last().map(|row| row.id).filter(|_| whole);
        Ok(Exported { events: rows.into_iter().map(|row| row.bytes).collect(), next })
    }
}
