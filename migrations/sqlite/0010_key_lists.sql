-- What a list of keys is narrowed by stands in the index that it goes along: rows that do not fit are passed over without
-- being read. A word within names is sought the same way: a hundred thousand names are a few megabytes of index.

DROP INDEX api_keys_by_project;
CREATE INDEX api_keys_by_project
    ON api_keys (project_id, id, folded_name, revoked_at, revoke_reason, suspended_at, not_before, expires_at);
DROP INDEX api_keys_by_environment;
CREATE INDEX api_keys_by_environment
    ON api_keys (environment_id, id, folded_name, revoked_at, revoke_reason, suspended_at, not_before, expires_at);
-- It holds what a list joins by as well: only an index that decides every condition is preferred to the primary key's.
CREATE INDEX api_keys_in_order
    ON api_keys (id, folded_name, project_id, environment_id, owner_id,
                 revoked_at, revoke_reason, suspended_at, not_before, expires_at);
