-- What the house itself keeps: its schema's version, the change counter, the keyring.

CREATE TABLE schema_info (
    id                BIGINT PRIMARY KEY CHECK (id = 1),
    version           BIGINT NOT NULL,
    oldest_compatible BIGINT NOT NULL
);

-- One row, made at setup. clock_high_water is the latest instant any node has written.
CREATE TABLE instance (
    id               BIGINT PRIMARY KEY CHECK (id = 1),
    rp_id            TEXT,
    set_up_at        BIGINT,
    clock_high_water BIGINT NOT NULL
);
INSERT INTO instance (id, clock_high_water) VALUES (1, 0);

-- value grows with every change that can turn a yes into a no; authority is its value at the last change of
-- who may do what. changes names what each value was about, so that a node forgets just that.
CREATE TABLE change_counter (
    id        BIGINT PRIMARY KEY CHECK (id = 1),
    value     BIGINT NOT NULL,
    authority BIGINT NOT NULL
);
INSERT INTO change_counter (id, value, authority) VALUES (1, 0, 0);

CREATE TABLE changes (
    value BIGINT PRIMARY KEY,
    kind  TEXT NOT NULL,
    thing TEXT NOT NULL,
    at    BIGINT NOT NULL
);

CREATE TABLE seals (
    id         TEXT PRIMARY KEY,
    kind       TEXT NOT NULL,
    label      TEXT NOT NULL,
    protection TEXT NOT NULL,
    added_at   BIGINT NOT NULL
);

CREATE TABLE keyring_keys (
    id         TEXT PRIMARY KEY,
    purpose    TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    retired_at BIGINT,
    uses       BIGINT NOT NULL
);

CREATE TABLE keyring_wraps (
    key_id    TEXT NOT NULL REFERENCES keyring_keys (id),
    seal_id   TEXT NOT NULL REFERENCES seals (id),
    algorithm TEXT NOT NULL,
    wrapped   BYTEA NOT NULL,
    PRIMARY KEY (key_id, seal_id)
);

-- The nodes that share these records, as they tell of themselves every few seconds.
CREATE TABLE nodes (
    id         TEXT PRIMARY KEY,
    name       TEXT NOT NULL,
    version    TEXT NOT NULL,
    condition  TEXT NOT NULL,
    started_at BIGINT NOT NULL,
    seen_at    BIGINT NOT NULL
);
