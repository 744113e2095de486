-- Uses lie by hour: what is counted now lies together, however many keys there are, and what has had its days goes as one
-- piece.

ALTER TABLE key_usage DROP CONSTRAINT key_usage_pkey;
ALTER TABLE key_usage ADD PRIMARY KEY (hour, value_id, address, agent, workload_id, outcome);
DROP INDEX key_usage_by_hour;
