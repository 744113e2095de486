//! API keys, their values and their use.

use super::{Rule, rule};

pub(super) const RULES: &[Rule] = &[
    rule(
        "key-without-event",
        "is an API key of whose issue or import there is no event",
        "SELECT id AS thing FROM api_keys k
         WHERE NOT EXISTS (SELECT 1 FROM events e WHERE e.resource_id = k.id
                           AND e.action IN ('key.issue', 'key.import'))",
    ),
    rule(
        "key-event-without-key",
        "is an API key that an event issued and that is not there",
        "SELECT e.resource_id AS thing FROM events e
         WHERE e.action IN ('key.issue', 'key.import') AND e.outcome = 'allowed'
           AND NOT EXISTS (SELECT 1 FROM api_keys k WHERE k.id = e.resource_id)",
    ),
    rule(
        "key-revoked-without-event",
        "is a revoked API key of whose revocation there is no event",
        "SELECT id AS thing FROM api_keys k WHERE revoked_at IS NOT NULL
         AND NOT EXISTS (SELECT 1 FROM events e WHERE e.resource_id = k.id AND e.action = 'key.revoke')",
    ),
    rule(
        "key-event-not-revoked",
        "is an API key that an event revoked and that still works",
        "SELECT k.id AS thing FROM api_keys k JOIN events e ON e.resource_id = k.id
         WHERE e.action = 'key.revoke' AND e.outcome = 'allowed' AND k.revoked_at IS NULL",
    ),
    rule(
        "key-suspended-without-event",
        "is a suspended API key of whose suspension there is no event",
        "SELECT id AS thing FROM api_keys k WHERE suspended_at IS NOT NULL
         AND NOT EXISTS (SELECT 1 FROM events e WHERE e.resource_id = k.id AND e.action = 'key.suspend')",
    ),
    rule(
        "key-suspension-without-event",
        "is an API key that is suspended, or resumed, otherwise than its events say",
        "SELECT k.id AS thing FROM api_keys k
         WHERE (SELECT count(*) FROM events e
                WHERE e.resource_id = k.id AND e.action = 'key.suspend' AND e.outcome = 'allowed')
             - (SELECT count(*) FROM events e
                WHERE e.resource_id = k.id AND e.action = 'key.resume' AND e.outcome = 'allowed')
            <> CASE WHEN k.suspended_at IS NULL THEN 0 ELSE 1 END",
    ),
    rule(
        "key-state",
        "is an API key in no legal state",
        "SELECT id AS thing FROM api_keys
         WHERE (revoked_at IS NULL) <> (revoke_reason IS NULL)
            OR revoke_reason NOT IN ('cessation-of-operation', 'key-compromise', 'superseded', 'unspecified')
            OR (rate_limit IS NULL) <> (rate_window IS NULL) OR rate_limit < 1 OR rate_window < 1
            OR not_before >= expires_at",
    ),
    rule(
        "key-elsewhere",
        "is an API key in an environment of another project",
        "SELECT k.id AS thing FROM api_keys k JOIN environments v ON v.id = k.environment_id
         WHERE v.project_id <> k.project_id",
    ),
    rule(
        "key-of-nobody",
        "is an API key whose owner is not there",
        "SELECT id AS thing FROM api_keys k
         WHERE owner_kind = 'person' AND NOT EXISTS (SELECT 1 FROM users u WHERE u.id = k.owner_id)
            OR owner_kind = 'team' AND NOT EXISTS (SELECT 1 FROM teams t WHERE t.id = k.owner_id)
            OR owner_kind NOT IN ('person', 'team')",
    ),
    rule(
        "key-without-value",
        "is an API key without any value",
        "SELECT id AS thing FROM api_keys k WHERE NOT EXISTS (SELECT 1 FROM key_values v WHERE v.key_id = k.id)",
    ),
    rule(
        "key-with-two-values",
        "is an API key with several values that are not superseded",
        "SELECT key_id AS thing FROM key_values
         WHERE superseded_at IS NULL AND revoked_at IS NULL AND destroyed_at IS NULL
         GROUP BY key_id HAVING count(*) > 1",
    ),
    rule(
        "value-more-than-events",
        "is an API key with more values than events made",
        "SELECT k.id AS thing FROM api_keys k
         WHERE (SELECT count(*) FROM key_values v WHERE v.key_id = k.id)
             > (SELECT count(*) FROM events e WHERE e.resource_id = k.id
                AND e.action IN ('key.issue', 'key.import', 'key.rotate') AND e.outcome = 'allowed')",
    ),
    rule(
        "value-fewer-than-events",
        "is an API key with fewer values than events made",
        "SELECT k.id AS thing FROM api_keys k
         WHERE (SELECT count(*) FROM key_values v WHERE v.key_id = k.id)
             < (SELECT count(*) FROM events e WHERE e.resource_id = k.id
                AND e.action IN ('key.issue', 'key.import', 'key.rotate') AND e.outcome = 'allowed')",
    ),
    rule(
        "value-revoked-without-event",
        "is an API key with more revoked values than events stopped",
        "SELECT v.key_id AS thing FROM key_values v WHERE v.revoked_at IS NOT NULL GROUP BY v.key_id
         HAVING count(*) > (SELECT count(*) FROM events e WHERE e.resource_id = v.key_id
                            AND e.action = 'key.stop-old-value' AND e.outcome = 'allowed')",
    ),
    rule(
        "value-destroyed-otherwise",
        "is an API key with other destroyed values than its events destroyed",
        "SELECT k.id AS thing FROM api_keys k
         WHERE (SELECT count(*) FROM key_values v WHERE v.key_id = k.id AND v.destroyed_at IS NOT NULL)
            <> (SELECT count(*) FROM events e WHERE e.resource_id = k.id
                AND e.action = 'key.destroy-value' AND e.outcome = 'allowed')",
    ),
    rule(
        "value-superseded-by-nothing",
        "is a key's value in whose place no other one came",
        "SELECT v.id AS thing FROM key_values v WHERE v.superseded_at IS NOT NULL
         AND NOT EXISTS (SELECT 1 FROM key_values n
                         WHERE n.key_id = v.key_id AND n.id <> v.id AND n.created_at = v.superseded_at)",
    ),
    rule(
        "value-superseded-for-ever",
        "is a key's value that was superseded and never stops",
        "SELECT id AS thing FROM key_values WHERE superseded_at IS NOT NULL AND stops_at IS NULL",
    ),
    rule(
        "value-imported-for-ever",
        "is an imported value that never stops, or one of ours without its label",
        "SELECT id AS thing FROM key_values WHERE imported <> (label = '') OR imported AND stops_at IS NULL",
    ),
    rule(
        "value-tag",
        "is a key's value whose tag no key of the keyring made",
        "SELECT id AS thing FROM key_values v
         WHERE destroyed_at IS NULL
           AND (length(mac) <> 32
                OR NOT EXISTS (SELECT 1 FROM keyring_keys k WHERE k.id = v.mac_key_id AND k.purpose = 'api-key-mac'))",
    ),
    rule(
        "value-state",
        "is a key's value in no legal state",
        "SELECT id AS thing FROM key_values
         WHERE (revoked_at IS NULL) <> (revoke_reason IS NULL) OR superseded_at < created_at",
    ),
    rule(
        "value-orphan",
        "is a value of a key that is not there",
        "SELECT id AS thing FROM key_values v WHERE NOT EXISTS (SELECT 1 FROM api_keys k WHERE k.id = v.key_id)",
    ),
    rule(
        "usage-orphan",
        "is a value that was used and is not there",
        "SELECT DISTINCT value_id AS thing FROM key_usage u
         WHERE NOT EXISTS (SELECT 1 FROM key_values v WHERE v.id = u.value_id AND v.key_id = u.key_id)",
    ),
    rule(
        "usage-counted",
        "is a value's use that was counted less than once, or last before first",
        "SELECT DISTINCT value_id AS thing FROM key_usage WHERE uses < 1 OR last_at < first_at",
    ),
    rule(
        "rate-window-orphan",
        "is an API key whose uses are limited and that is not there",
        "SELECT DISTINCT key_id AS thing FROM rate_reserves w
         WHERE NOT EXISTS (SELECT 1 FROM api_keys k WHERE k.id = w.key_id)",
    ),
    rule(
        "tag-orphan",
        "is a tag of a key that is not there",
        "SELECT tag AS thing FROM key_tags t WHERE NOT EXISTS (SELECT 1 FROM api_keys k WHERE k.id = t.key_id)",
    ),
];
