//! Machine identities and their tokens.

use super::{Rule, rule};

pub(super) const RULES: &[Rule] = &[
    rule(
        "workload-without-event",
        "is a workload of whose making there is no event",
        "SELECT id AS thing FROM workloads w
         WHERE NOT EXISTS (SELECT 1 FROM events e WHERE e.resource_id = w.id AND e.action = 'workload.create')",
    ),
    rule(
        "workload-event-without-workload",
        "is a workload that an event made and that is not there",
        "SELECT e.resource_id AS thing FROM events e WHERE e.action = 'workload.create' AND e.outcome = 'allowed'
         AND NOT EXISTS (SELECT 1 FROM workloads w WHERE w.id = e.resource_id)",
    ),
    rule(
        "workload-state",
        "is a workload in no legal state",
        "SELECT id AS thing FROM workloads
         WHERE state NOT IN ('active', 'deactivated') OR (state = 'deactivated') <> (deactivated_at IS NOT NULL)",
    ),
    rule(
        "workload-deactivated-without-event",
        "is a deactivated workload of whose deactivation there is no event",
        "SELECT id AS thing FROM workloads w WHERE state = 'deactivated'
         AND NOT EXISTS (SELECT 1 FROM events e WHERE e.resource_id = w.id AND e.action = 'workload.deactivate')",
    ),
    rule(
        "token-bearer",
        "is a service token of neither workload nor operator, or of both",
        "SELECT id AS thing FROM service_tokens WHERE (workload_id IS NULL) = (role IS NULL)",
    ),
    rule(
        "token-tag",
        "is a service token whose tag no key of the keyring made",
        "SELECT id AS thing FROM service_tokens t
         WHERE length(mac) <> 32
            OR NOT EXISTS (SELECT 1 FROM keyring_keys k
                           WHERE k.id = t.mac_key_id AND k.purpose = 'service-token-mac')",
    ),
    rule(
        "token-without-event",
        "is a service token of whose issue there is no event",
        "SELECT id AS thing FROM service_tokens t
         WHERE NOT EXISTS (SELECT 1 FROM events e WHERE e.resource_id = t.id AND e.action = 'service-token.issue')",
    ),
    rule(
        "token-event-without-token",
        "is a service token that an event issued and that is not there",
        "SELECT e.resource_id AS thing FROM events e WHERE e.action = 'service-token.issue' AND e.outcome = 'allowed'
         AND NOT EXISTS (SELECT 1 FROM service_tokens t WHERE t.id = e.resource_id)",
    ),
    rule(
        "token-revoked-without-event",
        "is a revoked service token of whose revocation there is no event",
        "SELECT id AS thing FROM service_tokens t WHERE revoked_at IS NOT NULL
         AND NOT EXISTS (SELECT 1 FROM events e
                         WHERE e.resource_id = t.id AND e.action = 'service-token.revoke'
                            OR e.resource_id = t.workload_id AND e.action = 'workload.deactivate')",
    ),
    rule(
        "token-event-not-revoked",
        "is a service token that an event revoked and that still works",
        "SELECT t.id AS thing FROM service_tokens t JOIN events e ON e.resource_id = t.id
         WHERE e.action = 'service-token.revoke' AND e.outcome = 'allowed' AND t.revoked_at IS NULL",
    ),
];
