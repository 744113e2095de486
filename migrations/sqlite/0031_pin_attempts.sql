-- PINs of tokens that were tried and not accepted yet: what the nodes on this database know of one another's tries, so that all
-- of them together show a wrong PIN to a token twice. A mark is 16 bits of a MAC of the PIN, and always the same for a PIN.
-- On SQLite, which one node has, a file in the data folder is used instead.

-- token: its serial number. tried_at: the last try, changed_at: the last change, both by the database's clock.
CREATE TABLE pin_attempts (
    token      TEXT NOT NULL,
    salt       BLOB NOT NULL,
    mark       BLOB NOT NULL,
    refused    INTEGER NOT NULL,
    unclear    INTEGER NOT NULL,
    tried_at   INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    PRIMARY KEY (token, salt, mark)
) STRICT;
