"""A demonstration organisation: months of invented reports, and the truth about them.

`generate` runs the whole; read on in the order in which mail flows:

- `timeline`: the period, and the day of every known event
- `organisation`: the domains with their policies, and the senders
- `senders`, `forwarding`, `spoofing`: how mail is sent, forwarded and forged
- `reporters`: who writes reports, and each one's habits
- `reports`: what the reporters saw, as reports
- `document`, `wrapping`: a report as XML, and as an attachment or a mail
- `oddities`: what a real mailbox also holds (resends, a conflict, a truncated file, an auto-reply)
- `sessions`, `bounces` with `notices`, `failures`: TLS reports, what was not delivered, and single failures
- `truth`: what is really the case, for tests to compare with
"""
