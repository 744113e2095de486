//! Projects and their environments.

use super::{Rule, rule};

pub(super) const RULES: &[Rule] = &[
    rule(
        "project-without-event",
        "is a project of whose making there is no event",
        "SELECT id AS thing FROM projects p
         WHERE NOT EXISTS (SELECT 1 FROM events e WHERE e.resource_id = p.id AND e.action = 'project.create')",
    ),
    rule(
        "project-archived-without-event",
        "is an archived project of whose archiving there is no event",
        "SELECT id AS thing FROM projects p WHERE archived_at IS NOT NULL
         AND NOT EXISTS (SELECT 1 FROM events e WHERE e.resource_id = p.id AND e.action = 'project.archive')",
    ),
    rule(
        "project-event-not-archived",
        "is a project that an event archived and that is open",
        "SELECT p.id AS thing FROM projects p JOIN events e ON e.resource_id = p.id
         WHERE e.action = 'project.archive' AND e.outcome = 'allowed' AND p.archived_at IS NULL",
    ),
    rule(
        "project-event-without-project",
        "is a project that an event made and that is not there",
        "SELECT e.resource_id AS thing FROM events e WHERE e.action = 'project.create' AND e.outcome = 'allowed'
         AND NOT EXISTS (SELECT 1 FROM projects p WHERE p.id = e.resource_id)",
    ),
    rule(
        "environment-without-event",
        "is an environment of whose making there is no event",
        "SELECT id AS thing FROM environments v
         WHERE NOT EXISTS (SELECT 1 FROM events e WHERE e.resource_id = v.id AND e.action = 'environment.create')",
    ),
    rule(
        "environment-event-without-environment",
        "is an environment that an event made and that is not there",
        "SELECT e.resource_id AS thing FROM events e WHERE e.action = 'environment.create' AND e.outcome = 'allowed'
         AND NOT EXISTS (SELECT 1 FROM environments v WHERE v.id = e.resource_id)",
    ),
    rule(
        "environment-limits",
        "is an environment with a negative overlap or no lifetime at all",
        "SELECT id AS thing FROM environments WHERE overlap_seconds < 0 OR max_lifetime_seconds <= 0",
    ),
];
