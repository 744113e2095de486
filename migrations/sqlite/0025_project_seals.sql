-- Seals of projects: a project may name a seal of its own, which wraps its keys beneath the keyring's envelope.

-- Seals that projects may name. None of them wraps the keyring.
CREATE TABLE offered_seals (
    id         TEXT PRIMARY KEY,
    kind       TEXT NOT NULL,
    label      TEXT NOT NULL,
    protection TEXT NOT NULL,
    offered_at INTEGER NOT NULL
) STRICT;

CREATE TABLE project_seals (
    project_id TEXT PRIMARY KEY REFERENCES projects (id),
    seal_id    TEXT NOT NULL REFERENCES offered_seals (id),
    since      INTEGER NOT NULL,
    named_by   TEXT NOT NULL
) STRICT;
CREATE INDEX project_seals_by_seal ON project_seals (seal_id, project_id);

-- The seal of its project that wrapped a project's key; the body of the envelope says the same. NULL: the keyring alone.
ALTER TABLE project_keys ADD COLUMN seal_id TEXT;
