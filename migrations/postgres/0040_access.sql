-- Access that is asked for, approved by signatures, and gone by itself.

-- Who may approve, how many it takes, and for how long: in versions, of which the newest holds. scope is the project's id, or
-- `organization`. rule is JSON; without one the scope has no rule of its own any more.
CREATE TABLE access_rules (
    scope      TEXT NOT NULL,
    version    BIGINT NOT NULL,
    project_id TEXT REFERENCES projects (id),
    rule       TEXT,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    PRIMARY KEY (scope, version)
);

-- project is the slug as it was typed, and project_id is empty where there is no such project: whoever asks is not told.
-- behind is who made the token that asked, where a machine did. revision grows when what is asked for changes, and voids what
-- was signed before. decided_by is an actor's id, words are what they said.
CREATE TABLE access_requests (
    id            TEXT PRIMARY KEY,
    project_id    TEXT REFERENCES projects (id),
    scope         TEXT NOT NULL,
    project       TEXT,
    role          TEXT NOT NULL,
    holder_kind   TEXT NOT NULL,
    holder_id     TEXT NOT NULL,
    lasts_seconds BIGINT NOT NULL,
    reason        TEXT NOT NULL,
    ticket        TEXT NOT NULL,
    state         TEXT NOT NULL,
    revision      BIGINT NOT NULL,
    created_at    BIGINT NOT NULL,
    created_by    TEXT NOT NULL,
    behind        TEXT,
    expires_at    BIGINT NOT NULL,
    decided_at    BIGINT,
    decided_by    TEXT,
    words         TEXT NOT NULL,
    row_version   BIGINT NOT NULL
);
CREATE INDEX access_requests_pending ON access_requests (scope, id) WHERE state = 'pending';
CREATE INDEX access_requests_due ON access_requests (expires_at) WHERE state = 'pending';
CREATE INDEX access_requests_by_asker ON access_requests (created_by, id);
CREATE INDEX access_requests_by_holder ON access_requests (holder_id, id);
CREATE INDEX access_requests_by_scope ON access_requests (scope, id);

-- What somebody signed: content is the bytes that they were shown, and the rest proves that their passkey signed them. revision
-- is the request's then. enrolment is the event that enrolled the passkey, policies the revision of the policies in force.
CREATE TABLE access_approvals (
    request_id         TEXT NOT NULL REFERENCES access_requests (id),
    revision           BIGINT NOT NULL,
    approver           TEXT NOT NULL,
    rule_scope         TEXT NOT NULL,
    rule_version       BIGINT NOT NULL,
    content            BYTEA NOT NULL,
    nonce              BYTEA NOT NULL UNIQUE,
    client_data_json   BYTEA NOT NULL,
    authenticator_data BYTEA NOT NULL,
    signature          BYTEA NOT NULL,
    public_key         BYTEA NOT NULL,
    credential_id      BYTEA NOT NULL,
    passkey_id         TEXT NOT NULL,
    synced             BOOLEAN NOT NULL,
    enrolment          TEXT,
    policies           BIGINT NOT NULL,
    signed_at          BIGINT NOT NULL,
    PRIMARY KEY (request_id, revision, approver)
);
CREATE INDEX access_approvals_by_approver ON access_approvals (approver, request_id);

-- A role that is held until ends_at, and not in that very instant any more. ended_at and how say when it was really over.
CREATE TABLE access_grants (
    id          TEXT PRIMARY KEY,
    request_id  TEXT NOT NULL UNIQUE REFERENCES access_requests (id),
    project_id  TEXT REFERENCES projects (id),
    scope       TEXT NOT NULL,
    role        TEXT NOT NULL,
    holder_kind TEXT NOT NULL,
    holder_id   TEXT NOT NULL,
    starts_at   BIGINT NOT NULL,
    ends_at     BIGINT NOT NULL,
    ended_at    BIGINT,
    how         TEXT,
    ended_by    TEXT
);
CREATE INDEX access_grants_held ON access_grants (holder_id, ends_at) WHERE ended_at IS NULL;
CREATE INDEX access_grants_due ON access_grants (ends_at) WHERE ended_at IS NULL;
CREATE INDEX access_grants_by_holder ON access_grants (holder_id, id);
CREATE INDEX access_grants_by_scope ON access_grants (scope, id);
