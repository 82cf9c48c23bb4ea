-- What becomes of each finding.

CREATE TABLE finding (
    finding_key    VARCHAR NOT NULL,
    kind           VARCHAR NOT NULL,
    code           VARCHAR NOT NULL,
    domain         VARCHAR NOT NULL,
    source_key     VARCHAR,
    severity       VARCHAR NOT NULL,
    impact         DOUBLE NOT NULL,
    messages       BIGINT NOT NULL,
    since          DATE NOT NULL,
    title          VARCHAR NOT NULL,
    why            VARCHAR NOT NULL,
    fix            VARCHAR NOT NULL,
    page           VARCHAR NOT NULL,
    source_owner   VARCHAR,
    state          VARCHAR NOT NULL,
    reason         VARCHAR NOT NULL,
    opened_on      DATE NOT NULL,
    changed_on     DATE NOT NULL,
    last_found_on  DATE NOT NULL,
    found          BOOLEAN NOT NULL,
    owner          VARCHAR,
    note           VARCHAR,
    snoozed_until  DATE,
    fixed_on       DATE,
    worst          VARCHAR,
    reopened       INTEGER NOT NULL
);
COMMENT ON TABLE finding IS 'One row for each cause that was ever found; every change of its state stands in the journal.';
COMMENT ON COLUMN finding.finding_key IS 'Its id, from kind, domain and cause: the same whenever the same cause is found again.';
COMMENT ON COLUMN finding.kind IS 'What it is about: alignment, decision, spf_alone, spoofing …';
COMMENT ON COLUMN finding.code IS 'What was found when somebody looked last.';
COMMENT ON COLUMN finding.domain IS 'The domain it is about.';
COMMENT ON COLUMN finding.source_key IS 'The source it is about, where it is about one.';
COMMENT ON COLUMN finding.severity IS 'critical, high, medium or info, when somebody looked last.';
COMMENT ON COLUMN finding.impact IS 'Messages of legitimate mail at stake × weight of the domain × certainty.';
COMMENT ON COLUMN finding.messages IS 'Messages that it touches.';
COMMENT ON COLUMN finding.since IS 'The day from which reports show it.';
COMMENT ON COLUMN finding.title IS 'One plain sentence.';
COMMENT ON COLUMN finding.why IS 'The evidence.';
COMMENT ON COLUMN finding.fix IS 'The next step.';
COMMENT ON COLUMN finding.page IS 'The app''s page that holds the evidence.';
COMMENT ON COLUMN finding.source_owner IS 'Owner of its source, as decided.';
COMMENT ON COLUMN finding.state IS 'open, fixed (somebody says that the fix is published), verified (reports show it) or closed.';
COMMENT ON COLUMN finding.reason IS 'Why it is in this state.';
COMMENT ON COLUMN finding.opened_on IS 'The day on which it was first told (UTC).';
COMMENT ON COLUMN finding.changed_on IS 'The day on which it came into its state (UTC).';
COMMENT ON COLUMN finding.last_found_on IS 'The newest report day of the last look that found it.';
COMMENT ON COLUMN finding.found IS 'Whether the last look found it.';
COMMENT ON COLUMN finding.owner IS 'Who it was given to; empty for its source''s or domain''s owner.';
COMMENT ON COLUMN finding.note IS 'What a person noted.';
COMMENT ON COLUMN finding.snoozed_until IS 'Last day on which nobody wants to hear of it.';
COMMENT ON COLUMN finding.fixed_on IS 'The last day that may still show the fault.';
COMMENT ON COLUMN finding.worst IS 'Its severity when it was closed.';
COMMENT ON COLUMN finding.reopened IS 'How often it came back.';
