-- What blocklists say of the addresses that mail came from.

CREATE TABLE blocklist_answer (
    source_ip      VARCHAR NOT NULL,
    zone           VARCHAR NOT NULL,
    codes          VARCHAR[] NOT NULL,
    first_seen_at  TIMESTAMP NOT NULL,
    last_seen_at   TIMESTAMP NOT NULL
);
COMMENT ON TABLE blocklist_answer IS 'What blocklists answered for source addresses: one row for each answer that differs from the one before it. That nobody answered is not kept.';
COMMENT ON COLUMN blocklist_answer.source_ip IS 'The address that was asked for.';
COMMENT ON COLUMN blocklist_answer.zone IS 'The list (setting blocklists.zones).';
COMMENT ON COLUMN blocklist_answer.codes IS 'The addresses in 127.0.0.0/8 that it answered, whose meaning the list tells; empty where it does not hold the address.';
COMMENT ON COLUMN blocklist_answer.first_seen_at IS 'When this answer was seen first (UTC).';
COMMENT ON COLUMN blocklist_answer.last_seen_at IS 'When this answer was seen last (UTC).';

CREATE VIEW current_blocklist AS
    FROM blocklist_answer QUALIFY row_number() OVER (PARTITION BY source_ip, zone ORDER BY first_seen_at DESC) = 1;
COMMENT ON VIEW current_blocklist IS 'The latest answer for each address and list.';

CREATE TABLE blocklist_zone (
    zone      VARCHAR NOT NULL,
    version   INTEGER NOT NULL,
    state     VARCHAR NOT NULL,
    asked_at  TIMESTAMP NOT NULL
);
COMMENT ON TABLE blocklist_zone IS 'What lists made of their test points (RFC 5782 section 5) when they were asked last.';
COMMENT ON COLUMN blocklist_zone.zone IS 'The list.';
COMMENT ON COLUMN blocklist_zone.version IS 'IP version of the addresses it was tested for: 4 or 6.';
COMMENT ON COLUMN blocklist_zone.state IS 'works, answers everything, answers nothing, refuses, or gives no answer; only one that works is asked for addresses.';
COMMENT ON COLUMN blocklist_zone.asked_at IS 'When it was asked (UTC).';
