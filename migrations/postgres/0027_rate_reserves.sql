-- How many verifications of a key's window the nodes have reserved: as `rate_windows`, which knows no lengths, so that a
-- limit whose window was edited went on counting in the one before. That table is for programs of older schemas beside this
-- one: nothing here reads or writes it.

CREATE TABLE rate_reserves (
    key_id         TEXT NOT NULL,
    window_start   BIGINT NOT NULL,
    window_seconds BIGINT NOT NULL,
    reserved       BIGINT NOT NULL,
    PRIMARY KEY (key_id, window_start, window_seconds)
);
CREATE INDEX rate_reserves_by_start ON rate_reserves (window_start);
