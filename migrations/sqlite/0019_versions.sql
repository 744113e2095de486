-- Versions of secrets: deleted and restored by themselves, good for some time only, and what was current at an instant.

-- restores_to is the state that a deleted version comes back to; at purge_at it is destroyed. A value is read from
-- not_before on and until expires_at; neither ever changes.
ALTER TABLE secret_versions ADD COLUMN restores_to TEXT;
ALTER TABLE secret_versions ADD COLUMN deleted_at INTEGER;
ALTER TABLE secret_versions ADD COLUMN purge_at INTEGER;
ALTER TABLE secret_versions ADD COLUMN not_before INTEGER;
ALTER TABLE secret_versions ADD COLUMN expires_at INTEGER;
CREATE INDEX secret_versions_to_purge ON secret_versions (purge_at) WHERE purge_at IS NOT NULL;
CREATE INDEX secret_versions_by_expiry ON secret_versions (expires_at) WHERE expires_at IS NOT NULL;

-- What was so of a secret from `at` on: the number that `current` pointed at, and whether the secret was there, deleted or
-- purged. seq is the secret's row_version after the change; as it rises, at never falls.
CREATE TABLE secret_history (
    secret_id TEXT NOT NULL REFERENCES secrets (id),
    seq       INTEGER NOT NULL,
    at        INTEGER NOT NULL,
    number    INTEGER,
    state     TEXT NOT NULL,
    PRIMARY KEY (secret_id, seq)
) STRICT;
CREATE INDEX secret_history_by_time ON secret_history (secret_id, at, seq);

-- A folder as it was has its purged secrets, too.
CREATE INDEX secrets_ever ON secrets (environment_id, folded_path, id);

-- What was before is in the record of each secret.
INSERT INTO secret_history (secret_id, seq, at, number, state)
WITH told AS (
    SELECT e.resource_id AS secret_id, e.at, e.action,
           row_number() OVER (PARTITION BY e.resource_id ORDER BY e.id) AS seq,
           CASE WHEN e.action = 'secret.create'
                THEN CASE WHEN json_extract(CAST(e.bytes AS TEXT), '$.facts.label') = 'current' THEN 1 END
                WHEN e.action = 'secret.label'
                THEN CASE WHEN json_extract(CAST(e.bytes AS TEXT), '$.facts.label') = 'current'
                          THEN json_extract(CAST(e.bytes AS TEXT), '$.changes.version.to') END
                ELSE json_extract(CAST(e.bytes AS TEXT), '$.changes.current.to') END AS moved
    FROM events e JOIN secrets s ON s.id = e.resource_id
    WHERE e.outcome = 'allowed'
      AND e.action IN ('secret.create', 'secret.delete', 'secret.label', 'secret.purge', 'secret.put', 'secret.restore',
                       'secret.rotate-data-key')
), counted AS (
    SELECT told.*, count(moved) OVER (PARTITION BY secret_id ORDER BY seq) AS spell FROM told
)
SELECT secret_id, seq, at,
       CASE WHEN action <> 'secret.purge' THEN max(moved) OVER (PARTITION BY secret_id, spell) END,
       CASE action WHEN 'secret.delete' THEN 'deleted' WHEN 'secret.purge' THEN 'purged' ELSE 'there' END
FROM counted;

-- Changes of one moment may be told in another order than they were made in: the last word is what is so now.
UPDATE secret_history
SET number = (SELECT l.number FROM secret_labels l
              WHERE l.secret_id = secret_history.secret_id AND l.label = 'current'),
    state = (SELECT CASE WHEN s.purged_at IS NOT NULL THEN 'purged' WHEN s.deleted_at IS NOT NULL THEN 'deleted'
                         ELSE 'there' END
             FROM secrets s WHERE s.id = secret_history.secret_id)
WHERE seq = (SELECT max(h.seq) FROM secret_history h WHERE h.secret_id = secret_history.secret_id);
