-- What people decided, and the log of it.

CREATE SEQUENCE decision_key_seq;
CREATE SEQUENCE entry_key_seq;

CREATE TABLE source_decision (
    decision_key  BIGINT NOT NULL,
    domain        VARCHAR NOT NULL,
    source_key    VARCHAR NOT NULL,
    decision      VARCHAR NOT NULL,
    owner         VARCHAR,
    note          VARCHAR,
    until         DATE,
    decided_by    VARCHAR NOT NULL,
    decided_at    TIMESTAMP NOT NULL,
    undoes        BIGINT
);
COMMENT ON TABLE source_decision IS 'What people decided about sources. Rows are only added; current_decision holds what counts.';
COMMENT ON COLUMN source_decision.decision_key IS 'Our key of the decision; rises with time.';
COMMENT ON COLUMN source_decision.domain IS 'The domain it holds for.';
COMMENT ON COLUMN source_decision.source_key IS 'The source it is about.';
COMMENT ON COLUMN source_decision.decision IS 'approved, forwarder, spoof or retired; undecided in a row that takes another back.';
COMMENT ON COLUMN source_decision.owner IS 'The person or team to act.';
COMMENT ON COLUMN source_decision.note IS 'Why.';
COMMENT ON COLUMN source_decision.until IS 'Last day it holds; empty for no end.';
COMMENT ON COLUMN source_decision.decided_by IS 'Who decided.';
COMMENT ON COLUMN source_decision.decided_at IS 'When (UTC).';
COMMENT ON COLUMN source_decision.undoes IS 'The decision that this row takes back (source_decision.decision_key).';

CREATE VIEW current_decision AS
    SELECT decision_key, domain, source_key, decision, owner, note, until, decided_by, decided_at
    FROM source_decision
    WHERE undoes IS NULL AND decision_key NOT IN (SELECT undoes FROM source_decision WHERE undoes IS NOT NULL)
    QUALIFY row_number() OVER (PARTITION BY domain, source_key ORDER BY decision_key DESC) = 1;
COMMENT ON VIEW current_decision IS 'The decision that counts for each domain and source: the latest that was not taken back.';

CREATE TABLE journal (
    entry_key  BIGINT NOT NULL,
    written_at TIMESTAMP NOT NULL,
    actor      VARCHAR NOT NULL,
    action     VARCHAR NOT NULL,
    subject    VARCHAR NOT NULL,
    before     JSON,
    after      JSON,
    previous   VARCHAR NOT NULL,
    hash       VARCHAR NOT NULL
);
COMMENT ON TABLE journal IS 'Who did what: append-only, each entry carries the hash of the one before.';
COMMENT ON COLUMN journal.entry_key IS 'Our key of the entry; rises with time.';
COMMENT ON COLUMN journal.written_at IS 'When (UTC).';
COMMENT ON COLUMN journal.actor IS 'Who.';
COMMENT ON COLUMN journal.action IS 'What was done, as noun.verb.';
COMMENT ON COLUMN journal.subject IS 'What it was done to.';
COMMENT ON COLUMN journal.before IS 'The state before.';
COMMENT ON COLUMN journal.after IS 'The state after.';
COMMENT ON COLUMN journal.previous IS 'Hash of the entry before; empty for the first.';
COMMENT ON COLUMN journal.hash IS 'SHA-256 of this entry with previous.';
