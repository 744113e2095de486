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
    rule(
        "restore-events-without-event",
        "is a restore after which events were applied, as no event tells",
        "SELECT id AS thing FROM restores r WHERE events_until IS NOT NULL
         AND NOT EXISTS (SELECT 1 FROM events e
                         WHERE e.resource_id = r.id AND e.action = 'backup.apply-events')",
    ),
    rule(
        "drill-key-of-no-newest-backup",
        "is a drill key of a backup after which another one has a drill key",
        "SELECT k.id AS thing FROM drill_keys k JOIN backups b ON b.id = k.id
         WHERE EXISTS (SELECT 1 FROM drill_keys o JOIN backups c ON c.id = o.id
                       WHERE o.id <> k.id AND c.made_at >= b.made_at)",
    ),
    rule(
        "drill-without-event",
        "is a drill of whose beginning there is no event",
        "SELECT id AS thing FROM drills d
         WHERE NOT EXISTS (SELECT 1 FROM events e WHERE e.resource_id = d.id AND e.action = 'backup.drill')",
    ),
    rule(
        "drill-ended-without-event",
        "is a drill that ended as no event tells",
        "SELECT id AS thing FROM drills d WHERE state IN ('passed', 'failed')
         AND NOT EXISTS (SELECT 1 FROM events e WHERE e.resource_id = d.id AND e.action = 'backup.drill-' || d.state)",
    ),
];
