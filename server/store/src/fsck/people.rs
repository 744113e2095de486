//! People, teams, roles, links and sessions.

use super::{Rule, rule};

pub(super) const RULES: &[Rule] = &[
    rule(
        "person-without-event",
        "is a person of whose coming there is no event",
        "SELECT id AS thing FROM users u
         WHERE NOT EXISTS (SELECT 1 FROM events e WHERE e.resource_id = u.id AND e.action = 'user.join')",
    ),
    rule(
        "person-event-without-person",
        "is a person who joined by an event and is not there",
        "SELECT e.resource_id AS thing FROM events e WHERE e.action = 'user.join' AND e.outcome = 'allowed'
         AND NOT EXISTS (SELECT 1 FROM users u WHERE u.id = e.resource_id)",
    ),
    rule(
        "person-state",
        "is a person in no legal state",
        "SELECT id AS thing FROM users
         WHERE state NOT IN ('active', 'deactivated') OR (state = 'deactivated') <> (deactivated_at IS NOT NULL)",
    ),
    rule(
        "person-deactivated-otherwise",
        "is a person who is deactivated, or active again, otherwise than their events say",
        "SELECT u.id AS thing FROM users u
         WHERE (SELECT count(*) FROM events e
                WHERE e.resource_id = u.id AND e.action = 'user.deactivate' AND e.outcome = 'allowed')
             - (SELECT count(*) FROM events e
                WHERE e.resource_id = u.id AND e.action = 'user.reactivate' AND e.outcome = 'allowed')
            <> CASE WHEN u.state = 'deactivated' THEN 1 ELSE 0 END",
    ),
    rule(
        "session-of-nobody",
        "is a session of a person who is not active",
        "SELECT s.id AS thing FROM sessions s
         WHERE s.user_id IS NOT NULL
           AND NOT EXISTS (SELECT 1 FROM users u WHERE u.id = s.user_id AND u.state = 'active')",
    ),
    rule(
        "session-times",
        "is a session that ends, or was seen, before it began",
        "SELECT id AS thing FROM sessions WHERE expires_at <= created_at OR last_seen_at < created_at",
    ),
    rule(
        "terminal-state",
        "is a terminal that asks to be signed in, in no legal state",
        "SELECT id AS thing FROM device_grants
         WHERE state NOT IN ('waiting', 'approved', 'refused')
            OR (state = 'approved') <> (user_id IS NOT NULL) OR (state = 'approved') <> (session_id IS NOT NULL)
            OR expires_at <= created_at",
    ),
    rule(
        "passkey-without-event",
        "is a passkey that neither came with its person nor by an event of its own",
        "SELECT p.id AS thing FROM passkeys p JOIN users u ON u.id = p.user_id
         WHERE p.created_at <> u.created_at
           AND NOT EXISTS (SELECT 1 FROM events e WHERE e.resource_id = p.id AND e.action = 'passkey.add')",
    ),
    rule(
        "passkey-removed-and-there",
        "is a passkey that an event removed and that is still there",
        "SELECT p.id AS thing FROM passkeys p JOIN events e ON e.resource_id = p.id
         WHERE e.action = 'passkey.remove' AND e.outcome = 'allowed'",
    ),
    rule(
        "person-without-passkey",
        "is an active person who has no passkey to sign in with",
        // A passkey that was removed after a backup is removed again, and the one in its place is lost.
        "SELECT id AS thing FROM users u WHERE state = 'active'
         AND NOT EXISTS (SELECT 1 FROM passkeys p WHERE p.user_id = u.id)
         AND NOT EXISTS (SELECT 1 FROM restores WHERE events_until IS NOT NULL)",
    ),
    rule(
        "house-without-owner",
        "is set up, and no active person is its owner",
        "SELECT 'the organization' AS thing FROM instance
         WHERE set_up_at IS NOT NULL
           AND NOT EXISTS (SELECT 1 FROM role_bindings b JOIN users u ON u.id = b.principal_id
                           WHERE b.role = 'owner' AND u.state = 'active')
           AND NOT EXISTS (SELECT 1 FROM role_bindings b JOIN team_members m ON m.team_id = b.principal_id
                                JOIN users u ON u.id = m.user_id WHERE b.role = 'owner' AND u.state = 'active')",
    ),
    rule(
        "team-event-without-team",
        "is a team that an event made and that is not there",
        "SELECT e.resource_id AS thing FROM events e WHERE e.action = 'team.create' AND e.outcome = 'allowed'
         AND NOT EXISTS (SELECT 1 FROM teams t WHERE t.id = e.resource_id)",
    ),
    rule(
        "team-without-event",
        "is a team of whose making there is no event",
        "SELECT id AS thing FROM teams t
         WHERE created_by <> 'migration-0016'
           AND NOT EXISTS (SELECT 1 FROM events e WHERE e.resource_id = t.id AND e.action = 'team.create')",
    ),
    rule(
        "role-unknown",
        "is a role binding of no known role, or in the wrong scope",
        "SELECT id AS thing FROM role_bindings
         WHERE NOT (project_id IS NULL AND role IN ('owner', 'admin', 'auditor')
                    OR project_id IS NOT NULL AND role IN ('manager', 'issuer', 'reader', 'verifier', 'viewer'))",
    ),
    rule(
        "role-of-nobody",
        "is a role binding of a holder who is not there",
        "SELECT id AS thing FROM role_bindings b
         WHERE NOT EXISTS (SELECT 1 FROM users u WHERE u.id = b.principal_id)
           AND NOT EXISTS (SELECT 1 FROM teams t WHERE t.id = b.principal_id)
           AND NOT EXISTS (SELECT 1 FROM workloads w WHERE w.id = b.principal_id)",
    ),
    rule(
        "link-state",
        "is a one-time link of no known kind, or both used and withdrawn",
        "SELECT id AS thing FROM one_time_links
         WHERE kind NOT IN ('setup', 'invitation', 'recovery')
            OR (used_at IS NOT NULL AND revoked_at IS NOT NULL AND revoked_at < used_at)",
    ),
    rule(
        "link-without-event",
        "is a one-time link of whose making there is no event",
        "SELECT id AS thing FROM one_time_links l
         WHERE NOT EXISTS (SELECT 1 FROM events e WHERE e.resource_id = l.id
                           OR l.kind = 'recovery' AND e.resource_id = l.user_id AND e.action = 'recovery.open-link')",
    ),
    rule(
        "link-used-without-event",
        "is an invitation or setup link that was used and let nobody in",
        "SELECT id AS thing FROM one_time_links l WHERE used_at IS NOT NULL AND kind IN ('setup', 'invitation')
         AND NOT EXISTS (SELECT 1 FROM events e WHERE e.action = 'user.join' AND e.at = l.used_at)",
    ),
    rule(
        "recovery-codes-not-ten",
        "is a person who has not ten recovery codes, used ones counted",
        "SELECT user_id AS thing FROM recovery_codes GROUP BY user_id HAVING count(*) <> 10",
    ),
    rule(
        "recovery-code-used-without-event",
        "is a person more of whose recovery codes are used than events used",
        // Codes that were renewed after a backup are all as used, and those in their place are lost.
        "SELECT c.user_id AS thing FROM recovery_codes c WHERE c.used_at IS NOT NULL
         AND NOT EXISTS (SELECT 1 FROM restores WHERE events_until IS NOT NULL) GROUP BY c.user_id
         HAVING count(*) > (SELECT count(*) FROM events e WHERE e.resource_id = c.user_id
                            AND e.action = 'recovery.use-code' AND e.outcome = 'allowed')",
    ),
    rule(
        "recovery-code-used-before",
        "is a recovery code that was used before it was made",
        "SELECT user_id AS thing FROM recovery_codes WHERE used_at < created_at",
    ),
    rule(
        "link-tag",
        "is a one-time link whose tag no key of the keyring made",
        "SELECT id AS thing FROM one_time_links l
         WHERE length(mac) <> 32
            OR NOT EXISTS (SELECT 1 FROM keyring_keys k WHERE k.id = l.mac_key_id AND k.purpose = 'one-time')",
    ),
    rule(
        "recovery-code-tag",
        "is a recovery code whose tag no key of the keyring made",
        "SELECT user_id AS thing FROM recovery_codes c
         WHERE length(mac) <> 32
            OR NOT EXISTS (SELECT 1 FROM keyring_keys k WHERE k.id = c.mac_key_id AND k.purpose = 'one-time')",
    ),
];
