-- What DNS says on the way to DMARC records: whose record applies to a name, and where its organization ends.

CREATE TABLE dmarc_lookup (
    name           VARCHAR NOT NULL,
    rdtype         VARCHAR NOT NULL,
    name_exists    BOOLEAN NOT NULL,
    records        VARCHAR[] NOT NULL,
    first_seen_at  TIMESTAMP NOT NULL,
    last_seen_at   TIMESTAMP NOT NULL,
    fresh_until    TIMESTAMP NOT NULL
);
COMMENT ON TABLE dmarc_lookup IS 'What DNS answered on the way to DMARC records: one row for each answer that differs from the one before it. A failure to get an answer is in no row.';
COMMENT ON COLUMN dmarc_lookup.name IS 'The name asked for: _dmarc. and a domain, a domain, or where a domain says that it takes reports about another.';
COMMENT ON COLUMN dmarc_lookup.rdtype IS 'TXT, or A for whether a domain exists.';
COMMENT ON COLUMN dmarc_lookup.name_exists IS 'Whether the name exists (RFC 8020): false where the answer was NXDOMAIN.';
COMMENT ON COLUMN dmarc_lookup.records IS 'The DMARC records among its TXT records, sorted; empty where there is none, and for A.';
COMMENT ON COLUMN dmarc_lookup.first_seen_at IS 'When this answer was seen first (UTC).';
COMMENT ON COLUMN dmarc_lookup.last_seen_at IS 'When this answer was seen last (UTC).';
COMMENT ON COLUMN dmarc_lookup.fresh_until IS 'Until when it need not be asked for again: last_seen_at and the TTL that came with it, a day at most (UTC).';

CREATE VIEW current_dmarc_lookup AS
    FROM dmarc_lookup QUALIFY row_number() OVER (PARTITION BY name, rdtype ORDER BY first_seen_at DESC) = 1;
COMMENT ON VIEW current_dmarc_lookup IS 'The latest answer for each name and type.';
