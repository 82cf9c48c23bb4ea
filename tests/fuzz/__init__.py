"""Reading, attacked at random for minutes: `make fuzz`, `python -m tests.fuzz --help`.

1. `seeds.py` — what is damaged: all case files, every packing, small reports
2. `mutations.py` — how: bytes, XML, JSON, mail, encodings, with `values.py`; `layers.py` — archives and mails around it
3. `claims.py` — what must hold for any bytes at all; `loads.py` — the same for a warehouse
4. `counting.py` — a reader of its own that only counts, to compare sums with
5. `cold.py` — documents parsed by a process that has parsed nothing before
6. `arena.py` — the loop in a child process, watched from outside

Nothing here knows how the parsers work inside: it uses the public doors alone.
"""
