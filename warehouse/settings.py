"""What a person can set about the warehouse. Each field has its default and its sentence."""

from __future__ import annotations

from dataclasses import dataclass

from ingest.settings import setting


@dataclass(frozen=True, slots=True)
class WarehouseSettings:
    """Where the warehouse is and how it is shared."""

    path: str = setting("", "The DuckDB file; empty means warehouse.duckdb in the user's data folder.")
    keep_documents: bool = setting(
        True, "Keep the reports' XML (compressed), so that 'whosends reparse' can read it again."
    )
    user: str = setting(
        "", "Who is named in the journal for what is decided on the command line; empty means the system's user."
    )
    wait: float = setting(30.0, "Seconds to wait for another process to finish its turn.")
    warm: float = setting(
        10.0,
        "Seconds after a load in which what people will ask for first is worked out, so that nobody waits for it; 0 turns that off. 'poll --watch' takes its time for it until mail arrives.",
    )
    threads: int = setting(0, "Most threads for one question; 0 means one for each core. Writing takes one.")
    memory: str = setting("", "Most memory for one query, for example 2GB; empty means DuckDB's own limit.")
    load_memory: str = setting(
        "48MB",
        "Most memory that DuckDB takes for a batch that is loaded; what is beyond waits in a file beside the warehouse until the commit. Where 'memory' is set, that one holds; empty means no such limit.",
    )


@dataclass(frozen=True, slots=True)
class RetentionSettings:
    """How long each kind is kept, for 'whosends prune'; 0 keeps it for ever. The daily rollup always stays."""

    records_days: int = setting(
        0, "Days that the records of reports are kept; charts stay, single addresses and results go."
    )
    documents_days: int = setting(0, "Days that the reports' XML is kept; without it a report cannot be read again.")
    messages_days: int = setting(0, "Days that the log of how each message ended is kept.")
    quarantine_days: int = setting(
        90,
        "Days that the bytes of a refused message are kept after it was refused last; its reason and digest stay. Also at the end of each load, and hourly in a watch.",
    )
    failures_days: int = setting(
        30,
        "Days that failure reports are kept after they were stored; older ones also go at the end of each load, and hourly in a watch.",
    )
    bounces_days: int = setting(
        180,
        "Days that bounces are kept after they were stored; older ones also go at the end of each load, and hourly in a watch.",
    )
    personal_days: int = setting(
        30,
        "Days that addresses, subjects and whole mails of failure reports and bounces are kept, where 'privacy' keeps them at all. Also at the end of each load, and hourly in a watch.",
    )
