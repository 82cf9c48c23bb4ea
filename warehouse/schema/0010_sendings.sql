-- What was sent to whom, so that nothing is sent twice.

CREATE SEQUENCE sending_key_seq;

CREATE TABLE sending (
    sending_key   BIGINT NOT NULL,
    channel       VARCHAR NOT NULL,
    recipient     VARCHAR NOT NULL,
    purpose       VARCHAR NOT NULL,
    content_hash  VARCHAR NOT NULL,
    severity      VARCHAR,
    state         VARCHAR NOT NULL,
    started_at    TIMESTAMP NOT NULL,
    ended_at      TIMESTAMP,
    detail        VARCHAR
);
COMMENT ON TABLE sending IS 'One row for each try to send something to somebody, written before the try and completed after it.';
COMMENT ON COLUMN sending.sending_key IS 'Our key of the try; rises with time.';
COMMENT ON COLUMN sending.channel IS 'weekly, or the name of the alert''s channel.';
COMMENT ON COLUMN sending.recipient IS 'The address of a mail; the name of any other channel.';
COMMENT ON COLUMN sending.purpose IS 'What it is about: the week, or a finding''s id, what became of it, and which time it came.';
COMMENT ON COLUMN sending.content_hash IS 'SHA-256 of what was sent, without its date.';
COMMENT ON COLUMN sending.severity IS 'Severity of the finding, in an alert.';
COMMENT ON COLUMN sending.state IS 'sending (begun), sent (accepted), failed (certainly not accepted) or unknown (nobody can tell: it is not sent again by itself).';
COMMENT ON COLUMN sending.started_at IS 'When the try began (UTC).';
COMMENT ON COLUMN sending.ended_at IS 'When it ended (UTC); empty where the program ended before it did.';
COMMENT ON COLUMN sending.detail IS 'What the other side said where it was not accepted.';
