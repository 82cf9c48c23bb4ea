-- What a mailbox holds beside aggregate reports: TLS reports, failure reports, bounces.

CREATE SEQUENCE tls_report_key_seq;
CREATE SEQUENCE failure_report_key_seq;
CREATE SEQUENCE notice_key_seq;

ALTER TABLE load_run ADD COLUMN tls_reports BIGINT DEFAULT 0;
ALTER TABLE load_run ADD COLUMN failure_reports BIGINT DEFAULT 0;
ALTER TABLE load_run ADD COLUMN notices BIGINT DEFAULT 0;
COMMENT ON COLUMN load_run.tls_reports IS 'Of the reports stored, TLS reports.';
COMMENT ON COLUMN load_run.failure_reports IS 'Of the reports stored, failure reports.';
COMMENT ON COLUMN load_run.notices IS 'Of the reports stored, bounces and other delivery status notifications.';

CREATE TABLE pseudonym_key (
    key  VARCHAR NOT NULL
);
INSERT INTO pseudonym_key SELECT replace(uuid()::VARCHAR, '-', '');
COMMENT ON TABLE pseudonym_key IS 'What pseudonyms of addresses are made with; one row, random, never leaves this warehouse but in its copies.';
COMMENT ON COLUMN pseudonym_key.key IS '122 random bits, in hexadecimal.';

CREATE TABLE tls_report (
    tls_report_key                  BIGINT NOT NULL,
    identity_hash                   VARCHAR NOT NULL,
    content_hash                    VARCHAR NOT NULL,
    document_hash                   VARCHAR NOT NULL,
    run_key                         BIGINT NOT NULL,
    origin                          VARCHAR NOT NULL,
    received_at                     TIMESTAMP,
    stored_at                       TIMESTAMP NOT NULL,
    parser_version                  INTEGER NOT NULL,
    reporter                        VARCHAR NOT NULL,
    contact_info                    VARCHAR,
    report_id                       VARCHAR NOT NULL,
    begin_at                        TIMESTAMP NOT NULL,
    end_at                          TIMESTAMP NOT NULL,
    day                             DATE NOT NULL,
    policies                        INTEGER NOT NULL,
    total_successful_session_count  BIGINT NOT NULL,
    total_failure_session_count     BIGINT NOT NULL,
    repairs                         STRUCT(code VARCHAR, what VARCHAR, "where" VARCHAR)[] NOT NULL
);
COMMENT ON TABLE tls_report IS 'One row for each SMTP TLS report (RFC 8460), stored once however it was wrapped or resent.';
COMMENT ON COLUMN tls_report.tls_report_key IS 'Our key of the report.';
COMMENT ON COLUMN tls_report.identity_hash IS 'BLAKE2b-128 of reporter, report_id, domains, begin and end: the same report has the same.';
COMMENT ON COLUMN tls_report.content_hash IS 'BLAKE2b-128 of what its policies say, whatever its wrapping and order.';
COMMENT ON COLUMN tls_report.document_hash IS 'The document it was parsed from (raw_document.document_hash).';
COMMENT ON COLUMN tls_report.run_key IS 'The run that stored it (load_run.run_key).';
COMMENT ON COLUMN tls_report.origin IS 'Where it came from: a path, or mailbox, folder and UID.';
COMMENT ON COLUMN tls_report.received_at IS 'When the mailbox received it (UTC), where known.';
COMMENT ON COLUMN tls_report.stored_at IS 'When it was stored (UTC).';
COMMENT ON COLUMN tls_report.parser_version IS 'Version of the parser that read it.';
COMMENT ON COLUMN tls_report.reporter IS 'Who wrote the report: organization-name.';
COMMENT ON COLUMN tls_report.contact_info IS 'contact-info.';
COMMENT ON COLUMN tls_report.report_id IS 'report-id: the reporter''s text, not unique across reporters.';
COMMENT ON COLUMN tls_report.begin_at IS 'start-datetime of date-range (UTC).';
COMMENT ON COLUMN tls_report.end_at IS 'end-datetime of date-range (UTC).';
COMMENT ON COLUMN tls_report.day IS 'The (first) UTC day that its sessions are counted on.';
COMMENT ON COLUMN tls_report.policies IS 'Number of policies.';
COMMENT ON COLUMN tls_report.total_successful_session_count IS 'Sum of successful sessions over its policies.';
COMMENT ON COLUMN tls_report.total_failure_session_count IS 'Sum of failed sessions over its policies, as their summaries say.';
COMMENT ON COLUMN tls_report.repairs IS 'What was put right while reading: a code, what was found, and where.';

