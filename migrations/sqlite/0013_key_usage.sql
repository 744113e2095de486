-- Uses lie by hour: what is counted now lies together, however many keys there are, and what has had its days goes as one
-- piece. Without a rowid there is one tree less to write.

CREATE TABLE key_usage_by_hours (
    value_id    TEXT NOT NULL,
    hour        INTEGER NOT NULL,
    address     TEXT NOT NULL,
    agent       TEXT NOT NULL,
    workload_id TEXT NOT NULL,
    outcome     TEXT NOT NULL,
    key_id      TEXT NOT NULL,
    uses        INTEGER NOT NULL,
    first_at    INTEGER NOT NULL,
    last_at     INTEGER NOT NULL,
    PRIMARY KEY (hour, value_id, address, agent, workload_id, outcome)
) STRICT, WITHOUT ROWID;
INSERT INTO key_usage_by_hours
    SELECT value_id, hour, address, agent, workload_id, outcome, key_id, uses, first_at, last_at FROM key_usage
    ORDER BY hour, value_id;
DROP TABLE key_usage;
ALTER TABLE key_usage_by_hours RENAME TO key_usage;
CREATE INDEX key_usage_by_key ON key_usage (key_id, hour);
