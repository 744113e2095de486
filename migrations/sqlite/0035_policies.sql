-- Policies that people write: Cedar text in versions, of which at most one decides.

-- scope is the project's id, or `organization`: names are told apart within it. numbered is the newest version's number.
-- ending_by is who wants to disable it, where that needs a second person.
CREATE TABLE policies (
    id          TEXT PRIMARY KEY,
    project_id  TEXT REFERENCES projects (id),
    scope       TEXT NOT NULL,
    name        TEXT NOT NULL,
    folded_name TEXT NOT NULL,
    numbered    INTEGER NOT NULL,
    created_at  INTEGER NOT NULL,
    created_by  TEXT NOT NULL,
    ending_by   TEXT,
    row_version INTEGER NOT NULL,
    UNIQUE (scope, folded_name)
) STRICT;
CREATE INDEX policies_by_scope ON policies (scope, id);

-- A version's text never changes. starts_at is the moment that a scheduled one waits for; due_by is who scheduled it.
CREATE TABLE policy_versions (
    policy_id    TEXT NOT NULL REFERENCES policies (id),
    number       INTEGER NOT NULL,
    state        TEXT NOT NULL,
    effect       TEXT NOT NULL,
    text         TEXT NOT NULL,
    sha256       BLOB NOT NULL,
    note         TEXT NOT NULL,
    created_at   INTEGER NOT NULL,
    created_by   TEXT NOT NULL,
    approved_at  INTEGER,
    approved_by  TEXT,
    starts_at    INTEGER,
    due_by       TEXT,
    activated_at INTEGER,
    activated_by TEXT,
    ended_at     INTEGER,
    PRIMARY KEY (policy_id, number)
) STRICT;
CREATE UNIQUE INDEX policy_versions_active ON policy_versions (policy_id) WHERE state = 'active';
CREATE INDEX policy_versions_due ON policy_versions (starts_at) WHERE state = 'scheduled';

-- One row: how often what is in force has changed, and whether changes need a second person. `ending` means that
-- asked_by wants to do without one, and another owner has not agreed yet.
CREATE TABLE policy_set (
    id       INTEGER PRIMARY KEY CHECK (id = 1),
    revision INTEGER NOT NULL,
    review   TEXT NOT NULL,
    asked_by TEXT
) STRICT;
INSERT INTO policy_set (id, revision, review) VALUES (1, 0, 'off');
