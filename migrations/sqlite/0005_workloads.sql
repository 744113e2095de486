-- Machine identities and the service tokens with which they speak to Keywarden.

CREATE TABLE workloads (
    id             TEXT PRIMARY KEY,
    name           TEXT NOT NULL,
    folded_name    TEXT NOT NULL,
    project_id     TEXT REFERENCES projects (id),
    state          TEXT NOT NULL,
    created_at     INTEGER NOT NULL,
    created_by     TEXT NOT NULL,
    deactivated_at INTEGER,
    row_version    INTEGER NOT NULL
) STRICT;
-- Within one project, or among those of the organization; a name is free again once its workload is deactivated.
CREATE UNIQUE INDEX workloads_by_name ON workloads (coalesce(project_id, ''), folded_name) WHERE deactivated_at IS NULL;
CREATE INDEX workloads_by_project ON workloads (project_id, id);

-- workload_id is null for a token made by the operator on the server's shell; then role says what it may do.
CREATE TABLE service_tokens (
    id           TEXT PRIMARY KEY,
    workload_id  TEXT REFERENCES workloads (id),
    role         TEXT,
    public_id    TEXT NOT NULL UNIQUE,
    mac_key_id   TEXT NOT NULL,
    mac          BLOB NOT NULL,
    created_at   INTEGER NOT NULL,
    created_by   TEXT NOT NULL,
    expires_at   INTEGER NOT NULL,
    revoked_at   INTEGER,
    last_used_at INTEGER
) STRICT;
CREATE INDEX service_tokens_by_workload ON service_tokens (workload_id, id);
CREATE INDEX service_tokens_by_expiry ON service_tokens (expires_at) WHERE revoked_at IS NULL;
