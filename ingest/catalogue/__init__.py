"""Our own catalogue of services that send mail: how each one is recognised, and how it is set up so that it aligns.

`services/<category>.toml` hold the facts, one table a service; `service` says what a fact means, `load`
reads them, `catalogue` has the doors: one for each kind of trace that a service leaves in reports and DNS.
`envelopes` reads what forwarders and services write into return paths, `hosts` knows whose networks and
names never name a sender.
"""
