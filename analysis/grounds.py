"""What answers rest on beside the reports: by this, and by the reports, an answer that was kept is still true."""

from __future__ import annotations

from collections.abc import Collection

import polars as pl

from warehouse import lookups, reads_changes
from warehouse.connect import Connection
from warehouse.reads import decisions


def grounds(connection: Connection, domains: Collection[str]) -> tuple[object, ...]:
    """What people decided about domains (all where none is named), and how far DNS is known: values with a plain repr.

    Causes rest on what DNS answered, and so does whatever tells of them; so does where reports may be sent.
    """
    said = decisions(connection)
    if domains:
        said = said.filter(pl.col("domain").is_in(domains))
    return said.rows(), reads_changes.dns_news(connection), lookups.news(connection)
