//! Policies and their versions.

use super::{Rule, rule};
use crate::{Conn, StoreError, sql};

pub(super) const RULES: &[Rule] = &[
    rule(
        "policy-version-without-event",
        "is a version of a policy of whose writing there is no event",
        "SELECT v.policy_id || '@' || v.number AS thing FROM policy_versions v
         WHERE NOT EXISTS (SELECT 1 FROM events e WHERE e.resource_id = v.policy_id AND e.at = v.created_at
                           AND e.action = 'policy.draft' AND e.outcome = 'allowed')",
    ),
    rule(
        "policy-decides-without-event",
        "is a version of a policy that decides without an event that lets it",
        "SELECT v.policy_id || '@' || v.number AS thing FROM policy_versions v
         WHERE v.state = 'active'
           AND NOT EXISTS (SELECT 1 FROM events e WHERE e.resource_id = v.policy_id AND e.at = v.activated_at
                           AND e.action IN ('policy.activate', 'policy.roll-back') AND e.outcome = 'allowed')",
    ),
    rule(
        "policy-approved-by-author",
        "is a version of a policy whose author approved it",
        "SELECT policy_id || '@' || number AS thing FROM policy_versions WHERE approved_by = created_by",
    ),
    rule(
        "policy-approval-without-event",
        "is a version of a policy that is approved without an event that says so",
        "SELECT v.policy_id || '@' || v.number AS thing FROM policy_versions v
         WHERE v.approved_at IS NOT NULL
           AND NOT EXISTS (SELECT 1 FROM events e WHERE e.resource_id = v.policy_id AND e.at = v.approved_at
                           AND e.action = 'policy.approve' AND e.outcome = 'allowed')",
    ),
    rule(
        "policy-proof-without-event",
        "is a version of a policy of which something was shown without an event that says so",
        "SELECT r.policy_id || '@' || r.number AS thing FROM policy_proofs r
         WHERE r.state = 'done'
           AND NOT EXISTS (SELECT 1 FROM events e WHERE e.resource_id = r.policy_id AND e.at = r.ended_at
                           AND e.action = 'policy.prove' AND e.outcome = 'allowed')",
    ),
    rule(
        "policy-proof-state",
        "is a version of a policy whose proof is in a state that is none",
        "SELECT policy_id || '@' || number AS thing FROM policy_proofs
         WHERE state NOT IN ('waiting', 'running', 'done') OR (state = 'done') <> (verdict IS NOT NULL)",
    ),
    rule(
        "policy-misnumbered",
        "is a policy whose newest version has another number than it says",
        "SELECT p.id AS thing FROM policies p
         WHERE p.numbered <> coalesce((SELECT max(v.number) FROM policy_versions v WHERE v.policy_id = p.id), 0)",
    ),
    rule(
        "policy-without-moment",
        "is a scheduled version of a policy without a moment or without somebody who scheduled it, or has one and is not",
        "SELECT policy_id || '@' || number AS thing FROM policy_versions
         WHERE (state = 'scheduled') <> (starts_at IS NOT NULL AND due_by IS NOT NULL)",
    ),
    rule(
        "policy-state-unknown",
        "is a version of a policy in no state that there is",
        "SELECT policy_id || '@' || number AS thing FROM policy_versions
         WHERE state NOT IN ('active', 'draft', 'in-review', 'scheduled', 'superseded', 'withdrawn')",
    ),
    rule(
        "policy-out-of-scope",
        "is a policy that holds elsewhere than it says",
        "SELECT id AS thing FROM policies WHERE scope <> coalesce(project_id, 'organization')",
    ),
    rule(
        "policy-test-without-event",
        "is a test of policies of whose saving there is no event",
        "SELECT t.id AS thing FROM policy_tests t
         WHERE NOT EXISTS (SELECT 1 FROM events e WHERE e.resource_id = t.id AND e.at = t.created_at
                           AND e.action = 'policy-test.save' AND e.outcome = 'allowed')",
    ),
    rule(
        "policy-test-out-of-scope",
        "is a test of policies that belongs elsewhere than it says, or expects no answer that there is",
        "SELECT id AS thing FROM policy_tests
         WHERE scope <> coalesce(project_id, 'organization') OR expected NOT IN ('allowed', 'refused')",
    ),
];

/// A version as stored.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct PolicyText {
    /// Of which policy.
    pub policy_id: String,
    /// Its number.
    pub number: i64,
    /// The project that it is confined to.
    pub project_id: Option<String>,
    /// Where it is in its life.
    pub state: String,
    /// What it does.
    pub effect: String,
    /// The Cedar text.
    pub text: String,
    /// The text's digest.
    pub sha256: Vec<u8>,
}

/// Versions after one of a policy, at most `limit`; begin with the empty text and 0.
pub async fn policy_texts(
    conn: &mut Conn,
    after: &str,
    number: i64,
    limit: i64,
) -> Result<Vec<PolicyText>, StoreError> {
    sql("SELECT v.policy_id, v.number, p.project_id, v.state, v.effect, v.text, v.sha256
         FROM policy_versions v JOIN policies p ON p.id = v.policy_id
         WHERE v.policy_id > $1 OR (v.policy_id = $2 AND v.number > $3)
         ORDER BY v.policy_id, v.number LIMIT $4")
    .bind(after)
    .bind(after)
    .bind(number)
    .bind(limit)
    .all(conn)
    .await
}
