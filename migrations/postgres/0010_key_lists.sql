-- What a list of keys is narrowed by stands in the index that it goes along: rows that do not fit are passed over without
-- being read. A word within names is sought by its trigrams where pg_trgm is there (it comes with PostgreSQL's contrib
-- modules, and an owner of the database may create it); otherwise names are read one by one, which is slower and right.

DROP INDEX api_keys_by_project;
CREATE INDEX api_keys_by_project
    ON api_keys (project_id, id, folded_name, revoked_at, revoke_reason, suspended_at, not_before, expires_at);
DROP INDEX api_keys_by_environment;
CREATE INDEX api_keys_by_environment
    ON api_keys (environment_id, id, folded_name, revoked_at, revoke_reason, suspended_at, not_before, expires_at);
CREATE INDEX api_keys_in_order
    ON api_keys (id, folded_name, revoked_at, revoke_reason, suspended_at, not_before, expires_at);

DO $$
BEGIN
    CREATE EXTENSION IF NOT EXISTS pg_trgm;
    CREATE INDEX api_keys_by_part_of_name ON api_keys USING gin (folded_name gin_trgm_ops);
EXCEPTION
    WHEN insufficient_privilege OR undefined_file OR feature_not_supported OR undefined_object THEN
        RAISE NOTICE 'names of keys are searched without trigrams: %', SQLERRM;
END
$$;
