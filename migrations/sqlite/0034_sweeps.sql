-- Answers that are kept to be repeated lose their secrets after some minutes: those that still have one are found by this.
CREATE INDEX idempotency_sealed ON idempotency (created_at) WHERE sealed IS NOT NULL;
