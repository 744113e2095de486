//! Standards and their versions.

use super::{Rule, rule};
use crate::{Conn, StoreError, sql};

pub(super) const RULES: &[Rule] = &[
    rule(
        "standard-version-without-event",
        "is a version of a standard of whose writing there is no event",
        "SELECT v.standard_id || '@' || v.number AS thing FROM standard_versions v
         WHERE NOT EXISTS (SELECT 1 FROM events e WHERE e.resource_id = v.standard_id AND e.at = v.created_at
                           AND e.action = 'standard.draft' AND e.outcome = 'allowed')",
    ),
    rule(
        "standard-in-force-without-event",
        "is a version of a standard that is in force without an event that lets it",
        "SELECT v.standard_id || '@' || v.number AS thing FROM standard_versions v
         WHERE v.state = 'active'
           AND NOT EXISTS (SELECT 1 FROM events e WHERE e.resource_id = v.standard_id AND e.at = v.activated_at
                           AND e.action IN ('standard.activate', 'standard.roll-back') AND e.outcome = 'allowed')",
    ),
    rule(
        "standard-approved-by-author",
        "is a version of a standard whose author approved it",
        "SELECT standard_id || '@' || number AS thing FROM standard_versions WHERE approved_by = created_by",
    ),
    rule(
        "standard-approval-without-event",
        "is a version of a standard that is approved without an event that says so",
        "SELECT v.standard_id || '@' || v.number AS thing FROM standard_versions v
         WHERE v.approved_at IS NOT NULL
           AND NOT EXISTS (SELECT 1 FROM events e WHERE e.resource_id = v.standard_id AND e.at = v.approved_at
                           AND e.action = 'standard.approve' AND e.outcome = 'allowed')",
    ),
    rule(
        "standard-misnumbered",
        "is a standard whose newest version has another number than it says",
        "SELECT s.id AS thing FROM standards s
         WHERE s.numbered <> coalesce((SELECT max(v.number) FROM standard_versions v WHERE v.standard_id = s.id), 0)",
    ),
    rule(
        "standard-state-unknown",
        "is a version of a standard in no state that there is",
        "SELECT standard_id || '@' || number AS thing FROM standard_versions
         WHERE state NOT IN ('active', 'draft', 'in-review', 'superseded', 'withdrawn')",
    ),
    rule(
        "standard-out-of-scope",
        "is a standard that holds elsewhere than it says",
        "SELECT s.id AS thing FROM standards s
         WHERE s.scope <> coalesce(s.project_id, 'organization')
            OR EXISTS (SELECT 1 FROM standard_versions v WHERE v.standard_id = s.id AND v.scope <> s.scope)",
    ),
];

/// A version as stored.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct StandardText {
    /// Of which standard.
    pub standard_id: String,
    /// Its number.
    pub number: i64,
    /// The rules, as JSON.
    pub rules: String,
    /// Which environments it is about.
    pub environments: String,
    /// Whether readings need a reason.
    pub reads_need_reason: bool,
    /// The rules' digest.
    pub sha256: Vec<u8>,
}

/// Versions after one of a standard, at most `limit`; begin with the empty text and 0.
pub async fn standard_texts(
    conn: &mut Conn,
    after: &str,
    number: i64,
    limit: i64,
) -> Result<Vec<StandardText>, StoreError> {
    sql("SELECT standard_id, number, rules, environments, reads_need_reason, sha256 FROM standard_versions
         WHERE standard_id > $1 OR (standard_id = $2 AND number > $3)
         ORDER BY standard_id, number LIMIT $4")
    .bind(after)
    .bind(after)
    .bind(number)
    .bind(limit)
    .all(conn)
    .await
}
