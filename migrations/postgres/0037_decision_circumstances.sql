-- How the latest of each distinct decision was asked, for replaying policies that look at the moment. method is empty where that
-- is not known: an older program wrote it. An address tells of a person: it is sealed under the key of whoever asked, as in
-- events, and gone when that key is destroyed. It is NULL where there was none, and empty where there was one that could not be kept.

ALTER TABLE decision_log ADD COLUMN method TEXT;
ALTER TABLE decision_log ADD COLUMN passkey_age BIGINT;
ALTER TABLE decision_log ADD COLUMN sealed_address BYTEA;

-- A replay looks for the actions that a policy speaks of, the latest first.
CREATE INDEX decision_log_by_action ON decision_log (action, last_at);
