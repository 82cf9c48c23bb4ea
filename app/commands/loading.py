"""What commands that fill the warehouse share: the loader, and how a run is told."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, fields, replace
from functools import cache

from analysis.identity import Identifier
from analysis.wording import count
from app.commands.asking import now, today
from app.commands.base import Run
from app.commands.opening import warehouse_of
from app.commands.progress import counted
from app.config import Config
from app.render import Screen
from app.warming import warm, within
from ingest.errors import Error
from ingest.network import NetworkDatabase, ServiceMap
from ingest.settings import ResolverSettings
from warehouse.address import Address
from warehouse.connect import Warehouse
from warehouse.load import Attest, Loader, LoadSummary

log = logging.getLogger(__name__)

FAILURES_SHOWN = 10


@cache
def identifier() -> Identifier:
    """Who owns an address, from the databases that are shipped; opened when the first address is new."""
    return Identifier(NetworkDatabase(), ServiceMap())


def identify(source_ips: Sequence[str]) -> Sequence[Address]:
    """What is known of these addresses offline."""
    return identifier().identify(source_ips)


def loader_of(run: Run, progress: Callable[[LoadSummary], None]) -> Loader:
    """Everything a load needs beside its input; it stays off the network."""
    return _loader(warehouse_of(run), run.config, progress)


def mail_loader_of(run: Run, progress: Callable[[LoadSummary], None]) -> Loader:
    """The same for mail as it came: its signatures are verified, unless the network is not to be used."""
    return mail_loader(warehouse_of(run), run.config, progress)


def mail_loader(warehouse: Warehouse, config: Config, progress: Callable[[LoadSummary], None]) -> Loader:
    """The same for whoever has no command line."""
    loader = _loader(warehouse, config, progress)
    return loader if config.offline else replace(loader, attest=_attester(config.resolver))


def _loader(warehouse: Warehouse, config: Config, progress: Callable[[LoadSummary], None]) -> Loader:
    loader = Loader(warehouse, config.limits, identify, now, progress)
    return replace(loader, privacy=config.privacy, retention=config.retention)


def _attester(settings: ResolverSettings) -> Attest | None:
    # Not at the top: what only reads files need not pay for it.
    from ingest.probes.attest import Attester  # noqa: PLC0415

    try:
        return Attester(settings)
    except Error as error:
        # A machine without a resolver can read its mailbox all the same.
        log.warning("attest.fail reason=%r", str(error))
        return None


def warm_up(run: Run, summary: LoadSummary) -> None:
    """Work out what people will ask for first, where a load brought something; a person may break it off."""
    seconds = run.config.warehouse.warm
    if summary.records and seconds:
        with suppress(KeyboardInterrupt):
            warm(warehouse_of(run), run.config, today(), within(seconds))


def add(whole: LoadSummary, part: LoadSummary) -> None:
    """Add one run's counts to another's."""
    for one in fields(LoadSummary):
        setattr(whole, one.name, getattr(whole, one.name) + getattr(part, one.name))


def tell(screen: Screen, summary: LoadSummary) -> None:
    """Print how a run ended."""
    if screen.json:
        screen.document(**asdict(summary))
    else:
        screen.line(counted(summary))
        screen.line(
            f"{count(summary.messages, 'message')} in {count(summary.records, 'record')}, in {summary.seconds:.1f} s"
        )
        others = (
            ("TLS reports", summary.tls_reports),
            ("failure reports", summary.failure_reports),
            ("bounces", summary.notices),
        )
        if any(number for _, number in others):
            screen.line("Among the reports: " + ", ".join(f"{number:,} {name}" for name, number in others if number))
        for failure in summary.failures[:FAILURES_SHOWN]:
            screen.note(f"Refused ({failure.reason}): {failure.origin}: {failure.message}")
        if len(summary.failures) > FAILURES_SHOWN:
            screen.note(f"… and {len(summary.failures) - FAILURES_SHOWN:,} more.")
        if summary.quarantined:
            screen.note("Nothing is lost: 'whosends quarantine list' shows what was refused.")
