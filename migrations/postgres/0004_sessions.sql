-- People's sessions, found by the SHA-256 of the cookie's id; what a session holds is sealed.

CREATE TABLE sessions (
    id_hash      BYTEA PRIMARY KEY,
    id           TEXT NOT NULL UNIQUE,
    user_id      TEXT NOT NULL REFERENCES users (id),
    sealed       BYTEA NOT NULL,
    created_at   BIGINT NOT NULL,
    last_seen_at BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL
);
CREATE INDEX sessions_by_user ON sessions (user_id);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);

-- A post that waits for a fresher passkey assertion: sealed, bound to its session, taken once.
CREATE TABLE pending_posts (
    id         TEXT PRIMARY KEY,
    session_id TEXT NOT NULL,
    sealed     BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX pending_posts_by_expiry ON pending_posts (expires_at);
CREATE INDEX pending_posts_by_session ON pending_posts (session_id);

-- Fresh recovery codes, sealed until the session that they were made in has shown them, once.
CREATE TABLE unseen_codes (
    session_id TEXT PRIMARY KEY,
    sealed     BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX unseen_codes_by_expiry ON unseen_codes (expires_at);
