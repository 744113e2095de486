//! Channels, messages and their deliveries.

use super::{Rule, rule};

pub(super) const RULES: &[Rule] = &[
    rule(
        "channel-without-event",
        "is a channel of whose making there is no event",
        "SELECT c.id AS thing FROM channels c
         WHERE NOT EXISTS (SELECT 1 FROM events e WHERE e.resource_id = c.id AND e.at = c.created_at
                           AND e.action = 'channel.create' AND e.outcome = 'allowed')",
    ),
    rule(
        "channel-kind-unknown",
        "is a channel of no kind that there is",
        "SELECT id AS thing FROM channels WHERE kind NOT IN ('mail', 'slack', 'webhook')",
    ),
    rule(
        "message-without-event",
        "is a message that tells of no event",
        "SELECT m.id AS thing FROM messages m WHERE NOT EXISTS (SELECT 1 FROM events e WHERE e.id = m.event_id)",
    ),
    rule(
        "delivery-state-unknown",
        "is a delivery in no state that there is",
        "SELECT id AS thing FROM deliveries WHERE state NOT IN ('dead', 'delivered', 'waiting')",
    ),
];
