//! The house: the change counter, the keyring, the setup, and what its tokens refused.

use super::{Rule, rule};

pub(super) const RULES: &[Rule] = &[
    rule(
        "counter-behind",
        "is the change counter, behind what changed: nodes would not forget",
        "SELECT CAST(value AS TEXT) AS thing FROM change_counter
         WHERE value < (SELECT coalesce(max(value), 0) FROM changes) OR authority > value",
    ),
    rule(
        "change-unknown",
        "is a step of the counter of no known kind",
        "SELECT CAST(value AS TEXT) AS thing FROM changes WHERE kind NOT IN ('authority', 'key', 'session')",
    ),
    rule(
        "keyring-key-without-wrap",
        "is a key of the keyring that no seal wraps",
        "SELECT id AS thing FROM keyring_keys k
         WHERE NOT EXISTS (SELECT 1 FROM keyring_wraps w WHERE w.key_id = k.id)",
    ),
    rule(
        "keyring-key-without-event",
        "is a key of the keyring of whose making there is no event",
        "SELECT id AS thing FROM keyring_keys k
         WHERE NOT EXISTS (SELECT 1 FROM events e WHERE e.resource_id = k.id
                           AND e.action IN ('keyring-key.generate', 'keyring-key.rotate'))",
    ),
    rule(
        "seal-without-event",
        "is a seal of whose adding there is no event",
        "SELECT id AS thing FROM seals s
         WHERE NOT EXISTS (SELECT 1 FROM events e WHERE e.resource_id = s.id AND e.action = 'seal.add')",
    ),
    rule(
        "seal-without-wrap",
        "is a seal that wraps nothing",
        "SELECT id AS thing FROM seals s WHERE NOT EXISTS (SELECT 1 FROM keyring_wraps w WHERE w.seal_id = s.id)",
    ),
    rule(
        "set-up-by-halves",
        "is set up, but without organization, owner or passkeys' domain",
        "SELECT 'the instance' AS thing FROM instance
         WHERE set_up_at IS NOT NULL
           AND (rp_id IS NULL OR NOT EXISTS (SELECT 1 FROM organizations) OR NOT EXISTS (SELECT 1 FROM users))",
    ),
    rule(
        "keyring-event-without-key",
        "is a key of the keyring that an event made and that is not there",
        "SELECT e.resource_id AS thing FROM events e
         WHERE e.action IN ('keyring-key.generate', 'keyring-key.rotate') AND e.outcome = 'allowed'
           AND NOT EXISTS (SELECT 1 FROM keyring_keys k WHERE k.id = e.resource_id)
           AND NOT EXISTS (SELECT 1 FROM events d WHERE d.resource_id = e.resource_id
                           AND d.action = 'keyring-key.destroy')",
    ),
    rule(
        "keyring-key-destroyed-and-there",
        "is a key of the keyring that an event destroyed, and that is there or has a project's key under it",
        "SELECT e.resource_id AS thing FROM events e
         WHERE e.action = 'keyring-key.destroy' AND e.outcome = 'allowed'
           AND (EXISTS (SELECT 1 FROM keyring_keys k WHERE k.id = e.resource_id)
                OR EXISTS (SELECT 1 FROM project_keys p WHERE p.keyring_key_id = e.resource_id))",
    ),
    rule(
        "seal-event-without-seal",
        "is a seal that an event added, none removed, and that is not there",
        "SELECT e.resource_id AS thing FROM events e WHERE e.action = 'seal.add' AND e.outcome = 'allowed'
         AND NOT EXISTS (SELECT 1 FROM seals s WHERE s.id = e.resource_id)
         AND NOT EXISTS (SELECT 1 FROM events r WHERE r.resource_id = e.resource_id AND r.action = 'seal.remove')",
    ),
    rule(
        "pin-attempt-impossible",
        "is the token of a PIN that was tried in a way that cannot be: no node tries any on it",
        "SELECT token AS thing FROM pin_attempts
         WHERE refused < 0 OR unclear < 0 OR refused + unclear = 0 OR length(salt) <> 16 OR length(mark) <> 2",
    ),
    rule(
        "uses-negative",
        "is a key of the keyring that was used a negative number of times",
        "SELECT id AS thing FROM keyring_keys WHERE uses < 0",
    ),
];
