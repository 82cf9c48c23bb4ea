-- Reports as received, and the daily rollup that every chart reads.
--
-- No column has a sequence as its default: DuckDB 1.5 cannot replay its log over a COMMENT on such a
-- table, so a crash right after this file was applied would leave a warehouse that never opens again.

CREATE SEQUENCE report_key_seq;
CREATE SEQUENCE run_key_seq;
CREATE SEQUENCE quarantine_key_seq;

CREATE TABLE load_run (
    run_key      BIGINT NOT NULL,
    input        VARCHAR NOT NULL,
    started_at   TIMESTAMP NOT NULL,
    ended_at     TIMESTAMP NOT NULL,
    seen         BIGINT NOT NULL,
    stored       BIGINT NOT NULL,
    duplicates   BIGINT NOT NULL,
    quarantined  BIGINT NOT NULL,
    not_reports  BIGINT NOT NULL,
    reports      BIGINT NOT NULL,
    records      BIGINT NOT NULL,
    messages     BIGINT NOT NULL
);
COMMENT ON TABLE load_run IS 'One row for each ingest or poll: what was seen and how it ended. seen = stored + duplicates + quarantined + not_reports.';
COMMENT ON COLUMN load_run.run_key IS 'Our key of the run.';
COMMENT ON COLUMN load_run.input IS 'What was read: a mailbox name or the paths given.';
COMMENT ON COLUMN load_run.started_at IS 'When the run began (UTC).';
COMMENT ON COLUMN load_run.ended_at IS 'When its last batch was committed (UTC).';
COMMENT ON COLUMN load_run.seen IS 'Messages (mails or files) fetched.';
COMMENT ON COLUMN load_run.stored IS 'Messages with at least one new report and none refused.';
COMMENT ON COLUMN load_run.duplicates IS 'Messages whose reports were all stored before.';
COMMENT ON COLUMN load_run.quarantined IS 'Messages kept in quarantine.';
COMMENT ON COLUMN load_run.not_reports IS 'Messages that hold no report.';
COMMENT ON COLUMN load_run.reports IS 'Reports stored.';
COMMENT ON COLUMN load_run.records IS 'Records stored.';
COMMENT ON COLUMN load_run.messages IS 'Sum of messages in the records stored.';

CREATE TABLE message (
    run_key      BIGINT NOT NULL,
    origin       VARCHAR NOT NULL,
    size         BIGINT NOT NULL,
    received_at  TIMESTAMP,
    seen_at      TIMESTAMP NOT NULL,
    outcome      VARCHAR NOT NULL,
    reason       VARCHAR,
    sentence     VARCHAR,
    reports      INTEGER NOT NULL
);
COMMENT ON TABLE message IS 'How each message that was fetched ended: exactly one row and one outcome for each.';
COMMENT ON COLUMN message.run_key IS 'The run that fetched it (load_run.run_key).';
COMMENT ON COLUMN message.origin IS 'Where it came from: a path, or mailbox, folder and UID.';
COMMENT ON COLUMN message.size IS 'Size of the original in bytes.';
COMMENT ON COLUMN message.received_at IS 'When the mailbox received it (UTC), where known.';
COMMENT ON COLUMN message.seen_at IS 'When we fetched it (UTC).';
COMMENT ON COLUMN message.outcome IS 'stored, duplicate, quarantined or not_a_report.';
COMMENT ON COLUMN message.reason IS 'Reason code, where quarantined.';
COMMENT ON COLUMN message.sentence IS 'The reason in words, or what the message is instead of a report.';
COMMENT ON COLUMN message.reports IS 'New reports that it brought.';

