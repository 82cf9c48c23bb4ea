-- What another parser says of a refused document: where it reads one, there may be something to learn.

ALTER TABLE quarantine ADD COLUMN parsedmarc_reads BOOLEAN;
ALTER TABLE quarantine ADD COLUMN parsedmarc_says VARCHAR;
COMMENT ON COLUMN quarantine.parsedmarc_reads IS 'Whether parsedmarc reads the document that was refused; empty where it was not asked: a forbidden construct, a bound that was hit, an archive.';
COMMENT ON COLUMN quarantine.parsedmarc_says IS 'What parsedmarc read, in numbers, or why it refuses too; empty where it was not asked.';
