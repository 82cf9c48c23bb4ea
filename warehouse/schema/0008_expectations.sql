-- What a decided source is expected to do, so that a decision can be held against what is seen.

ALTER TABLE source_decision ADD COLUMN expects VARCHAR;
ALTER TABLE source_decision ADD COLUMN cadence VARCHAR;
COMMENT ON COLUMN source_decision.expects IS 'What its mail shall align by: dkim, spf or both; empty where either will do.';
COMMENT ON COLUMN source_decision.cadence IS 'How often it sends: daily, weekly, monthly or quarterly; empty where nobody said.';

CREATE OR REPLACE VIEW current_decision AS
    SELECT decision_key, domain, source_key, decision, owner, note, until, decided_by, decided_at, expects, cadence
    FROM source_decision
    WHERE undoes IS NULL AND decision_key NOT IN (SELECT undoes FROM source_decision WHERE undoes IS NOT NULL)
    QUALIFY row_number() OVER (PARTITION BY domain, source_key ORDER BY decision_key DESC) = 1;
COMMENT ON VIEW current_decision IS 'The decision that counts for each domain and source: the latest that was not taken back.';
