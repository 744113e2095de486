-- Secrets, their versions and the labels that point at versions; the projects' keys that wrap the versions' data keys.

-- How many days a deleted secret can be restored; under purge protection nothing is destroyed before they are over.
ALTER TABLE environments ADD COLUMN secret_recovery_days BIGINT NOT NULL DEFAULT 30;
ALTER TABLE environments ADD COLUMN purge_protection BOOLEAN NOT NULL DEFAULT FALSE;

-- sealed is under the keyring's purpose `project-key`. uses counts the data keys that it wrapped, without a gap: it may
-- wrap fewer than 2^32. A key that is retired only unwraps.
CREATE TABLE project_keys (
    id         TEXT PRIMARY KEY,
    project_id TEXT NOT NULL REFERENCES projects (id),
    sealed     BYTEA NOT NULL,
    uses       BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    retired_at BIGINT
);
CREATE UNIQUE INDEX project_keys_in_service ON project_keys (project_id) WHERE retired_at IS NULL;

-- path is `folder/…/name`, folded_path what uniqueness compares. A deleted secret keeps its path until purge_at; then its
-- versions are destroyed and the row stays for the record.
CREATE TABLE secrets (
    id             TEXT PRIMARY KEY,
    project_id     TEXT NOT NULL REFERENCES projects (id),
    environment_id TEXT NOT NULL REFERENCES environments (id),
    path           TEXT NOT NULL,
    folded_path    TEXT COLLATE "C" NOT NULL,
    description    TEXT NOT NULL,
    tags           TEXT NOT NULL,
    last_version   BIGINT NOT NULL,
    created_at     BIGINT NOT NULL,
    created_by     TEXT NOT NULL,
    deleted_at     BIGINT,
    purge_at       BIGINT,
    purged_at      BIGINT,
    row_version    BIGINT NOT NULL
);
CREATE UNIQUE INDEX secrets_by_path ON secrets (environment_id, folded_path) WHERE purged_at IS NULL;
CREATE INDEX secrets_to_purge ON secrets (purge_at) WHERE purge_at IS NOT NULL AND purged_at IS NULL;

-- Lists go along the path, everywhere or within a project or environment; folders are ranges of bytes, whatever the
-- database's own collation says.
CREATE INDEX secrets_in_path_order ON secrets (folded_path, id) WHERE purged_at IS NULL;
CREATE INDEX secrets_by_project ON secrets (project_id, folded_path, id) WHERE purged_at IS NULL;
CREATE INDEX secrets_by_environment ON secrets (environment_id, folded_path, id) WHERE purged_at IS NULL;

-- wrapped_key is the version's data key under the project's key, ciphertext the value under the data key; both, and the
-- fingerprint, are gone once the version is destroyed. promoted_at is when `current` first pointed at it.
CREATE TABLE secret_versions (
    id                 TEXT PRIMARY KEY,
    secret_id          TEXT NOT NULL REFERENCES secrets (id),
    number             BIGINT NOT NULL,
    state              TEXT NOT NULL,
    kind               TEXT NOT NULL,
    content_type       TEXT NOT NULL,
    size               BIGINT NOT NULL,
    project_key_id     TEXT REFERENCES project_keys (id),
    wrapped_key        BYTEA,
    ciphertext         BYTEA,
    fingerprint_key_id TEXT,
    fingerprint        BYTEA,
    created_at         BIGINT NOT NULL,
    created_by         TEXT NOT NULL,
    promoted_at        BIGINT,
    destroyed_at       BIGINT,
    UNIQUE (secret_id, number)
);
CREATE INDEX secret_versions_by_project_key ON secret_versions (project_key_id) WHERE project_key_id IS NOT NULL;
CREATE INDEX secret_versions_by_fingerprint ON secret_versions (fingerprint) WHERE fingerprint IS NOT NULL;

CREATE TABLE secret_labels (
    secret_id TEXT NOT NULL,
    label     TEXT NOT NULL,
    number    BIGINT NOT NULL,
    PRIMARY KEY (secret_id, label),
    FOREIGN KEY (secret_id, number) REFERENCES secret_versions (secret_id, number)
);
