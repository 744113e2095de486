-- What the house itself keeps: its schema's version, the change counter, the keyring.

CREATE TABLE schema_info (
    id                INTEGER PRIMARY KEY CHECK (id = 1),
    version           INTEGER NOT NULL,
    oldest_compatible INTEGER NOT NULL
) STRICT;

-- One row, made at setup. clock_high_water is the latest instant any node has written.
CREATE TABLE instance (
    id               INTEGER PRIMARY KEY CHECK (id = 1),
    rp_id            TEXT,
    set_up_at        INTEGER,
    clock_high_water INTEGER NOT NULL
) STRICT;
INSERT INTO instance (id, clock_high_water) VALUES (1, 0);

-- value grows with every change that can turn a yes into a no; authority is its value at the last change of
-- who may do what. changes names what each value was about, so that a node forgets just that.
CREATE TABLE change_counter (
    id        INTEGER PRIMARY KEY CHECK (id = 1),
    value     INTEGER NOT NULL,
    authority INTEGER NOT NULL
) STRICT;
INSERT INTO change_counter (id, value, authority) VALUES (1, 0, 0);

CREATE TABLE changes (
    value INTEGER PRIMARY KEY,
    kind  TEXT NOT NULL,
    thing TEXT NOT NULL,
    at    INTEGER NOT NULL
) STRICT;

CREATE TABLE seals (
    id         TEXT PRIMARY KEY,
    kind       TEXT NOT NULL,
    label      TEXT NOT NULL,
    protection TEXT NOT NULL,
    added_at   INTEGER NOT NULL
) STRICT;

CREATE TABLE keyring_keys (
    id         TEXT PRIMARY KEY,
    purpose    TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    retired_at INTEGER,
    uses       INTEGER NOT NULL
) STRICT;

CREATE TABLE keyring_wraps (
    key_id    TEXT NOT NULL REFERENCES keyring_keys (id),
    seal_id   TEXT NOT NULL REFERENCES seals (id),
    algorithm TEXT NOT NULL,
    wrapped   BLOB NOT NULL,
    PRIMARY KEY (key_id, seal_id)
) STRICT;

-- The nodes that share these records, as they tell of themselves every few seconds.
CREATE TABLE nodes (
    id         TEXT PRIMARY KEY,
    name       TEXT NOT NULL,
    version    TEXT NOT NULL,
    condition  TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    seen_at    INTEGER NOT NULL
) STRICT;
