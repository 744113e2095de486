-- Values given out: by one-time links, and with a reason where an environment asks for one.

-- A link to the value of one version, which one recipient may read once: a person who signs in (recipient_id), or whoever
-- was told the passphrase. The value is not here: it is read when the link is opened, as its maker still may. Of the link's
-- value and of the passphrase only keyed hashes are kept; their keys are the keyring's for one-time things. tries counts
-- wrong passphrases. state: open, opened, refused, withdrawn, expired; ended_at is when it left the first.
CREATE TABLE secret_shares (
    id                TEXT PRIMARY KEY,
    secret_id         TEXT NOT NULL,
    version           INTEGER NOT NULL,
    public_id         TEXT NOT NULL UNIQUE,
    mac_key_id        TEXT NOT NULL,
    mac               BLOB NOT NULL,
    recipient_id      TEXT REFERENCES users (id),
    passphrase_key_id TEXT,
    passphrase_mac    BLOB,
    made_by           TEXT NOT NULL,
    state             TEXT NOT NULL,
    tries             INTEGER NOT NULL,
    created_at        INTEGER NOT NULL,
    expires_at        INTEGER NOT NULL,
    ended_at          INTEGER,
    FOREIGN KEY (secret_id, version) REFERENCES secret_versions (secret_id, number)
) STRICT;
CREATE INDEX secret_shares_open ON secret_shares (secret_id, id) WHERE state = 'open';
CREATE INDEX secret_shares_to_expire ON secret_shares (expires_at) WHERE state = 'open';
CREATE INDEX secret_shares_by_end ON secret_shares (ended_at) WHERE ended_at IS NOT NULL;

-- The secret that a notice is about, beside a person.
ALTER TABLE notices ADD COLUMN secret_id TEXT;

-- Whether whoever reads a value of the environment says why.
ALTER TABLE environments ADD COLUMN reads_need_reason INTEGER NOT NULL DEFAULT 0;
