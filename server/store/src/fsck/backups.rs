//! Backups: whom they are for, which were made, what was restored.

use super::{Rule, rule};

pub(super) const RULES: &[Rule] = &[
    rule(
        "recipient-without-event",
        "is whom backups are encrypted to, and of whose adding there is no event",
        "SELECT id AS thing FROM backup_recipients r
         WHERE NOT EXISTS (SELECT 1 FROM events e
                           WHERE e.resource_id = r.id AND e.action = 'backup.add-recipient')",
    ),
    rule(
        "backup-without-event",
        "is a backup of whose making there is no event",
        "SELECT id AS thing FROM backups b
         WHERE NOT EXISTS (SELECT 1 FROM events e WHERE e.resource_id = b.id AND e.action = 'backup.make')",
    ),
    rule(
        "restore-without-event",
        "is a restore of which there is no event",
        "SELECT id AS thing FROM restores r
         WHERE NOT EXISTS (SELECT 1 FROM events e WHERE e.resource_id = r.id AND e.action = 'backup.restore')",
    ),
    rule(
        "restore-accepted-without-event",
        "is a restore whose gap was accepted by nobody that an event names",
        "SELECT id AS thing FROM restores r WHERE accepted_at IS NOT NULL
         AND NOT EXISTS (SELECT 1 FROM events e
                         WHERE e.resource_id = r.id AND e.action = 'backup.accept-restore')",
    ),
];
