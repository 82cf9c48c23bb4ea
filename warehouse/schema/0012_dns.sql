-- What DNS says of names below our own domains, and how sources were regrouped.

CREATE TABLE dns_answer (
    domain         VARCHAR NOT NULL,
    name           VARCHAR NOT NULL,
    rdtype         VARCHAR NOT NULL,
    records        VARCHAR[] NOT NULL,
    first_seen_at  TIMESTAMP NOT NULL,
    last_seen_at   TIMESTAMP NOT NULL
);
COMMENT ON TABLE dns_answer IS 'What DNS answered for names that the owners of our domains set up for their senders: one row for each answer that differs from the one before it.';
COMMENT ON COLUMN dns_answer.domain IS 'Organizational domain of ours that it was asked for.';
COMMENT ON COLUMN dns_answer.name IS 'The name; below that domain, or included by its SPF record.';
COMMENT ON COLUMN dns_answer.rdtype IS 'CNAME, MX, or TXT (SPF records alone).';
COMMENT ON COLUMN dns_answer.records IS 'The records as text, sorted; empty where there is none.';
COMMENT ON COLUMN dns_answer.first_seen_at IS 'When this answer was seen first (UTC).';
COMMENT ON COLUMN dns_answer.last_seen_at IS 'When this answer was seen last (UTC).';

CREATE VIEW current_dns AS
    FROM dns_answer QUALIFY row_number() OVER (PARTITION BY domain, name, rdtype ORDER BY first_seen_at DESC) = 1;
COMMENT ON VIEW current_dns IS 'The latest answer for each domain, name and type.';

ALTER TABLE address ADD COLUMN bound_by VARCHAR;
COMMENT ON COLUMN address.bound_by IS 'What of our own domains'' DNS or return paths names its service: path, include, bounce or key; empty where the network or reverse name does, or nothing.';

CREATE SEQUENCE regroup_key_seq;

CREATE TABLE source_regroup (
    regroup_key    BIGINT NOT NULL,
    regrouped_at   TIMESTAMP NOT NULL,
    cause          VARCHAR NOT NULL,
    actor          VARCHAR NOT NULL,
    kind           VARCHAR NOT NULL,
    old_key        VARCHAR NOT NULL,
    new_key        VARCHAR NOT NULL,
    addresses      BIGINT NOT NULL,
    messages       BIGINT NOT NULL,
    conflict       VARCHAR,
    undoes         BIGINT
);
COMMENT ON TABLE source_regroup IS 'How sources were merged, split and renamed. Rows are only added.';
COMMENT ON COLUMN source_regroup.regroup_key IS 'Our key of the change; rises with time.';
COMMENT ON COLUMN source_regroup.regrouped_at IS 'When (UTC).';
COMMENT ON COLUMN source_regroup.cause IS 'names (reverse DNS), records (DNS of our own domains), upgrade (of the databases or of whosends), or undo.';
COMMENT ON COLUMN source_regroup.actor IS 'Who: whosends, or the person that took a change back.';
COMMENT ON COLUMN source_regroup.kind IS 'renamed (all of it, to a new key), merged (all of it, into a source that was there), split (a part of it, to a new key) or moved (a part of it, into a source that was there).';
COMMENT ON COLUMN source_regroup.old_key IS 'The source that the addresses belonged to.';
COMMENT ON COLUMN source_regroup.new_key IS 'The source that they belong to since.';
COMMENT ON COLUMN source_regroup.addresses IS 'Addresses that moved.';
COMMENT ON COLUMN source_regroup.messages IS 'Messages of theirs that were stored then.';
COMMENT ON COLUMN source_regroup.conflict IS 'Domains for which decisions on both sides differ, so that none was taken along; separated by spaces.';
COMMENT ON COLUMN source_regroup.undoes IS 'The change that this one takes back.';

CREATE TABLE source_regroup_address (
    regroup_key       BIGINT NOT NULL,
    source_ip         VARCHAR NOT NULL,
    old_service       VARCHAR,
    old_service_type  VARCHAR,
    new_service       VARCHAR,
    new_service_type  VARCHAR
);
COMMENT ON TABLE source_regroup_address IS 'The addresses of each change of source_regroup, with what they were called.';
COMMENT ON COLUMN source_regroup_address.regroup_key IS 'source_regroup.regroup_key.';
COMMENT ON COLUMN source_regroup_address.source_ip IS 'The address.';
COMMENT ON COLUMN source_regroup_address.old_service IS 'address.service before.';
COMMENT ON COLUMN source_regroup_address.old_service_type IS 'address.service_type before.';
COMMENT ON COLUMN source_regroup_address.new_service IS 'address.service since.';
COMMENT ON COLUMN source_regroup_address.new_service_type IS 'address.service_type since.';

CREATE TABLE address_pin (
    source_ip    VARCHAR NOT NULL,
    regroup_key  BIGINT NOT NULL
);
COMMENT ON TABLE address_pin IS 'Addresses whose regrouping a person took back: they stay where they were, whatever is learnt of them.';
COMMENT ON COLUMN address_pin.source_ip IS 'The address.';
COMMENT ON COLUMN address_pin.regroup_key IS 'The change that was taken back.';

CREATE TABLE identification (
    version   VARCHAR NOT NULL,
    applied_at TIMESTAMP NOT NULL
);
COMMENT ON TABLE identification IS 'With which rules, catalogue and databases all addresses were grouped, and when; the last row counts.';
COMMENT ON COLUMN identification.version IS 'Our word for them together.';
COMMENT ON COLUMN identification.applied_at IS 'When all addresses were looked at anew with them (UTC).';

-- What is there already was grouped by an earlier version.
INSERT INTO identification SELECT 'earlier', now() AT TIME ZONE 'UTC' WHERE EXISTS (SELECT 1 FROM address);