CREATE TABLE mailbox_cursor (
    mailbox      VARCHAR NOT NULL,
    folder       VARCHAR NOT NULL,
    uidvalidity  BIGINT NOT NULL,
    uid          BIGINT NOT NULL,
    updated_at   TIMESTAMP NOT NULL
);
COMMENT ON TABLE mailbox_cursor IS 'How far each mailbox folder has been read; moves in the same transaction as the rows.';
COMMENT ON COLUMN mailbox_cursor.mailbox IS 'Name of the mailbox in the configuration.';
COMMENT ON COLUMN mailbox_cursor.folder IS 'Folder name.';
COMMENT ON COLUMN mailbox_cursor.uidvalidity IS 'UIDVALIDITY of the folder; when the server changes it, everything is read again.';
COMMENT ON COLUMN mailbox_cursor.uid IS 'Highest UID whose outcome is committed.';
COMMENT ON COLUMN mailbox_cursor.updated_at IS 'When it moved last (UTC).';

CREATE TABLE mailbox_action (
    mailbox      VARCHAR NOT NULL,
    folder       VARCHAR NOT NULL,
    uidvalidity  BIGINT NOT NULL,
    uid          BIGINT NOT NULL
);
COMMENT ON TABLE mailbox_action IS 'Messages that are committed but not yet marked or moved in the mailbox; done again after a crash.';
COMMENT ON COLUMN mailbox_action.mailbox IS 'Name of the mailbox in the configuration.';
COMMENT ON COLUMN mailbox_action.folder IS 'Folder name.';
COMMENT ON COLUMN mailbox_action.uidvalidity IS 'UIDVALIDITY of the folder when it was read.';
COMMENT ON COLUMN mailbox_action.uid IS 'UID of the message.';

CREATE TABLE raw_document (
    document_hash  VARCHAR NOT NULL,
    size           BIGINT NOT NULL,
    data           BLOB NOT NULL
);
COMMENT ON TABLE raw_document IS 'The documents reports were parsed from, once each, so that all can be parsed again.';
COMMENT ON COLUMN raw_document.document_hash IS 'BLAKE2b-128 of the document, in hexadecimal.';
COMMENT ON COLUMN raw_document.size IS 'Size of the document in bytes before compression.';
COMMENT ON COLUMN raw_document.data IS 'The document, Zstandard-compressed.';

