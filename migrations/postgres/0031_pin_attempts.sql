-- PINs of tokens that were tried and not accepted yet: what the nodes on this database know of one another's tries, so that all
-- of them together show a wrong PIN to a token twice. A mark is 16 bits of a MAC of the PIN, and always the same for a PIN.

-- token: its serial number. tried_at: the last try, changed_at: the last change, both by the database's clock.
CREATE TABLE pin_attempts (
    token      TEXT NOT NULL,
    salt       BYTEA NOT NULL,
    mark       BYTEA NOT NULL,
    refused    BIGINT NOT NULL,
    unclear    BIGINT NOT NULL,
    tried_at   BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    PRIMARY KEY (token, salt, mark)
);
