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
        "workload-event-not-deactivated",
        "is a workload that an event deactivated and that is active",
        "SELECT w.id AS thing FROM workloads w JOIN events e ON e.resource_id = w.id
         WHERE e.action = 'workload.deactivate' AND e.outcome = 'allowed' AND w.state = 'active'",
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
         WHERE NOT EXISTS (SELECT 1 FROM events e WHERE e.resource_id = t.id
                         AND e.action = CASE WHEN t.rule_id IS NULL THEN 'service-token.issue'
                                             ELSE 'service-token.exchange' END)",
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
                            OR e.resource_id = t.workload_id AND e.action = 'workload.deactivate'
                            OR e.resource_id = t.rule_id AND e.action IN ('trust-rule.edit', 'trust-rule.delete'))",
    ),
    rule(
        "token-event-not-revoked",
        "is a service token that an event revoked and that still works",
        "SELECT t.id AS thing FROM service_tokens t JOIN events e ON e.resource_id = t.id
         WHERE e.action = 'service-token.revoke' AND e.outcome = 'allowed' AND t.revoked_at IS NULL",
    ),
    rule(
        "trust-rule-without-event",
        "is a sign-in rule of whose making there is no event",
        "SELECT id AS thing FROM trust_rules r
         WHERE NOT EXISTS (SELECT 1 FROM events e WHERE e.resource_id = r.id AND e.action = 'trust-rule.create')",
    ),
    rule(
        "trust-rule-event-without-rule",
        "is a sign-in rule that an event made, none deleted, and that is not there",
        "SELECT e.resource_id AS thing FROM events e WHERE e.action = 'trust-rule.create' AND e.outcome = 'allowed'
         AND NOT EXISTS (SELECT 1 FROM trust_rules r WHERE r.id = e.resource_id)
         AND NOT EXISTS (SELECT 1 FROM events d
                         WHERE d.resource_id = e.resource_id AND d.action = 'trust-rule.delete')",
    ),
    rule(
        "trust-rule-deleted",
        "is a sign-in rule that an event deleted and that is still there",
        "SELECT r.id AS thing FROM trust_rules r JOIN events e ON e.resource_id = r.id
         WHERE e.action = 'trust-rule.delete' AND e.outcome = 'allowed'",
    ),
    rule(
        "trust-rule-keys",
        "is a sign-in rule with an address of keys and keys of its own",
        "SELECT id AS thing FROM trust_rules WHERE jwks_url IS NOT NULL AND jwks IS NOT NULL",
    ),
    rule(
        "exchange-lifetime",
        "is a service token got by exchange that lasts longer than 15 minutes",
        "SELECT id AS thing FROM service_tokens WHERE rule_id IS NOT NULL AND expires_at - created_at > 900000000",
    ),
];
