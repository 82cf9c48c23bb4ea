-- The bytes of a refused message may go before its row.

ALTER TABLE quarantine ADD COLUMN dropped_at TIMESTAMP;
COMMENT ON COLUMN quarantine.dropped_at IS 'When its bytes were removed for their age (UTC), see retention.quarantine_days; they come back when it comes again.';
