-- Standards that keys, secrets and environments are held to: rules in versions, of which at most one is in force.

-- scope is the project's id, or `organization`: names are told apart within it. numbered is the newest version's number.
-- ending_by is who wants to end it, where that needs a second person.
CREATE TABLE standards (
    id          TEXT PRIMARY KEY,
    project_id  TEXT REFERENCES projects (id),
    scope       TEXT NOT NULL,
    name        TEXT NOT NULL,
    folded_name TEXT NOT NULL,
    numbered    BIGINT NOT NULL,
    created_at  BIGINT NOT NULL,
    created_by  TEXT NOT NULL,
    ending_by   TEXT,
    row_version BIGINT NOT NULL,
    UNIQUE (scope, folded_name)
);
CREATE INDEX standards_by_scope ON standards (scope, id);

-- A version's rules never change. scope is its standard's. environments holds slugs and labels as `,production,live,`, or
-- nothing where it is about all of them; it and reads_need_reason say again what the rules say, for the statement that
-- reads a secret.
CREATE TABLE standard_versions (
    standard_id       TEXT NOT NULL REFERENCES standards (id),
    number            BIGINT NOT NULL,
    scope             TEXT NOT NULL,
    state             TEXT NOT NULL,
    rules             TEXT NOT NULL,
    environments      TEXT NOT NULL,
    reads_need_reason BOOLEAN NOT NULL,
    sha256            BYTEA NOT NULL,
    note              TEXT NOT NULL,
    created_at        BIGINT NOT NULL,
    created_by        TEXT NOT NULL,
    approved_at       BIGINT,
    approved_by       TEXT,
    activated_at      BIGINT,
    activated_by      TEXT,
    ended_at          BIGINT,
    PRIMARY KEY (standard_id, number)
);
CREATE UNIQUE INDEX standard_versions_active ON standard_versions (standard_id) WHERE state = 'active';
CREATE INDEX standard_versions_in_force ON standard_versions (scope) WHERE state = 'active';
