-- Keys that stand in our own zones are asked for too.

COMMENT ON COLUMN dns_answer.rdtype IS 'CNAME, MX, TXT (SPF records, and keys at names of keys), A or AAAA (of hosts that SPF records name).';
