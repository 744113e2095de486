//! The record itself: personal parts, subjects, decisions, kept answers.

use super::{Rule, rule};

pub(super) const RULES: &[Rule] = &[
    rule(
        "personal-orphan",
        "is a personal part without its event or its subject",
        "SELECT event_id || ' ' || subject_id AS thing FROM event_personal p
         WHERE NOT EXISTS (SELECT 1 FROM events e WHERE e.id = p.event_id)
            OR NOT EXISTS (SELECT 1 FROM subjects s WHERE s.id = p.subject_id)",
    ),
    rule(
        "subject-state",
        "is a subject that is erased and has a key, or is not and has none",
        "SELECT id AS thing FROM subjects WHERE (sealed_key IS NULL) <> (erased_at IS NOT NULL)",
    ),
    rule(
        "decision-counted",
        "is a decision that was made less than once, or last before first",
        "SELECT principal || ' ' || action || ' ' || resource AS thing FROM decision_log
         WHERE times < 1 OR last_at < first_at",
    ),
    rule(
        "event-outcome",
        "is an event of no known outcome",
        "SELECT id AS thing FROM events WHERE outcome NOT IN ('allowed', 'failed', 'refused')",
    ),
    rule(
        "replay-for-ever",
        "is an answer that is kept for longer than a replay is recognised (seven days; for good where it had a secret)",
        "SELECT caller || ' ' || resource_id AS thing FROM idempotency
         WHERE expires_at - created_at > 604800000000 AND expires_at <> 253402300799999999",
    ),
    rule(
        "replay-state",
        "is a kept answer that expires before it was made",
        "SELECT caller || ' ' || resource_id AS thing FROM idempotency WHERE expires_at <= created_at",
    ),
];
