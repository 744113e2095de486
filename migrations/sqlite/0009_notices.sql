-- What a person is told on their next visit: that their account, or one they answer for, was recovered or changed.

CREATE TABLE notices (
    id           TEXT PRIMARY KEY,
    user_id      TEXT NOT NULL REFERENCES users (id),
    kind         TEXT NOT NULL,
    about        TEXT NOT NULL REFERENCES users (id),
    at           INTEGER NOT NULL,
    dismissed_at INTEGER
) STRICT;
CREATE INDEX notices_by_user ON notices (user_id, id);
