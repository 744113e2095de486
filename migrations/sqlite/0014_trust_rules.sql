-- Signing in without a static secret: which issuers' tokens a workload may exchange for a service token.

-- claims is a JSON object of names and values. The issuer's keys are at jwks_url, or in jwks, or where the issuer's own
-- discovery document says when both are null.
CREATE TABLE trust_rules (
    id           TEXT PRIMARY KEY,
    workload_id  TEXT NOT NULL REFERENCES workloads (id),
    issuer       TEXT NOT NULL,
    audience     TEXT NOT NULL,
    claims       TEXT NOT NULL,
    jwks_url     TEXT,
    jwks         TEXT,
    single_use   INTEGER NOT NULL,
    created_at   INTEGER NOT NULL,
    created_by   TEXT NOT NULL,
    last_used_at INTEGER,
    row_version  INTEGER NOT NULL
) STRICT;
CREATE INDEX trust_rules_by_workload ON trust_rules (workload_id, id);
CREATE INDEX trust_rules_by_issuer ON trust_rules (issuer, id);

-- The last token of each rule's issuer that was signed well and refused: its claims, sealed under the workload's key.
CREATE TABLE refused_tokens (
    rule_id TEXT PRIMARY KEY REFERENCES trust_rules (id),
    at      INTEGER NOT NULL,
    why     TEXT NOT NULL,
    sealed  BLOB NOT NULL
) STRICT;

-- What may be exchanged once and was, until it has expired.
CREATE TABLE exchanged_tokens (
    digest     BLOB PRIMARY KEY,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX exchanged_tokens_by_expiry ON exchanged_tokens (expires_at);

-- The rule that gave a service token by exchange; the rule itself may be gone.
ALTER TABLE service_tokens ADD COLUMN rule_id TEXT;
CREATE INDEX service_tokens_by_exchange ON service_tokens (expires_at) WHERE rule_id IS NOT NULL;
