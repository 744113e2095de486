-- One row for each Idempotency-Key, written in the mutation's own transaction.

CREATE TABLE idempotency (
    caller       TEXT NOT NULL,
    key_hash     BLOB NOT NULL,
    request_hash BLOB NOT NULL,
    resource_id  TEXT NOT NULL,
    status       INTEGER NOT NULL,
    sealed       BLOB,
    created_at   INTEGER NOT NULL,
    expires_at   INTEGER NOT NULL,
    PRIMARY KEY (caller, key_hash)
) STRICT;
CREATE INDEX idempotency_by_expiry ON idempotency (expires_at);
