-- People, teams, their passkeys, one-time links and the roles that principals hold.

CREATE TABLE users (
    id             TEXT PRIMARY KEY,
    name           TEXT NOT NULL,
    folded_name    TEXT NOT NULL,
    handle         BYTEA NOT NULL UNIQUE,
    state          TEXT NOT NULL,
    created_at     BIGINT NOT NULL,
    created_by     TEXT NOT NULL,
    deactivated_at BIGINT,
    last_seen_at   BIGINT,
    row_version    BIGINT NOT NULL
);
CREATE INDEX users_by_name ON users (folded_name, id);

CREATE TABLE teams (
    id          TEXT PRIMARY KEY,
    slug        TEXT NOT NULL UNIQUE,
    name        TEXT NOT NULL,
    folded_name TEXT NOT NULL UNIQUE,
    created_at  BIGINT NOT NULL,
    created_by  TEXT NOT NULL,
    row_version BIGINT NOT NULL
);

CREATE TABLE team_members (
    team_id  TEXT NOT NULL REFERENCES teams (id),
    user_id  TEXT NOT NULL REFERENCES users (id),
    added_at BIGINT NOT NULL,
    PRIMARY KEY (team_id, user_id)
);
CREATE INDEX team_members_by_user ON team_members (user_id);

-- principal_id is a user, team or workload id; project_id is null for roles of the organization.
CREATE TABLE role_bindings (
    id             TEXT PRIMARY KEY,
    principal_kind TEXT NOT NULL,
    principal_id   TEXT NOT NULL,
    role           TEXT NOT NULL,
    project_id     TEXT REFERENCES projects (id),
    created_at     BIGINT NOT NULL,
    created_by     TEXT NOT NULL
);
CREATE UNIQUE INDEX role_bindings_once ON role_bindings (principal_id, role, coalesce(project_id, ''));
CREATE INDEX role_bindings_by_project ON role_bindings (project_id);

CREATE TABLE passkeys (
    id                TEXT PRIMARY KEY,
    user_id           TEXT NOT NULL REFERENCES users (id),
    credential_id     BYTEA NOT NULL UNIQUE,
    name              TEXT NOT NULL,
    credential        TEXT NOT NULL,
    attestation       BYTEA NOT NULL,
    synced            BOOLEAN NOT NULL,
    created_at        BIGINT NOT NULL,
    last_used_at      BIGINT,
    may_approve_after BIGINT NOT NULL,
    row_version       BIGINT NOT NULL
);
CREATE INDEX passkeys_by_user ON passkeys (user_id);

-- Only keyed hashes of recovery codes and links are kept; mac_key_id names the keyring key. lookup is a code's first
-- group: it finds the few rows that may be meant and proves nothing.
CREATE TABLE recovery_codes (
    user_id    TEXT NOT NULL REFERENCES users (id),
    position   BIGINT NOT NULL,
    lookup     TEXT NOT NULL,
    mac_key_id TEXT NOT NULL,
    mac        BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    used_at    BIGINT,
    PRIMARY KEY (user_id, position)
);
CREATE INDEX recovery_codes_by_lookup ON recovery_codes (lookup);

-- kind: setup, invitation, recovery
CREATE TABLE one_time_links (
    id         TEXT PRIMARY KEY,
    kind       TEXT NOT NULL,
    public_id  TEXT NOT NULL UNIQUE,
    mac_key_id TEXT NOT NULL,
    mac        BYTEA NOT NULL,
    user_id    TEXT REFERENCES users (id),
    name       TEXT,
    role       TEXT,
    project_id TEXT REFERENCES projects (id),
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at    BIGINT,
    revoked_at BIGINT
);

-- A WebAuthn ceremony under way: its state is sealed, bound to a session, link or browser, and used once.
CREATE TABLE ceremonies (
    id         TEXT PRIMARY KEY,
    kind       TEXT NOT NULL,
    bound_to   TEXT NOT NULL,
    sealed     BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX ceremonies_by_expiry ON ceremonies (expires_at);
