-- The newest schema that a node's program knows; 0: one from before it told. What older programs do not understand is written once
-- none of them runs.
ALTER TABLE nodes ADD COLUMN knows INTEGER NOT NULL DEFAULT 0;