CREATE TABLE aggregate_report (
    report_key          BIGINT NOT NULL,
    identity_hash       VARCHAR NOT NULL,
    content_hash        VARCHAR NOT NULL,
    document_hash       VARCHAR NOT NULL,
    run_key             BIGINT NOT NULL,
    origin              VARCHAR NOT NULL,
    received_at         TIMESTAMP,
    stored_at           TIMESTAMP NOT NULL,
    parser_version      INTEGER NOT NULL,
    standard            VARCHAR NOT NULL,
    version             VARCHAR,
    reporter            VARCHAR NOT NULL,
    email               VARCHAR NOT NULL,
    extra_contact_info  VARCHAR,
    report_id           VARCHAR NOT NULL,
    begin_at            TIMESTAMP NOT NULL,
    end_at              TIMESTAMP NOT NULL,
    day                 DATE NOT NULL,
    days                INTEGER NOT NULL,
    errors              VARCHAR[] NOT NULL,
    generator           VARCHAR,
    domain              VARCHAR NOT NULL,
    adkim               VARCHAR,
    aspf                VARCHAR,
    p                   VARCHAR,
    sp                  VARCHAR,
    np                  VARCHAR,
    pct                 INTEGER,
    fo                  VARCHAR,
    testing             VARCHAR,
    discovery_method    VARCHAR,
    records             INTEGER NOT NULL,
    messages            BIGINT NOT NULL,
    repairs             STRUCT(code VARCHAR, what VARCHAR, "where" VARCHAR)[] NOT NULL,
    pruned_at           TIMESTAMP
);
COMMENT ON TABLE aggregate_report IS 'One row for each aggregate report (RFC 7489 appendix C, RFC 9990), stored once however it was wrapped or resent.';
COMMENT ON COLUMN aggregate_report.report_key IS 'Our key of the report.';
COMMENT ON COLUMN aggregate_report.identity_hash IS 'BLAKE2b-128 of reporter, domain, report_id, begin and end: the same report has the same.';
COMMENT ON COLUMN aggregate_report.content_hash IS 'BLAKE2b-128 of what the report says, whatever its wrapping and order.';
COMMENT ON COLUMN aggregate_report.document_hash IS 'The document it was parsed from (raw_document.document_hash).';
COMMENT ON COLUMN aggregate_report.run_key IS 'The run that stored it (load_run.run_key).';
COMMENT ON COLUMN aggregate_report.origin IS 'Where it came from: a path, or mailbox, folder and UID.';
COMMENT ON COLUMN aggregate_report.received_at IS 'When the mailbox received it (UTC), where known.';
COMMENT ON COLUMN aggregate_report.stored_at IS 'When it was stored (UTC).';
COMMENT ON COLUMN aggregate_report.parser_version IS 'Version of the parser that read it; see whosends reparse.';
COMMENT ON COLUMN aggregate_report.standard IS 'The standard its form follows: 7489 or 9990.';
COMMENT ON COLUMN aggregate_report.version IS 'Text of the version element.';
COMMENT ON COLUMN aggregate_report.reporter IS 'Who wrote the report: org_name of report_metadata.';
COMMENT ON COLUMN aggregate_report.email IS 'email of report_metadata.';
COMMENT ON COLUMN aggregate_report.extra_contact_info IS 'extra_contact_info of report_metadata.';
COMMENT ON COLUMN aggregate_report.report_id IS 'report_id of report_metadata: the reporter''s text, not unique across reporters.';
COMMENT ON COLUMN aggregate_report.begin_at IS 'Begin of date_range (UTC).';
COMMENT ON COLUMN aggregate_report.end_at IS 'End of date_range (UTC).';
COMMENT ON COLUMN aggregate_report.day IS 'The (first) UTC day that its messages are counted on.';
COMMENT ON COLUMN aggregate_report.days IS 'Days that its messages are spread over; above 1 the daily numbers are estimated.';
COMMENT ON COLUMN aggregate_report.errors IS 'error elements of report_metadata.';
COMMENT ON COLUMN aggregate_report.generator IS 'generator of report_metadata (RFC 9990).';
COMMENT ON COLUMN aggregate_report.domain IS 'domain of policy_published: whose policy was applied.';
COMMENT ON COLUMN aggregate_report.adkim IS 'DKIM alignment mode as published, r or s; empty where the report leaves it out.';
COMMENT ON COLUMN aggregate_report.aspf IS 'SPF alignment mode as published, r or s; empty where the report leaves it out.';
COMMENT ON COLUMN aggregate_report.p IS 'Policy for the domain as the reporter saw it.';
COMMENT ON COLUMN aggregate_report.sp IS 'Policy for subdomains as the reporter saw it.';
COMMENT ON COLUMN aggregate_report.np IS 'Policy for subdomains that do not exist (RFC 9989).';
COMMENT ON COLUMN aggregate_report.pct IS 'Share of mail the policy was applied to (RFC 7489 only).';
COMMENT ON COLUMN aggregate_report.fo IS 'Failure reporting options as published.';
COMMENT ON COLUMN aggregate_report.testing IS 'The record''s t tag, y or n (RFC 9990).';
COMMENT ON COLUMN aggregate_report.discovery_method IS 'How the reporter found the policy: psl or treewalk (RFC 9990).';
COMMENT ON COLUMN aggregate_report.records IS 'Number of records.';
COMMENT ON COLUMN aggregate_report.messages IS 'Sum of messages over its records.';
COMMENT ON COLUMN aggregate_report.repairs IS 'What was put right while reading: a code, what was found, and where.';
COMMENT ON COLUMN aggregate_report.pruned_at IS 'When its records were removed for their age (UTC); its days stay in daily.';

