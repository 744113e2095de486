-- API keys and their values. A key keeps its identity through rotations; states belong to its values.

CREATE TABLE api_keys (
    id                TEXT PRIMARY KEY,
    project_id        TEXT NOT NULL REFERENCES projects (id),
    environment_id    TEXT NOT NULL REFERENCES environments (id),
    name              TEXT NOT NULL,
    folded_name       TEXT NOT NULL,
    description       TEXT NOT NULL,
    owner_kind        TEXT NOT NULL,
    owner_id          TEXT NOT NULL,
    scopes            TEXT NOT NULL,
    allowed_cidrs     TEXT NOT NULL,
    rate_limit        BIGINT,
    rate_window       BIGINT,
    tags              TEXT NOT NULL,
    metadata          TEXT NOT NULL,
    not_before        BIGINT,
    expires_at        BIGINT,
    suspended_at      BIGINT,
    revoked_at        BIGINT,
    revoke_reason     TEXT,
    imported          BOOLEAN NOT NULL,
    created_at        BIGINT NOT NULL,
    created_by        TEXT NOT NULL,
    last_used_at      BIGINT,
    row_version       BIGINT NOT NULL
);
CREATE UNIQUE INDEX api_keys_by_name ON api_keys (environment_id, folded_name) WHERE revoked_at IS NULL;
CREATE INDEX api_keys_by_owner ON api_keys (owner_id, id);

-- Lists go along one of these in their order, everywhere or within a project or environment. A key that was never
-- used sorts as used in 1970; one that never expires sorts last.
CREATE INDEX api_keys_in_name_order ON api_keys (folded_name, id);
CREATE INDEX api_keys_in_use_order ON api_keys (coalesce(last_used_at, 0), id);
CREATE INDEX api_keys_in_expiry_order ON api_keys (coalesce(expires_at, 9223372036854775807), id);
CREATE INDEX api_keys_by_project ON api_keys (project_id, id);
CREATE INDEX api_keys_by_project_in_name_order ON api_keys (project_id, folded_name, id);
CREATE INDEX api_keys_by_project_in_use_order ON api_keys (project_id, coalesce(last_used_at, 0), id);
CREATE INDEX api_keys_by_project_in_expiry_order
    ON api_keys (project_id, coalesce(expires_at, 9223372036854775807), id);
CREATE INDEX api_keys_by_environment ON api_keys (environment_id, id);
CREATE INDEX api_keys_by_environment_in_name_order ON api_keys (environment_id, folded_name, id);

-- A key's tags once more, one a row, so that keys are found by them: `team`, `team=payments`.
CREATE TABLE key_tags (
    tag    TEXT NOT NULL,
    key_id TEXT NOT NULL REFERENCES api_keys (id),
    PRIMARY KEY (tag, key_id)
);
CREATE INDEX key_tags_by_key ON key_tags (key_id);

-- public_id is the id inside the value, or for an imported value a keyed fingerprint of it.
-- mac is over the value's text (or, when imported, its SHA-256) under the keyring key mac_key_id.
-- superseded_at is set by a rotation; stops_at is when this value stops being valid by overlap.
CREATE TABLE key_values (
    id            TEXT PRIMARY KEY,
    key_id        TEXT NOT NULL REFERENCES api_keys (id),
    public_id     TEXT NOT NULL UNIQUE,
    label         TEXT NOT NULL,
    imported      BOOLEAN NOT NULL,
    mac_key_id    TEXT NOT NULL,
    mac           BYTEA NOT NULL,
    created_at    BIGINT NOT NULL,
    created_by    TEXT NOT NULL,
    superseded_at BIGINT,
    stops_at      BIGINT,
    revoked_at    BIGINT,
    revoke_reason TEXT,
    destroyed_at  BIGINT,
    last_used_at  BIGINT
);
CREATE INDEX key_values_by_key ON key_values (key_id, created_at);
CREATE INDEX key_values_replaced ON key_values (key_id) WHERE superseded_at IS NOT NULL AND revoked_at IS NULL;

-- Verifications: per value, hour (whole hours since 1970) and caller; at most 200 callers each, the rest summed under
-- empty words. address and agent are what the verifying workload says of who showed the value.
CREATE TABLE key_usage (
    value_id    TEXT NOT NULL,
    hour        BIGINT NOT NULL,
    address     TEXT NOT NULL,
    agent       TEXT NOT NULL,
    workload_id TEXT NOT NULL,
    outcome     TEXT NOT NULL,
    key_id      TEXT NOT NULL,
    uses        BIGINT NOT NULL,
    first_at    BIGINT NOT NULL,
    last_at     BIGINT NOT NULL,
    PRIMARY KEY (value_id, hour, address, agent, workload_id, outcome)
);
CREATE INDEX key_usage_by_key ON key_usage (key_id, hour);
CREATE INDEX key_usage_by_hour ON key_usage (hour);

-- How many verifications of a key's window (from window_start, in seconds since 1970) the nodes have reserved.
CREATE TABLE rate_windows (
    key_id       TEXT NOT NULL,
    window_start BIGINT NOT NULL,
    reserved     BIGINT NOT NULL,
    PRIMARY KEY (key_id, window_start)
);
CREATE INDEX rate_windows_by_start ON rate_windows (window_start);
