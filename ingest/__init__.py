"""Mail in, parsed reports out. Nothing here judges, stores or remembers.

The flow, one function a hop:

1. `ingest/inputs/` — `fetch()` yields batches of `Message` from a mailbox, a folder, a file
2. `ingest/message.py` — `documents()` walks the MIME tree of a message
3. `ingest/unpack.py` — `unpack()` opens gzip and zip, nested, within limits
4. `ingest/sniff.py` — `kind()` tells what a document is, by content first and name second
5. `ingest/reports/` — `parse()`, one module a standard: `aggregate.py` (RFC 7489, 9990), `tls.py` (8460),
   `failure.py` (6591, 9991), `dsn.py` (3464); the latter two read whole mails, told by `ingest/sniff_mail.py`
6. `ingest/reading.py` — `read()` is hops 2 to 5 in one pure call: a message in, a `Reading` out

From there `warehouse/load.py` takes over: rows, save, commit, and only then `done()`.
"""
