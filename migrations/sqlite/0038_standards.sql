-- Standards that keys, secrets and environments are held to: rules in versions, of which at most one is in force.

-- scope is the project's id, or `organization`: names are told apart within it. numbered is the newest version's number.
-- ending_by is who wants to end it, where that needs a second person.
CREATE TABLE standards (
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
CREATE INDEX standards_by_scope ON standards (scope, id);

-- A version's rules never change. scope is its standard's. environments holds slugs and labels as `,production,live,`, or
-- nothing where it is about all of them; it and reads_need_reason say again what the rules say, for the statement that
-- reads a secret.
CREATE TABLE standard_versions (
    standard_id       TEXT NOT NULL REFERENCES standards (id),
    number            INTEGER NOT NULL,
    scope             TEXT NOT NULL,
    state             TEXT NOT NULL,
    rules             TEXT NOT NULL,
    environments      TEXT NOT NULL,
    reads_need_reason INTEGER NOT NULL,
    sha256            BLOB NOT NULL,
    note              TEXT NOT NULL,
    created_at        INTEGER NOT NULL,
    created_by        TEXT NOT NULL,
    approved_at       INTEGER,
    approved_by       TEXT,
    activated_at      INTEGER,
    activated_by      TEXT,
    ended_at          INTEGER,
    PRIMARY KEY (standard_id, number)
) STRICT;
CREATE UNIQUE INDEX standard_versions_active ON standard_versions (standard_id) WHERE state = 'active';
CREATE INDEX standard_versions_in_force ON standard_versions (scope) WHERE state = 'active';