CREATE TABLE aggregate_record (
    report_key       BIGINT NOT NULL,
    day              DATE NOT NULL,
    domain           VARCHAR NOT NULL,
    reporter         VARCHAR NOT NULL,
    source_ip        VARCHAR NOT NULL,
    messages         BIGINT NOT NULL,
    disposition      VARCHAR NOT NULL,
    dkim_aligned     BOOLEAN NOT NULL,
    spf_aligned      BOOLEAN NOT NULL,
    dkim_recomputed  BOOLEAN NOT NULL,
    spf_recomputed   BOOLEAN NOT NULL,
    reasons          STRUCT("type" VARCHAR, "comment" VARCHAR)[] NOT NULL,
    header_from      VARCHAR NOT NULL,
    envelope_from    VARCHAR,
    envelope_to      VARCHAR,
    dkim             STRUCT("domain" VARCHAR, selector VARCHAR, result VARCHAR)[] NOT NULL,
    spf              STRUCT("domain" VARCHAR, "scope" VARCHAR, result VARCHAR)[] NOT NULL
);
COMMENT ON TABLE aggregate_record IS 'One row for each record of each report. Totals come from messages; results stay lists, so nothing is multiplied.';
COMMENT ON COLUMN aggregate_record.report_key IS 'The report it stands in (aggregate_report.report_key).';
COMMENT ON COLUMN aggregate_record.day IS 'The report''s (first) UTC day.';
COMMENT ON COLUMN aggregate_record.domain IS 'domain of the report''s policy_published.';
COMMENT ON COLUMN aggregate_record.reporter IS 'Who wrote the report.';
COMMENT ON COLUMN aggregate_record.source_ip IS 'Address that the mail came from, in canonical text.';
COMMENT ON COLUMN aggregate_record.messages IS 'Number of messages (the RFC''s count).';
COMMENT ON COLUMN aggregate_record.disposition IS 'What the receiver did: none, quarantine, reject or pass.';
COMMENT ON COLUMN aggregate_record.dkim_aligned IS 'policy_evaluated says that DKIM passed and aligned; recomputed where the report does not say.';
COMMENT ON COLUMN aggregate_record.spf_aligned IS 'policy_evaluated says that SPF passed and aligned; recomputed where the report does not say.';
COMMENT ON COLUMN aggregate_record.dkim_recomputed IS 'Our own evaluation of the DKIM results with the published mode.';
COMMENT ON COLUMN aggregate_record.spf_recomputed IS 'Our own evaluation of the SPF results with the published mode.';
COMMENT ON COLUMN aggregate_record.reasons IS 'Why the receiver did not do what the policy asked.';
COMMENT ON COLUMN aggregate_record.header_from IS 'Domain of the From: header.';
COMMENT ON COLUMN aggregate_record.envelope_from IS 'Domain of the envelope sender, where reported.';
COMMENT ON COLUMN aggregate_record.envelope_to IS 'Domain of the envelope recipient, where reported.';
COMMENT ON COLUMN aggregate_record.dkim IS 'DKIM results: signing domain, selector, result.';
COMMENT ON COLUMN aggregate_record.spf IS 'SPF results: checked domain, scope, result.';

CREATE TABLE address (
    source_ip      VARCHAR NOT NULL,
    source_key     VARCHAR NOT NULL,
    service        VARCHAR,
    service_type   VARCHAR,
    asn            BIGINT,
    as_name        VARCHAR,
    as_domain      VARCHAR,
    country        VARCHAR,
    ptr            VARCHAR,
    ptr_confirmed  BOOLEAN,
    ptr_at         TIMESTAMP
);
COMMENT ON TABLE address IS 'What is known of each address that reports name, and the source it is grouped under.';
COMMENT ON COLUMN address.source_ip IS 'The address, in canonical text.';
COMMENT ON COLUMN address.source_key IS 'The source that it belongs to.';
COMMENT ON COLUMN address.service IS 'Known name of the service behind it.';
COMMENT ON COLUMN address.service_type IS 'Kind of service, as the map of names calls it.';
COMMENT ON COLUMN address.asn IS 'Number of the autonomous system that announces it.';
COMMENT ON COLUMN address.as_name IS 'Name of that autonomous system.';
COMMENT ON COLUMN address.as_domain IS 'Domain of its operator.';
COMMENT ON COLUMN address.country IS 'ISO 3166 code of the country it is registered in.';
COMMENT ON COLUMN address.ptr IS 'Its reverse DNS name; empty where there is none or nobody has asked.';
COMMENT ON COLUMN address.ptr_confirmed IS 'Whether that name points back to the address.';
COMMENT ON COLUMN address.ptr_at IS 'When DNS was asked last (UTC).';

