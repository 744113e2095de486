-- What a solver showed of a version of a policy: one row for each version about which somebody asked, of the last time.

-- state is waiting, running or done. It was compared with what was in force at the revision of policy_set; of the environments
-- that the policy can touch, so many are compared. A node that is at it beyond claimed_until was cut off. detail is the request that
-- tells both sets apart, as JSON, or why nothing was shown.
CREATE TABLE policy_proofs (
    policy_id     TEXT NOT NULL,
    number        BIGINT NOT NULL,
    state         TEXT NOT NULL,
    asked_at      BIGINT NOT NULL,
    asked_by      TEXT NOT NULL,
    claimed_until BIGINT,
    environments  BIGINT NOT NULL,
    compared      BIGINT NOT NULL,
    revision      BIGINT,
    verdict       TEXT,
    detail        TEXT,
    solver        TEXT,
    ended_at      BIGINT,
    took_ms       BIGINT,
    PRIMARY KEY (policy_id, number),
    FOREIGN KEY (policy_id, number) REFERENCES policy_versions (policy_id, number)
);
CREATE INDEX policy_proofs_open ON policy_proofs (asked_at) WHERE state <> 'done';
