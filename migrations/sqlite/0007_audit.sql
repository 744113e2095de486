-- Audit events: bytes is the canonical event (RFC 8785) and never changes; the other columns only find it.

CREATE TABLE events (
    id            TEXT PRIMARY KEY,
    at            INTEGER NOT NULL,
    action        TEXT NOT NULL,
    outcome       TEXT NOT NULL,
    actor_kind    TEXT NOT NULL,
    actor_id      TEXT NOT NULL,
    resource_kind TEXT NOT NULL,
    resource_id   TEXT NOT NULL,
    project_id    TEXT,
    request_id    TEXT NOT NULL,
    session_id    TEXT,
    bytes         BLOB NOT NULL
) STRICT;
CREATE INDEX events_by_time ON events (at, id);
CREATE INDEX events_by_actor ON events (actor_id, id);
CREATE INDEX events_by_action ON events (action, id);
CREATE INDEX events_by_resource ON events (resource_id, id);
CREATE INDEX events_by_project ON events (project_id, id);

-- What tells of a person, sealed under the key of the subject whom it is about; the event holds salted hashes.
CREATE TABLE event_personal (
    event_id   TEXT NOT NULL REFERENCES events (id),
    subject_id TEXT NOT NULL,
    sealed     BLOB NOT NULL,
    PRIMARY KEY (event_id, subject_id)
) STRICT;

CREATE TABLE subjects (
    id         TEXT PRIMARY KEY,
    sealed_key BLOB,
    created_at INTEGER NOT NULL,
    erased_at  INTEGER
) STRICT;

-- Distinct decisions of the last 30 days, for replaying policies: how often, first and last.
CREATE TABLE decision_log (
    digest        BLOB PRIMARY KEY,
    principal     TEXT NOT NULL,
    action        TEXT NOT NULL,
    resource      TEXT NOT NULL,
    context       TEXT NOT NULL,
    allowed       INTEGER NOT NULL,
    policies      TEXT NOT NULL,
    times         INTEGER NOT NULL,
    first_at      INTEGER NOT NULL,
    last_at       INTEGER NOT NULL
) STRICT;
CREATE INDEX decision_log_by_last ON decision_log (last_at);
