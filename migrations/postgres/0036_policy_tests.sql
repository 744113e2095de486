-- Questions that people saved with the answer they expect: they are asked again before a policy decides.

-- scope is the project's id, or `organization`: names are told apart within it. circumstances is JSON: the moment that is
-- supposed. expected is `allowed` or `refused`.
CREATE TABLE policy_tests (
    id            TEXT PRIMARY KEY,
    project_id    TEXT REFERENCES projects (id),
    scope         TEXT NOT NULL,
    name          TEXT NOT NULL,
    folded_name   TEXT NOT NULL,
    principal     TEXT NOT NULL,
    action        TEXT NOT NULL,
    resource      TEXT NOT NULL,
    circumstances TEXT NOT NULL,
    expected      TEXT NOT NULL,
    created_at    BIGINT NOT NULL,
    created_by    TEXT NOT NULL,
    UNIQUE (scope, folded_name)
);
