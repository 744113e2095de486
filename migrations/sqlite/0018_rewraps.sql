-- Rewraps: what lies under one key is sealed anew under another, batch by batch, while everything goes on.

-- The keyring's key that sealed a project's key; the envelope's header says the same.
ALTER TABLE project_keys ADD COLUMN keyring_key_id TEXT NOT NULL DEFAULT '';
UPDATE project_keys SET keyring_key_id = CAST(substr(sealed, 4, 30) AS TEXT);
CREATE INDEX project_keys_by_project ON project_keys (project_id, created_at);

-- The keyring's keys that a node has in memory, between spaces: nothing is wrapped under a key that a running node lacks.
ALTER TABLE nodes ADD COLUMN holds TEXT NOT NULL DEFAULT '';

-- A rewrap walks along a table by id; position is the last id that it is done with, in the same transaction. skipped
-- counts what did not open and stays as it is. Only one that is not done may be there for the same things.
CREATE TABLE rewraps (
    id         TEXT PRIMARY KEY,
    kind       TEXT NOT NULL,
    scope      TEXT NOT NULL,
    project_id TEXT REFERENCES projects (id),
    from_key   TEXT NOT NULL,
    to_key     TEXT NOT NULL,
    state      TEXT NOT NULL,
    total      INTEGER NOT NULL,
    done       INTEGER NOT NULL,
    skipped    INTEGER NOT NULL,
    position   TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    started_by TEXT NOT NULL,
    moved_at   INTEGER NOT NULL,
    ended_at   INTEGER
) STRICT;
CREATE UNIQUE INDEX rewraps_under_way ON rewraps (scope) WHERE ended_at IS NULL;
CREATE INDEX rewraps_by_start ON rewraps (started_at, id);
CREATE INDEX rewraps_by_project ON rewraps (project_id, started_at) WHERE project_id IS NOT NULL;

-- A rewrap goes through the versions under one key in the order of their ids.
DROP INDEX secret_versions_by_project_key;
CREATE INDEX secret_versions_by_project_key ON secret_versions (project_key_id, id) WHERE project_key_id IS NOT NULL;
