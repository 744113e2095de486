-- Ceremonies of one session, link or browser, in the order of their ends: of each the latest few stay, and what a session began
-- goes with it.
CREATE INDEX ceremonies_by_bound ON ceremonies (bound_to, expires_at, id);
