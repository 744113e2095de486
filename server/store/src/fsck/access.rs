//! Requests for access, what was signed about them, and roles that are held for a while.

use super::{Rule, rule};

pub(super) const RULES: &[Rule] = &[
    rule(
        "access-request-without-event",
        "is a request for access that nobody made",
        "SELECT r.id AS thing FROM access_requests r
         WHERE NOT EXISTS (SELECT 1 FROM events e WHERE e.resource_id = r.id AND e.at = r.created_at
                           AND e.action = 'access.request' AND e.outcome = 'allowed')",
    ),
    rule(
        "access-request-state-unknown",
        "is a request for access in no state that there is",
        "SELECT id AS thing FROM access_requests
         WHERE state NOT IN ('active', 'denied', 'ended', 'expired', 'pending', 'withdrawn')",
    ),
    rule(
        "access-approval-without-event",
        "is an approval of access without an event that says so",
        "SELECT a.request_id || '@' || a.approver AS thing FROM access_approvals a
         WHERE NOT EXISTS (SELECT 1 FROM events e WHERE e.resource_id = a.request_id AND e.at = a.signed_at
                           AND e.action = 'access.approve' AND e.actor_id = a.approver AND e.outcome = 'allowed')",
    ),
    rule(
        "access-approved-by-asker",
        "is an approval of access by whoever asked for it, or holds it",
        "SELECT a.request_id || '@' || a.approver AS thing FROM access_approvals a
         JOIN access_requests r ON r.id = a.request_id
         WHERE a.approver IN (r.created_by, r.holder_id, coalesce(r.behind, ''))",
    ),
    rule(
        "grant-without-approval",
        "is a role for a while that nobody approved",
        "SELECT g.id AS thing FROM access_grants g
         WHERE NOT EXISTS (SELECT 1 FROM access_approvals a WHERE a.request_id = g.request_id)",
    ),
    rule(
        "grant-without-event",
        "is a role for a while without an event that gives it",
        "SELECT g.id AS thing FROM access_grants g
         WHERE NOT EXISTS (SELECT 1 FROM events e WHERE e.resource_id = g.id AND e.at = g.starts_at
                           AND e.action = 'access.grant' AND e.outcome = 'allowed')",
    ),
    rule(
        "grant-otherwise-than-request",
        "is a role for a while that is not what was asked for, or that goes on where its request is over",
        "SELECT g.id AS thing FROM access_grants g JOIN access_requests r ON r.id = g.request_id
         WHERE g.role <> r.role OR g.holder_id <> r.holder_id OR g.scope <> r.scope
            OR r.state <> CASE WHEN g.ended_at IS NULL THEN 'active' ELSE 'ended' END",
    ),
    rule(
        "grant-of-owner",
        "makes somebody an owner for a while",
        "SELECT id AS thing FROM access_grants WHERE role = 'owner'",
    ),
    rule(
        "access-rule-without-event",
        "is a version of a rule about approval that nobody wrote",
        "SELECT r.scope || '@' || r.version AS thing FROM access_rules r
         WHERE NOT EXISTS (SELECT 1 FROM events e WHERE e.resource_id = r.scope AND e.at = r.created_at
                           AND e.action = 'access.set-rule' AND e.outcome = 'allowed')",
    ),
];
