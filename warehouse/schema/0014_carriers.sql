-- Whose machines a service sends through, where they are another service's.

ALTER TABLE address ADD COLUMN carrier VARCHAR;
COMMENT ON COLUMN address.carrier IS 'The service whose machine it is, where another service (address.service) sends through it.';
COMMENT ON COLUMN address.bound_by IS 'What of our own domains'' DNS or mail names its service: path, include, bounce, key or signature; empty where the network or reverse name does, or nothing.';
