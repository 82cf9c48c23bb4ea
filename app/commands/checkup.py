"""The checks of `whosends doctor`: each looks at one thing, changes nothing, and says what to do."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from importlib import import_module, metadata
from pathlib import Path

import app
from analysis.wording import count
from app.commands.asking import known, today
from app.commands.base import Run
from app.commands.mailboxes import folders, server
from app.commands.opening import warehouse_of
from app.config import Config
from ingest import network
from ingest.errors import Error
from ingest.probes import blocklists
from ingest.probes.resolver import Resolver
from ingest.settings import MailboxSettings
from warehouse import migrate, reads
from warehouse.connect import Warehouse
from warehouse.errors import WarehouseMissing
from warehouse.soundness import read_for

OK, WARN, FAIL = "ok", "warn", "fail"
PACKAGES = ("ingest", "warehouse", "analysis", "app")
READ_SECONDS = 10.0  # for which writers wait at the most while tables are read
ASKED = "example.com."  # reserved by RFC 2606 and in DNS, so that it stands for nobody


@dataclass(frozen=True, slots=True)
class Check:
    """One line: what was looked at, how it is, and what to do."""

    name: str
    state: str
    what: str
    fix: str = ""


def checks(run: Run) -> Iterator[Check]:
    """All checks, in the order in which things depend on each other."""
    yield Check("python", OK, f"Python {platform.python_version()} on {platform.platform(terse=True)}")
    yield from packages()
    try:
        config = run.config
    except Error as error:
        yield Check("configuration", FAIL, error.message, error.hint)
        return
    yield Check("configuration", OK, str(config.file or "no file; everything has its default"))
    yield from _warehouse(run)
    yield _database()
    yield _dns(config)
    yield from _blocklists(config)
    if not config.mailboxes:
        yield Check("mailbox", WARN, "No mailbox is configured.", "Run 'whosends init', or use 'whosends ingest'.")
    for settings in config.mailboxes:
        yield _mailbox(settings, offline=config.offline)


def packages() -> Iterator[Check]:
    """Where our packages come from: their names are plain, so another distribution may have them too."""
    installed = metadata.packages_distributions()
    ours = Path(app.__file__).parents[1]
    for package in PACKAGES:
        others = sorted(set(installed.get(package, [])) - {"whosends"})
        place = Path(import_module(package).__file__ or "").parents[1]
        if place != ours:
            fix = "Install whosends in an environment of its own: uv tool install whosends."
            yield Check("packages", FAIL, f"Package {package} comes from {place}, not from {ours}.", fix)
        elif others:
            fix = "Install whosends in an environment of its own: uv tool install whosends."
            yield Check("packages", FAIL, f"{', '.join(others)} also installs a package {package!r}.", fix)
        else:
            continue
        return
    yield Check("packages", OK, f"whosends {_version()} in {ours}")


def _version() -> str:
    try:
        return metadata.version("whosends")
    except metadata.PackageNotFoundError:
        return "(not installed)"


def _warehouse(run: Run) -> Iterator[Check]:
    warehouse = warehouse_of(run)
    try:
        with warehouse.reading() as connection:
            last = reads.runs(connection, 1).to_dicts()
        size = warehouse.path.stat().st_size
        held = known(warehouse)
    except WarehouseMissing as error:
        yield Check("warehouse", WARN, error.message, error.hint)
        return
    except Error as error:
        yield Check("warehouse", FAIL, error.message, error.hint)
        return
    schema = migrate.steps()[-1].version
    yield Check("warehouse", OK, f"{warehouse.path}, schema {schema}, {size / 2**20:,.1f} MiB")
    yield _guarded("data", lambda: _data(warehouse))
    yield freshness(held.newest(()), today(), run.config.readiness.stale_days)
    if last:
        ended = last[0]["ended_at"]
        what = f"Last run: {last[0]['input']}, {f'ended {ended:%Y-%m-%d %H:%M} UTC' if ended else 'not ended'}"
        yield Check(
            "last run", OK if ended else WARN, what, "" if ended else "It runs still, or was killed; run it again."
        )


def _data(warehouse: Warehouse) -> Check:
    found = read_for(warehouse, READ_SECONDS)
    if found.read < found.tables:
        what = f"{found.read} of {found.tables} tables can be read to their ends; for the others there was no time."
        return Check("data", OK, what, "'whosends backup' reads all of its copy.")
    return Check("data", OK, f"All {found.tables} tables can be read to their ends.")


def freshness(newest: date | None, now: date, stale_days: int) -> Check:
    """How old the newest report is; receivers take a day or two."""
    if newest is None:
        fix = "Receivers send the first reports 24 to 48 hours after rua= is published; then run 'whosends poll'."
        return Check("freshness", WARN, "There are no reports yet.", fix)
    age = (now - newest).days
    if age < -1:
        what = f"The newest report is of {newest}, {-age} days after today by this machine's clock ({now})."
        return Check("freshness", WARN, what, "Check the clock; if it is right, a reporter's is ahead.")
    if age > stale_days:
        return Check(
            "freshness", WARN, f"The newest report is of {newest}, {count(age, 'day')} ago.", "Run 'whosends poll'."
        )
    return Check("freshness", OK, f"The newest report is of {newest}.")


def _database() -> Check:
    wanted = (("ipinfo", "ipinfo_lite.mmdb"), ("maps", "base_reverse_dns_map.csv"))
    missing = [parts[-1] for parts in wanted if network.resource(*parts) is None]
    if missing:
        fix = "Reinstall parsedmarc, which brings it; sources have no names until then."
        return Check("names", FAIL, f"The offline database {missing[0]} is missing.", fix)
    return Check("names", OK, "The offline database of networks and services is here (IPinfo Lite, CC BY-SA 4.0).")


def _dns(config: Config) -> Check:
    if config.offline:
        return Check("dns", OK, "Not asked: offline.")
    return _guarded("dns", lambda: _asked(config), "Names of new addresses are looked up when DNS answers again.")


def _asked(config: Config) -> Check:
    answer = Resolver(config.resolver).lookup(ASKED, "NS")
    if answer.answered:
        return Check("dns", OK, "DNS answers.")
    fix = "Check [resolver]; until then new addresses have no names. --offline says that this is meant."
    return Check("dns", WARN, f"DNS does not answer ({answer.status}).", fix)


State = blocklists.State
# What a list that cannot be used does, and what to do about it.
UNUSABLE = {
    State.EVERYTHING: ("It lists everything, as lists do that were given up.", "Take it out of [blocklists] zones."),
    State.NOTHING: (
        "It does not hold its own test point: there is no such list, or it was given up.",
        "Check its name in [blocklists] zones, or take it out.",
    ),
    State.REFUSES: (
        "It refuses the resolver that asks, as most do to large public ones.",
        "Name a resolver of your own in [resolver] nameservers, or ask the list's operator for access.",
    ),
    State.SILENT: ("It gives no answer.", "Try again later; until then nobody's addresses are asked for there."),
}


def _blocklists(config: Config) -> Iterator[Check]:
    """Whether each list that is set can be believed: what its test points answer (RFC 5782 section 5)."""
    zones = tuple(dict.fromkeys(config.blocklists.zones))
    if not zones or config.offline:
        yield from (Check(f"blocklist {zone}", OK, "Not asked: offline.") for zone in zones)
        return
    try:
        told = blocklists.probe_zones(zones, Resolver(config.resolver), config.blocklists.lifetime)
    except Error as error:
        yield Check("blocklists", FAIL, error.message, error.hint)
        return
    states = {(one.zone, one.version): one.state for one in told}
    yield from (blocklist(zone, states[zone, 4], states[zone, 6]) for zone in zones)


def blocklist(zone: str, four: blocklists.State, six: blocklists.State) -> Check:
    """How a list is, by what it makes of its test points of IPv4 and of IPv6; that many hold IPv4 alone is in order."""
    works = [said for said, state in (("IPv4", four), ("IPv6", six)) if state is State.WORKS]
    if works:
        only = "" if len(works) == 2 else " only"
        return Check(
            f"blocklist {zone}", OK, f"It answers for its test points as it should: {' and '.join(works)}{only}."
        )
    what, fix = UNUSABLE[four]
    return Check(f"blocklist {zone}", WARN, what, fix)


def _mailbox(settings: MailboxSettings, *, offline: bool) -> Check:
    name = f"mailbox {settings.name}"
    if offline:
        return Check(name, OK, "Not asked: offline.")

    def look() -> Check:
        found = folders(settings)
        said = ", ".join(f"{folder} {count(messages, 'message')}" for folder, (messages, _, _) in found.items())
        return Check(name, OK, f"{server(settings)}: {said}; after storing: {settings.after}")

    return _guarded(name, look)


def _guarded(name: str, look: Callable[[], Check], fix: str = "") -> Check:
    try:
        return look()
    except Error as error:
        return Check(name, FAIL, error.message, error.hint or fix)