CREATE TABLE daily (
    day           DATE NOT NULL,
    domain        VARCHAR NOT NULL,
    header_from   VARCHAR NOT NULL,
    source_key    VARCHAR NOT NULL,
    reporter      VARCHAR NOT NULL,
    disposition   VARCHAR NOT NULL,
    dkim_aligned  BOOLEAN NOT NULL,
    spf_aligned   BOOLEAN NOT NULL,
    overridden    BOOLEAN NOT NULL,
    estimated     BOOLEAN NOT NULL,
    messages      BIGINT NOT NULL
);
COMMENT ON TABLE daily IS 'Messages by day, source and result: the rollup that charts read. Several rows may share a key; sum them.';
COMMENT ON COLUMN daily.day IS 'UTC day.';
COMMENT ON COLUMN daily.domain IS 'domain of policy_published.';
COMMENT ON COLUMN daily.header_from IS 'Domain of the From: header.';
COMMENT ON COLUMN daily.source_key IS 'The source (address.source_key).';
COMMENT ON COLUMN daily.reporter IS 'Who reported it.';
COMMENT ON COLUMN daily.disposition IS 'What the receiver did: none, quarantine, reject or pass.';
COMMENT ON COLUMN daily.dkim_aligned IS 'DKIM passed and aligned.';
COMMENT ON COLUMN daily.spf_aligned IS 'SPF passed and aligned.';
COMMENT ON COLUMN daily.overridden IS 'The receiver gave a reason for not doing what the policy asked.';
COMMENT ON COLUMN daily.estimated IS 'The report covers several days and was spread over them evenly.';
COMMENT ON COLUMN daily.messages IS 'Number of messages.';

CREATE TABLE rollup_size (
    rows  BIGINT NOT NULL
);
INSERT INTO rollup_size VALUES (0);
COMMENT ON TABLE rollup_size IS 'How large daily was when its rows were last melted together; one row.';
COMMENT ON COLUMN rollup_size.rows IS 'Rows of daily at that time.';

CREATE TABLE quarantine (
    quarantine_key  BIGINT NOT NULL,
    message_hash    VARCHAR NOT NULL,
    origin          VARCHAR NOT NULL,
    reason          VARCHAR NOT NULL,
    sentence        VARCHAR NOT NULL,
    size            BIGINT NOT NULL,
    received_at     TIMESTAMP,
    first_seen_at   TIMESTAMP NOT NULL,
    last_seen_at    TIMESTAMP NOT NULL,
    times_seen      INTEGER NOT NULL,
    parser_version  INTEGER NOT NULL,
    kept            BIGINT NOT NULL,
    data            BLOB NOT NULL
);
COMMENT ON TABLE quarantine IS 'Messages that were refused, with their bytes, until a retry succeeds.';
COMMENT ON COLUMN quarantine.quarantine_key IS 'Our key; what quarantine show and retry take.';
COMMENT ON COLUMN quarantine.message_hash IS 'BLAKE2b-128 of the message: the same bytes are kept once.';
COMMENT ON COLUMN quarantine.origin IS 'Where it was seen first.';
COMMENT ON COLUMN quarantine.reason IS 'Reason code.';
COMMENT ON COLUMN quarantine.sentence IS 'The reason in words.';
COMMENT ON COLUMN quarantine.size IS 'Size of the original in bytes.';
COMMENT ON COLUMN quarantine.received_at IS 'When the mailbox received it (UTC), where known.';
COMMENT ON COLUMN quarantine.first_seen_at IS 'When it was refused first (UTC).';
COMMENT ON COLUMN quarantine.last_seen_at IS 'When it was refused last (UTC).';
COMMENT ON COLUMN quarantine.times_seen IS 'How often it was refused.';
COMMENT ON COLUMN quarantine.parser_version IS 'Version of the parser that refused it.';
COMMENT ON COLUMN quarantine.kept IS 'Bytes kept; less than size where the original is over the limit and only its beginning was read.';
COMMENT ON COLUMN quarantine.data IS 'Those bytes, Zstandard-compressed.';
