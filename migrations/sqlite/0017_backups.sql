-- Backups: whom they are encrypted to, which were made, and what was restored from one.

-- id is of the public key, text what `keywarden recovery-key create` printed.
CREATE TABLE backup_recipients (
    id       TEXT PRIMARY KEY,
    name     TEXT NOT NULL,
    text     TEXT NOT NULL,
    added_at INTEGER NOT NULL
) STRICT;

-- made_at is the instant of which the backup is, counter the change counter then. recipients are ids, as JSON.
CREATE TABLE backups (
    id         TEXT PRIMARY KEY,
    made_at    INTEGER NOT NULL,
    counter    INTEGER NOT NULL,
    file       TEXT NOT NULL,
    size       INTEGER NOT NULL,
    digest     TEXT NOT NULL,
    recipients TEXT NOT NULL
) STRICT;
CREATE INDEX backups_by_time ON backups (made_at, id);

-- What happened between made_at and the loss is gone. Until somebody accepts that, the doors stay shut.
CREATE TABLE restores (
    id          TEXT PRIMARY KEY,
    made_at     INTEGER NOT NULL,
    digest      TEXT NOT NULL,
    restored_at INTEGER NOT NULL,
    accepted_at INTEGER
) STRICT;