CREATE TABLE tls_policy (
    tls_report_key                  BIGINT NOT NULL,
    policy_index                    INTEGER NOT NULL,
    day                             DATE NOT NULL,
    domain                          VARCHAR NOT NULL,
    reporter                        VARCHAR NOT NULL,
    policy_type                     VARCHAR NOT NULL,
    policy_string                   VARCHAR[] NOT NULL,
    mx_host                         VARCHAR[] NOT NULL,
    total_successful_session_count  BIGINT NOT NULL,
    total_failure_session_count     BIGINT NOT NULL
);
COMMENT ON TABLE tls_policy IS 'One row for each policy of each TLS report: how sessions to the domain went under it.';
COMMENT ON COLUMN tls_policy.tls_report_key IS 'The report it stands in (tls_report.tls_report_key).';
COMMENT ON COLUMN tls_policy.policy_index IS 'Its place in the report, from 1.';
COMMENT ON COLUMN tls_policy.day IS 'The report''s (first) UTC day.';
COMMENT ON COLUMN tls_policy.domain IS 'policy-domain: whose mail servers were talked to.';
COMMENT ON COLUMN tls_policy.reporter IS 'Who wrote the report.';
COMMENT ON COLUMN tls_policy.policy_type IS 'policy-type: sts, tlsa or no-policy-found.';
COMMENT ON COLUMN tls_policy.policy_string IS 'policy-string: the lines of the policy as the reporter read them.';
COMMENT ON COLUMN tls_policy.mx_host IS 'mx-host: the names of mail servers that the policy allows.';
COMMENT ON COLUMN tls_policy.total_successful_session_count IS 'Sessions that were encrypted as the policy asks.';
COMMENT ON COLUMN tls_policy.total_failure_session_count IS 'Sessions that were not, as the summary says.';

CREATE TABLE tls_failure (
    tls_report_key          BIGINT NOT NULL,
    policy_index            INTEGER NOT NULL,
    day                     DATE NOT NULL,
    domain                  VARCHAR NOT NULL,
    reporter                VARCHAR NOT NULL,
    policy_type             VARCHAR NOT NULL,
    result_type             VARCHAR NOT NULL,
    sending_mta_ip          VARCHAR,
    receiving_mx_hostname   VARCHAR,
    receiving_mx_helo       VARCHAR,
    receiving_ip            VARCHAR,
    failed_session_count    BIGINT NOT NULL,
    additional_information  VARCHAR,
    failure_reason_code     VARCHAR
);
COMMENT ON TABLE tls_failure IS 'One row for each failure detail of each policy. Their counts need not add up to the summary.';
COMMENT ON COLUMN tls_failure.tls_report_key IS 'The report it stands in (tls_report.tls_report_key).';
COMMENT ON COLUMN tls_failure.policy_index IS 'The policy it stands under (tls_policy.policy_index).';
COMMENT ON COLUMN tls_failure.day IS 'The report''s (first) UTC day.';
COMMENT ON COLUMN tls_failure.domain IS 'policy-domain of its policy.';
COMMENT ON COLUMN tls_failure.reporter IS 'Who wrote the report.';
COMMENT ON COLUMN tls_failure.policy_type IS 'policy-type of its policy.';
COMMENT ON COLUMN tls_failure.result_type IS 'result-type (RFC 8460 section 4.3), for example certificate-expired.';
COMMENT ON COLUMN tls_failure.sending_mta_ip IS 'Address of the sending server.';
COMMENT ON COLUMN tls_failure.receiving_mx_hostname IS 'Name of the mail server that was talked to.';
COMMENT ON COLUMN tls_failure.receiving_mx_helo IS 'Name it gave of itself.';
COMMENT ON COLUMN tls_failure.receiving_ip IS 'Its address.';
COMMENT ON COLUMN tls_failure.failed_session_count IS 'Sessions that failed so.';
COMMENT ON COLUMN tls_failure.additional_information IS 'additional-information: often a link.';
COMMENT ON COLUMN tls_failure.failure_reason_code IS 'failure-reason-code: the reporter''s own words.';

