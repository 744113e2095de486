-- Templates: versions of secrets whose text refers to other secrets.

-- Whether references in the value are resolved when it is read. It never changes.
ALTER TABLE secret_versions ADD COLUMN template INTEGER NOT NULL DEFAULT 0;

-- What a template's text refers to, in the order of the text: `${project/environment/path#field}`, as it is written. Slugs
-- never change, and a path never does: where it leads is looked up, so that it may be there later, or come back. A destroyed
-- version has none any more.
CREATE TABLE secret_references (
    version_id  TEXT NOT NULL REFERENCES secret_versions (id),
    position    INTEGER NOT NULL,
    project     TEXT NOT NULL,
    environment TEXT NOT NULL,
    path        TEXT NOT NULL,
    field       TEXT,
    PRIMARY KEY (version_id, position)
) STRICT;
CREATE INDEX secret_references_by_target ON secret_references (project, environment, path);
