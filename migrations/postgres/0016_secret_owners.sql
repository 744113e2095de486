-- Every secret has an owner, a person or a team, and is found by it and by its tags.

ALTER TABLE secrets ADD COLUMN owner_kind TEXT NOT NULL DEFAULT '';
ALTER TABLE secrets ADD COLUMN owner_id TEXT NOT NULL DEFAULT '';

-- What was there before belongs to the active person who made it; else to who has managed its project for longest, a
-- person or a team; else to the first owner of the organization.
UPDATE secrets SET owner_id = coalesce(
    (SELECT u.id FROM users u WHERE u.id = secrets.created_by AND u.state = 'active'),
    (SELECT b.principal_id FROM role_bindings b
     WHERE b.project_id = secrets.project_id AND b.role = 'manager'
       AND (b.principal_id IN (SELECT id FROM teams)
            OR b.principal_id IN (SELECT id FROM users WHERE state = 'active'))
     ORDER BY b.created_at, b.id LIMIT 1),
    (SELECT b.principal_id FROM role_bindings b
     WHERE b.project_id IS NULL AND b.role = 'owner'
       AND (b.principal_id IN (SELECT id FROM teams)
            OR b.principal_id IN (SELECT id FROM users WHERE state = 'active'))
     ORDER BY b.created_at, b.id LIMIT 1),
    '');

-- A house that only machines have used so far: its secrets belong to the team that a secret without a named owner
-- belongs to from now on. Where that is not there yet it is made here, without an event, as its maker says.
INSERT INTO teams (id, slug, name, folded_name, created_at, created_by, row_version)
SELECT 'team_01KB4M4G000000000000000016', 'operators', 'Operators', 'operators',
       (SELECT clock_high_water FROM instance), 'migration-0016', 1
WHERE EXISTS (SELECT 1 FROM secrets WHERE owner_id = '')
  AND NOT EXISTS (SELECT 1 FROM teams WHERE slug = 'operators' OR folded_name = 'operators');
UPDATE secrets SET owner_id = (SELECT id FROM teams WHERE slug = 'operators' OR folded_name = 'operators'
                               ORDER BY CASE slug WHEN 'operators' THEN 0 ELSE 1 END LIMIT 1)
WHERE owner_id = '';
UPDATE secrets SET owner_kind = CASE WHEN owner_id IN (SELECT id FROM teams) THEN 'team' ELSE 'person' END;

-- A secret's tags once more, one a row: `team`, `team=payments`. folded_tag is what a search compares.
CREATE TABLE secret_tags (
    tag        TEXT NOT NULL,
    secret_id  TEXT NOT NULL REFERENCES secrets (id),
    folded_tag TEXT NOT NULL,
    PRIMARY KEY (tag, secret_id)
);
CREATE INDEX secret_tags_by_secret ON secret_tags (secret_id, folded_tag);
INSERT INTO secret_tags (tag, secret_id, folded_tag)
SELECT t.value, s.id, lower(t.value) FROM secrets s, json_array_elements_text(s.tags::json) AS t (value);

-- Lists go along the path within what somebody owns, too. The owner stands in every list's index: a search passes over
-- rows without reading them.
CREATE INDEX secrets_by_owner ON secrets (owner_id, folded_path, id) WHERE purged_at IS NULL;
DROP INDEX secrets_in_path_order;
CREATE INDEX secrets_in_path_order ON secrets (folded_path, id, owner_id) WHERE purged_at IS NULL;
DROP INDEX secrets_by_project;
CREATE INDEX secrets_by_project ON secrets (project_id, folded_path, id, owner_id) WHERE purged_at IS NULL;
DROP INDEX secrets_by_environment;
CREATE INDEX secrets_by_environment ON secrets (environment_id, folded_path, id, owner_id) WHERE purged_at IS NULL;
