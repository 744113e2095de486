-- The seals that a node was started with, one a line: none of them goes while it runs.
ALTER TABLE nodes ADD COLUMN unseals_by TEXT NOT NULL DEFAULT '';
