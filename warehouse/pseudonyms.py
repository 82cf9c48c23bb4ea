"""What pseudonyms are made with: one random key for each warehouse, so that they say nothing anywhere else."""

from __future__ import annotations

from ingest.reading import Privacy
from ingest.reports.redaction import Redaction
from ingest.settings import PrivacySettings
from warehouse.connect import Connection


def privacy(connection: Connection, settings: PrivacySettings) -> Privacy:
    """What reading keeps of personal data, with this warehouse's key."""
    row = connection.execute("SELECT key FROM pseudonym_key LIMIT 1").fetchone()
    key = str(row[0]).encode() if row else b""
    return Privacy(Redaction(settings.failure_reports, key), Redaction(settings.bounces, key))
