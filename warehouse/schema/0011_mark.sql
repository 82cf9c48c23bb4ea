-- Answers are kept beside the warehouse for as long as what they rest on is the same.

CREATE TABLE mark (
    mark  VARCHAR NOT NULL
);
INSERT INTO mark SELECT replace(uuid()::VARCHAR, '-', '');
COMMENT ON TABLE mark IS 'One row: what is kept of answers beside this file is good for this mark only.';
COMMENT ON COLUMN mark.mark IS 'A random word, another one after every change of reports, their rollups or addresses.';
