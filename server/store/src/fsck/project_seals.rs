//! Seals of projects, and the keys under them.

use super::{Rule, rule};

pub(super) const RULES: &[Rule] = &[
    rule(
        "offered-seal-without-event",
        "is a seal of projects of whose offering there is no event",
        "SELECT id AS thing FROM offered_seals s
         WHERE NOT EXISTS (SELECT 1 FROM events e WHERE e.resource_id = s.id AND e.at = s.offered_at
                           AND e.action = 'seal.offer' AND e.outcome = 'allowed')",
    ),
    rule(
        "offered-seal-of-keyring",
        "is a seal of projects that wraps the keyring as well",
        "SELECT s.id AS thing FROM offered_seals s JOIN seals k ON k.id = s.id",
    ),
    rule(
        "project-seal-unknown",
        "is a project that names a seal which is not offered, or a name of a project that is not there",
        "SELECT project_id AS thing FROM project_seals n
         WHERE NOT EXISTS (SELECT 1 FROM offered_seals s WHERE s.id = n.seal_id)
            OR NOT EXISTS (SELECT 1 FROM projects p WHERE p.id = n.project_id)",
    ),
    rule(
        "project-seal-without-event",
        "is a project that names a seal without an event that says so",
        "SELECT project_id AS thing FROM project_seals n
         WHERE NOT EXISTS (SELECT 1 FROM events e WHERE e.resource_id = n.project_id AND e.at = n.since
                           AND e.action = 'project.name-seal' AND e.outcome = 'allowed')",
    ),
    rule(
        "project-seal-without-key",
        "is a project that names a seal and has no key",
        "SELECT project_id AS thing FROM project_seals n
         WHERE NOT EXISTS (SELECT 1 FROM project_keys k WHERE k.project_id = n.project_id)",
    ),
    rule(
        "project-key-other-seal",
        "is a project's key under another seal than its project names",
        "SELECT k.id AS thing FROM project_keys k LEFT JOIN project_seals n ON n.project_id = k.project_id
         WHERE coalesce(k.seal_id, '') <> coalesce(n.seal_id, '')",
    ),
];