CREATE TABLE failure_report (
    failure_report_key      BIGINT NOT NULL,
    message_hash            VARCHAR NOT NULL,
    run_key                 BIGINT NOT NULL,
    origin                  VARCHAR NOT NULL,
    received_at             TIMESTAMP,
    stored_at               TIMESTAMP NOT NULL,
    parser_version          INTEGER NOT NULL,
    form                    VARCHAR NOT NULL,
    reporter                VARCHAR NOT NULL,
    day                     DATE NOT NULL,
    domain                  VARCHAR NOT NULL,
    feedback_type           VARCHAR NOT NULL,
    source_ip               VARCHAR,
    arrival_at              TIMESTAMP,
    incidents               BIGINT NOT NULL,
    auth_failure            VARCHAR[] NOT NULL,
    delivery_result         VARCHAR,
    identity_alignment      VARCHAR[] NOT NULL,
    spf_result              VARCHAR,
    dkim_result             VARCHAR,
    dmarc_result            VARCHAR,
    authentication_results  VARCHAR,
    dkim_domain             VARCHAR,
    dkim_selector           VARCHAR,
    spf_dns                 VARCHAR,
    header_from             VARCHAR,
    mail_from_domain        VARCHAR,
    mail_from_pseudonym     VARCHAR,
    rcpt_to_domains         VARCHAR[] NOT NULL,
    original_envelope_id    VARCHAR,
    message_id_domain       VARCHAR,
    user_agent              VARCHAR,
    mail_from               VARCHAR,
    rcpt_to                 VARCHAR[] NOT NULL,
    message_id              VARCHAR,
    subject                 VARCHAR,
    repairs                 STRUCT(code VARCHAR, what VARCHAR, "where" VARCHAR)[] NOT NULL
);
COMMENT ON TABLE failure_report IS 'One row for each failure report about a single message (RFC 9991, RFC 6591). Personal data is left out unless privacy.failure_reports is full.';
COMMENT ON COLUMN failure_report.failure_report_key IS 'Our key of the report.';
COMMENT ON COLUMN failure_report.message_hash IS 'BLAKE2b-128 of the mail that brought it: the same mail counts once.';
COMMENT ON COLUMN failure_report.run_key IS 'The run that stored it (load_run.run_key).';
COMMENT ON COLUMN failure_report.origin IS 'Where it came from: a path, or mailbox, folder and UID.';
COMMENT ON COLUMN failure_report.received_at IS 'When the mailbox received it (UTC), where known.';
COMMENT ON COLUMN failure_report.stored_at IS 'When it was stored (UTC).';
COMMENT ON COLUMN failure_report.parser_version IS 'Version of the parser that read it.';
COMMENT ON COLUMN failure_report.form IS 'How it was written: arf, or text for people alone.';
COMMENT ON COLUMN failure_report.reporter IS 'Who wrote it: the domain it was sent from.';
COMMENT ON COLUMN failure_report.day IS 'UTC day that the failed message arrived.';
COMMENT ON COLUMN failure_report.domain IS 'Reported-Domain: whose policy the message failed.';
COMMENT ON COLUMN failure_report.feedback_type IS 'Feedback-Type: auth-failure; abuse and others are complaints (RFC 5965).';
COMMENT ON COLUMN failure_report.source_ip IS 'Address that the failed message came from, in canonical text.';
COMMENT ON COLUMN failure_report.arrival_at IS 'When it arrived (UTC), where the report says.';
COMMENT ON COLUMN failure_report.incidents IS 'How many like it the report stands for.';
COMMENT ON COLUMN failure_report.auth_failure IS 'Auth-Failure: what failed, for example dmarc, spf, signature.';
COMMENT ON COLUMN failure_report.delivery_result IS 'Delivery-Result: what became of it.';
COMMENT ON COLUMN failure_report.identity_alignment IS 'Identity-Alignment, as the reporter writes it.';
COMMENT ON COLUMN failure_report.spf_result IS 'spf in its Authentication-Results.';
COMMENT ON COLUMN failure_report.dkim_result IS 'dkim in its Authentication-Results.';
COMMENT ON COLUMN failure_report.dmarc_result IS 'dmarc in its Authentication-Results.';
COMMENT ON COLUMN failure_report.authentication_results IS 'Authentication-Results, without local parts of addresses.';
COMMENT ON COLUMN failure_report.dkim_domain IS 'DKIM-Domain.';
COMMENT ON COLUMN failure_report.dkim_selector IS 'DKIM-Selector.';
COMMENT ON COLUMN failure_report.spf_dns IS 'SPF-DNS: the record that was used.';
COMMENT ON COLUMN failure_report.header_from IS 'Domain of the failed message''s From: header.';
COMMENT ON COLUMN failure_report.mail_from_domain IS 'Domain of its envelope sender.';
COMMENT ON COLUMN failure_report.mail_from_pseudonym IS 'Stands for the envelope sender''s address; comparable within this warehouse alone.';
COMMENT ON COLUMN failure_report.rcpt_to_domains IS 'Domains of its envelope recipients.';
COMMENT ON COLUMN failure_report.original_envelope_id IS 'Original-Envelope-Id.';
COMMENT ON COLUMN failure_report.message_id_domain IS 'Domain of its Message-ID.';
COMMENT ON COLUMN failure_report.user_agent IS 'User-Agent: the program that wrote the report.';
COMMENT ON COLUMN failure_report.mail_from IS 'Envelope sender; only where all is kept.';
COMMENT ON COLUMN failure_report.rcpt_to IS 'Envelope recipients; empty unless all is kept.';
COMMENT ON COLUMN failure_report.message_id IS 'Its Message-ID; only where all is kept.';
COMMENT ON COLUMN failure_report.subject IS 'Its subject; only where all is kept.';
COMMENT ON COLUMN failure_report.repairs IS 'What was put right while reading: a code, what was found, and where.';

