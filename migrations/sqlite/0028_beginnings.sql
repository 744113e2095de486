-- Versions whose time begins are found by when, as those whose time ends are.
CREATE INDEX secret_versions_by_beginning ON secret_versions (not_before) WHERE not_before IS NOT NULL;
