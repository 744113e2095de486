-- One row for each Idempotency-Key, written in the mutation's own transaction.

CREATE TABLE idempotency (
    caller       TEXT NOT NULL,
    key_hash     BYTEA NOT NULL,
    request_hash BYTEA NOT NULL,
    resource_id  TEXT NOT NULL,
    status       BIGINT NOT NULL,
    sealed       BYTEA,
    created_at   BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL,
    PRIMARY KEY (caller, key_hash)
);
CREATE INDEX idempotency_by_expiry ON idempotency (expires_at);