CREATE TABLE delivery_status (
    notice_key                 BIGINT NOT NULL,
    recipient_index            INTEGER NOT NULL,
    message_hash               VARCHAR NOT NULL,
    run_key                    BIGINT NOT NULL,
    origin                     VARCHAR NOT NULL,
    received_at                TIMESTAMP,
    stored_at                  TIMESTAMP NOT NULL,
    parser_version             INTEGER NOT NULL,
    form                       VARCHAR NOT NULL,
    day                        DATE NOT NULL,
    domain                     VARCHAR NOT NULL,
    sender_domain              VARCHAR,
    notified_domain            VARCHAR,
    sent_at                    TIMESTAMP,
    reporting_mta              VARCHAR,
    arrival_at                 TIMESTAMP,
    original_envelope_id       VARCHAR,
    returned                   VARCHAR NOT NULL,
    header_from                VARCHAR,
    envelope_from              VARCHAR,
    message_id_domain          VARCHAR,
    recipient_domain           VARCHAR,
    recipient_pseudonym        VARCHAR,
    original_recipient_domain  VARCHAR,
    action                     VARCHAR NOT NULL,
    code                       VARCHAR,
    code_class                 VARCHAR,
    code_subject               VARCHAR,
    code_meaning               VARCHAR,
    status                     VARCHAR,
    smtp_code                  INTEGER,
    diagnostic_type            VARCHAR,
    diagnostic                 VARCHAR,
    remote_mta                 VARCHAR,
    last_attempt_at            TIMESTAMP,
    will_retry_until           TIMESTAMP,
    recipient                  VARCHAR,
    message_id                 VARCHAR,
    subject                    VARCHAR,
    repairs                    STRUCT(code VARCHAR, what VARCHAR, "where" VARCHAR)[] NOT NULL
);
COMMENT ON TABLE delivery_status IS 'One row for each recipient of each bounce or other delivery status notification (RFC 3464, or text). Facts; personal data is left out unless privacy.bounces is full.';
COMMENT ON COLUMN delivery_status.notice_key IS 'Our key of the notice; its recipients share it.';
COMMENT ON COLUMN delivery_status.recipient_index IS 'The recipient''s place in the notice, from 1.';
COMMENT ON COLUMN delivery_status.message_hash IS 'BLAKE2b-128 of the mail that brought it: the same mail counts once.';
COMMENT ON COLUMN delivery_status.run_key IS 'The run that stored it (load_run.run_key).';
COMMENT ON COLUMN delivery_status.origin IS 'Where it came from: a path, or mailbox, folder and UID.';
COMMENT ON COLUMN delivery_status.received_at IS 'When the mailbox received it (UTC), where known.';
COMMENT ON COLUMN delivery_status.stored_at IS 'When it was stored (UTC).';
COMMENT ON COLUMN delivery_status.parser_version IS 'Version of the parser that read it.';
COMMENT ON COLUMN delivery_status.form IS 'How it was written: dsn, or whose text it is: exchange, gmail, postfix, exim, qmail, sendmail and others.';
COMMENT ON COLUMN delivery_status.day IS 'UTC day of the notice.';
COMMENT ON COLUMN delivery_status.domain IS 'The domain that had sent, or is said to have sent: From: of the returned message, its envelope sender, or whom the notice went to.';
COMMENT ON COLUMN delivery_status.sender_domain IS 'Domain that the notice itself was sent from.';
COMMENT ON COLUMN delivery_status.notified_domain IS 'Domain that the notice was sent to.';
COMMENT ON COLUMN delivery_status.sent_at IS 'Date of the notice (UTC).';
COMMENT ON COLUMN delivery_status.reporting_mta IS 'Reporting-MTA: the server that wrote it.';
COMMENT ON COLUMN delivery_status.arrival_at IS 'Arrival-Date: when the message came to that server (UTC).';
COMMENT ON COLUMN delivery_status.original_envelope_id IS 'Original-Envelope-Id.';
COMMENT ON COLUMN delivery_status.returned IS 'What it returns of the message: message, headers, or nothing.';
COMMENT ON COLUMN delivery_status.header_from IS 'Domain of the returned message''s From: header.';
COMMENT ON COLUMN delivery_status.envelope_from IS 'Domain of its Return-Path.';
COMMENT ON COLUMN delivery_status.message_id_domain IS 'Domain of its Message-ID: ours, unless somebody else sent it in our name.';
COMMENT ON COLUMN delivery_status.recipient_domain IS 'Domain of the recipient.';
COMMENT ON COLUMN delivery_status.recipient_pseudonym IS 'Stands for the recipient''s address; comparable within this warehouse alone.';
COMMENT ON COLUMN delivery_status.original_recipient_domain IS 'Domain that the message was first addressed to, where it was another address.';
COMMENT ON COLUMN delivery_status.action IS 'failed, delayed, delivered, relayed or expanded (RFC 3464 section 2.3.3).';
COMMENT ON COLUMN delivery_status.code IS 'Enhanced status code x.y.z (RFC 3463), the most specific of status and diagnostic.';
COMMENT ON COLUMN delivery_status.code_class IS 'Its class: success, transient or permanent; from the SMTP code where there is no other.';
COMMENT ON COLUMN delivery_status.code_subject IS 'What it is about: address, mailbox, mail system, network, protocol, content, security or policy.';
COMMENT ON COLUMN delivery_status.code_meaning IS 'What the registry calls it; empty for codes of single providers.';
COMMENT ON COLUMN delivery_status.status IS 'Status, as it is written.';
COMMENT ON COLUMN delivery_status.smtp_code IS 'SMTP reply code of the diagnostic.';
COMMENT ON COLUMN delivery_status.diagnostic_type IS 'Type of Diagnostic-Code, mostly smtp.';
COMMENT ON COLUMN delivery_status.diagnostic IS 'What the refusing server said, without local parts of addresses.';
COMMENT ON COLUMN delivery_status.remote_mta IS 'The server that refused, where it is named.';
COMMENT ON COLUMN delivery_status.last_attempt_at IS 'Last-Attempt-Date (UTC).';
COMMENT ON COLUMN delivery_status.will_retry_until IS 'Will-Retry-Until (UTC).';
COMMENT ON COLUMN delivery_status.recipient IS 'The recipient''s address; only where all is kept.';
COMMENT ON COLUMN delivery_status.message_id IS 'Message-ID of the returned message; only where all is kept.';
COMMENT ON COLUMN delivery_status.subject IS 'Its subject; only where all is kept.';
COMMENT ON COLUMN delivery_status.repairs IS 'What was put right while reading the notice: a code, what was found, and where.';
