-- Secrets, their versions and the labels that point at versions; the projects' keys that wrap the versions' data keys.

-- How many days a deleted secret can be restored; under purge protection nothing is destroyed before they are over.
ALTER TABLE environments ADD COLUMN secret_recovery_days INTEGER NOT NULL DEFAULT 30;
ALTER TABLE environments ADD COLUMN purge_protection INTEGER NOT NULL DEFAULT 0;

-- sealed is under the keyring's purpose `project-key`. uses counts the data keys that it wrapped, without a gap: it may
-- wrap fewer than 2^32. A key that is retired only unwraps.
CREATE TABLE project_keys (
    id         TEXT PRIMARY KEY,
    project_id TEXT NOT NULL REFERENCES projects (id),
    sealed     BLOB NOT NULL,
    uses       INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    retired_at INTEGER
) STRICT;
CREATE UNIQUE INDEX project_keys_in_service ON project_keys (project_id) WHERE retired_at IS NULL;

-- path is `folder/…/name`, folded_path what uniqueness compares. A deleted secret keeps its path until purge_at; then its
-- versions are destroyed and the row stays for the record.
CREATE TABLE secrets (
    id             TEXT PRIMARY KEY,
    project_id     TEXT NOT NULL REFERENCES projects (id),
    environment_id TEXT NOT NULL REFERENCES environments (id),
    path           TEXT NOT NULL,
    folded_path    TEXT NOT NULL,
    description    TEXT NOT NULL,
    tags           TEXT NOT NULL,
    last_version   INTEGER NOT NULL,
    created_at     INTEGER NOT NULL,
    created_by     TEXT NOT NULL,
    deleted_at     INTEGER,
    purge_at       INTEGER,
    purged_at      INTEGER,
    row_version    INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX secrets_by_path ON secrets (environment_id, folded_path) WHERE purged_at IS NULL;
CREATE INDEX secrets_to_purge ON secrets (purge_at) WHERE purge_at IS NOT NULL AND purged_at IS NULL;

-- Lists go along the path, everywhere or within a project or environment.
CREATE INDEX secrets_in_path_order ON secrets (folded_path, id) WHERE purged_at IS NULL;
CREATE INDEX secrets_by_project ON secrets (project_id, folded_path, id) WHERE purged_at IS NULL;
CREATE INDEX secrets_by_environment ON secrets (environment_id, folded_path, id) WHERE purged_at IS NULL;

-- wrapped_key is the version's data key under the project's key, ciphertext the value under the data key; both, and the
-- fingerprint, are gone once the version is destroyed. promoted_at is when `current` first pointed at it.
CREATE TABLE secret_versions (
    id                 TEXT PRIMARY KEY,
    secret_id          TEXT NOT NULL REFERENCES secrets (id),
    number             INTEGER NOT NULL,
    state              TEXT NOT NULL,
    kind               TEXT NOT NULL,
    content_type       TEXT NOT NULL,
    size               INTEGER NOT NULL,
    project_key_id     TEXT REFERENCES project_keys (id),
    wrapped_key        BLOB,
    ciphertext         BLOB,
    fingerprint_key_id TEXT,
    fingerprint        BLOB,
    created_at         INTEGER NOT NULL,
    created_by         TEXT NOT NULL,
    promoted_at        INTEGER,
    destroyed_at       INTEGER,
    UNIQUE (secret_id, number)
) STRICT;
CREATE INDEX secret_versions_by_project_key ON secret_versions (project_key_id) WHERE project_key_id IS NOT NULL;
CREATE INDEX secret_versions_by_fingerprint ON secret_versions (fingerprint) WHERE fingerprint IS NOT NULL;

CREATE TABLE secret_labels (
    secret_id TEXT NOT NULL,
    label     TEXT NOT NULL,
    number    INTEGER NOT NULL,
    PRIMARY KEY (secret_id, label),
    FOREIGN KEY (secret_id, number) REFERENCES secret_versions (secret_id, number)
) STRICT;
