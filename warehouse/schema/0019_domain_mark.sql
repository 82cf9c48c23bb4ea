-- What is kept of answers about some domains stays good while reports come for others.

ALTER TABLE mark ADD COLUMN ground VARCHAR;
UPDATE mark SET ground = mark;
COMMENT ON COLUMN mark.ground IS 'A random word, another one after every change that is not told by domain (domain_mark).';

CREATE TABLE domain_mark (
    domain  VARCHAR NOT NULL,
    mark    VARCHAR NOT NULL
);
COMMENT ON TABLE domain_mark IS 'One row for each domain whose reports changed: with mark.ground it says which state of them this is.';
COMMENT ON COLUMN domain_mark.domain IS 'The domain of the reports.';
COMMENT ON COLUMN domain_mark.mark IS 'A random word, another one after every change of its reports, their rollups or addresses.';
