-- Hosts that SPF records name are asked for too.

COMMENT ON COLUMN dns_answer.name IS 'The name; below that domain, or included by its SPF record, or a host that one names (a, mx).';
COMMENT ON COLUMN dns_answer.rdtype IS 'CNAME, MX, TXT (SPF records alone), A or AAAA (of hosts that SPF records name).';
COMMENT ON COLUMN address.bound_by IS 'What of our own domains'' DNS or mail names its service or owner: path, include, bounce, key, signature or host; empty where the network or reverse name does, or nothing.';
