-- The organization (one row), its projects and their environments. Slugs and labels never change; a folded name is
-- what uniqueness compares.

CREATE TABLE organizations (
    id          TEXT PRIMARY KEY,
    name        TEXT NOT NULL,
    created_at  BIGINT NOT NULL
);

CREATE TABLE projects (
    id          TEXT PRIMARY KEY,
    slug        TEXT NOT NULL UNIQUE,
    name        TEXT NOT NULL,
    folded_name TEXT NOT NULL UNIQUE,
    created_at  BIGINT NOT NULL,
    created_by  TEXT NOT NULL,
    archived_at BIGINT,
    row_version BIGINT NOT NULL
);

CREATE TABLE environments (
    id                   TEXT PRIMARY KEY,
    project_id           TEXT NOT NULL REFERENCES projects (id),
    slug                 TEXT NOT NULL,
    name                 TEXT NOT NULL,
    folded_name          TEXT NOT NULL,
    label                TEXT NOT NULL,
    max_lifetime_seconds BIGINT,
    overlap_seconds      BIGINT NOT NULL,
    created_at           BIGINT NOT NULL,
    created_by           TEXT NOT NULL,
    row_version          BIGINT NOT NULL,
    UNIQUE (project_id, slug),
    UNIQUE (project_id, folded_name)
);
