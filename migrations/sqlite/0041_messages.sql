-- What the house tells people and other systems of itself: messages, the channels that carry them, and how each delivery went.

-- user_id is whose own channel it is; without one it is the organization's. sealed is where it leads and what signs, under the
-- key of its person or of the house, as what events tell of people. kinds holds kinds of messages as `account,seal`, or nothing
-- where it carries all of them. Until old_until the secret before this one signs as well.
CREATE TABLE channels (
    id          TEXT PRIMARY KEY,
    kind        TEXT NOT NULL,
    user_id     TEXT REFERENCES users (id),
    name        TEXT NOT NULL,
    sealed      BLOB NOT NULL,
    kinds       TEXT NOT NULL,
    paused_at   INTEGER,
    old_until   INTEGER,
    created_at  INTEGER NOT NULL,
    created_by  TEXT NOT NULL,
    row_version INTEGER NOT NULL
) STRICT;
CREATE INDEX channels_by_user ON channels (user_id, id);

-- Written with the event that it tells of. facts is JSON, from the event. once keeps the same thing from being told twice.
-- routed_at is when it was said who is told.
CREATE TABLE messages (
    id            TEXT PRIMARY KEY,
    kind          TEXT NOT NULL,
    event_id      TEXT NOT NULL,
    event         TEXT NOT NULL,
    actor_kind    TEXT NOT NULL,
    actor_id      TEXT NOT NULL,
    resource_kind TEXT NOT NULL,
    resource_id   TEXT NOT NULL,
    project_id    TEXT,
    facts         TEXT NOT NULL,
    once          TEXT UNIQUE,
    at            INTEGER NOT NULL,
    routed_at     INTEGER
) STRICT;
CREATE INDEX messages_to_route ON messages (id) WHERE routed_at IS NULL;
CREATE INDEX messages_by_time ON messages (at);

-- One for each message and channel. claim is whose turn it is until claimed_until; error is what the last attempt came to.
CREATE TABLE deliveries (
    id            TEXT PRIMARY KEY,
    message_id    TEXT NOT NULL REFERENCES messages (id),
    channel_id    TEXT NOT NULL REFERENCES channels (id),
    state         TEXT NOT NULL,
    attempts      INTEGER NOT NULL,
    due_at        INTEGER NOT NULL,
    claim         TEXT,
    claimed_until INTEGER,
    error         TEXT,
    created_at    INTEGER NOT NULL,
    ended_at      INTEGER,
    UNIQUE (message_id, channel_id)
) STRICT;
CREATE INDEX deliveries_by_channel ON deliveries (channel_id, id);
CREATE INDEX deliveries_by_state ON deliveries (state, id);
CREATE INDEX deliveries_waiting ON deliveries (channel_id, due_at) WHERE state = 'waiting';

-- Kinds of messages that a person does not want to be told of.
CREATE TABLE silenced_kinds (
    user_id TEXT NOT NULL REFERENCES users (id),
    kind    TEXT NOT NULL,
    PRIMARY KEY (user_id, kind)
) STRICT;

-- A notice that a message was made into; without one it was written by what happened itself.
ALTER TABLE notices ADD COLUMN message_id TEXT REFERENCES messages (id);
CREATE INDEX notices_unread ON notices (user_id) WHERE dismissed_at IS NULL;
CREATE INDEX notices_by_message ON notices (message_id) WHERE message_id IS NOT NULL;
