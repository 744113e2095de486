-- Terminals that ask to be signed in (RFC 8628): each waits ten minutes for a person who approves it in the console, and is
-- taken once. Both codes are there as their SHA-256; where the terminal is, and later who approved it, is sealed. every is
-- how many seconds must lie between two questions. A grant ends with the session in which it was approved.

CREATE TABLE device_grants (
    id          TEXT PRIMARY KEY,
    device_hash BYTEA NOT NULL UNIQUE,
    code_hash   BYTEA NOT NULL UNIQUE,
    state       TEXT NOT NULL,
    sealed      BYTEA NOT NULL,
    user_id     TEXT REFERENCES users (id),
    session_id  TEXT,
    every       BIGINT NOT NULL,
    asked_at    BIGINT NOT NULL,
    created_at  BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL
);
CREATE INDEX device_grants_by_expiry ON device_grants (expires_at);
CREATE INDEX device_grants_by_session ON device_grants (session_id) WHERE session_id IS NOT NULL;
