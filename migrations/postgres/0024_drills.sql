-- Drills: the newest backup is restored to a scratch database, looked at, and taken away again.

-- The key that opens the newest backup for a drill, sealed under the keyring. id is the backup's; the next backup takes the
-- row's place, so that this house opens no older one.
CREATE TABLE drill_keys (
    id        TEXT PRIMARY KEY REFERENCES backups (id),
    recipient TEXT NOT NULL,
    sealed    BYTEA NOT NULL
);

-- report is what was looked at and what was wrong, as JSON, once it has ended.
CREATE TABLE drills (
    id         TEXT PRIMARY KEY,
    backup_id  TEXT NOT NULL REFERENCES backups (id),
    state      TEXT NOT NULL,
    asked_at   BIGINT NOT NULL,
    started_at BIGINT,
    ended_at   BIGINT,
    report     TEXT
);
CREATE INDEX drills_by_time ON drills (asked_at, id);
