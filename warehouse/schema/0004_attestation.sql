-- Whether a report is genuine: who signed the mail that it came in, and what speaks against it.

ALTER TABLE aggregate_report ADD COLUMN attestation VARCHAR DEFAULT 'unattested';
ALTER TABLE aggregate_report ADD COLUMN attested_by VARCHAR;
ALTER TABLE aggregate_report ADD COLUMN attestation_status VARCHAR DEFAULT 'not checked';
ALTER TABLE aggregate_report ADD COLUMN doubt VARCHAR DEFAULT '';
ALTER TABLE aggregate_record ADD COLUMN doubt VARCHAR DEFAULT '';
ALTER TABLE daily ADD COLUMN doubt VARCHAR DEFAULT '';
COMMENT ON COLUMN aggregate_report.attestation IS 'verified (its mail is signed by a domain of the reporter''s), mismatch (by other domains only), unverified (no valid signature), unattested (no mail at hand).';
COMMENT ON COLUMN aggregate_report.attested_by IS 'The signing domain (d= of the DKIM signature) that decided, where there is one.';
COMMENT ON COLUMN aggregate_report.attestation_status IS 'How that signature fared: valid, no key, temperror, body changed …';
COMMENT ON COLUMN aggregate_report.doubt IS 'What speaks against its being genuine: mismatch, unverified, or unprovable where honest mail may end so too (DNS gave no answer, or the key of an old mail is gone). Empty where nothing does.';
COMMENT ON COLUMN aggregate_record.doubt IS 'doubt of its report.';
COMMENT ON COLUMN daily.doubt IS 'doubt of the reports counted in this row.';
