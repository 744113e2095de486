-- After a restore, events that were kept elsewhere are applied before the doors open.

-- The change counter of the instant of the backup: what the first of those events is measured by.
ALTER TABLE restores ADD COLUMN counter INTEGER;
-- Up to when such events were applied; nothing until then. The gap that somebody accepts begins there.
ALTER TABLE restores ADD COLUMN events_until INTEGER;
