"""The checks of `whosends doctor`: each looks at one thing, changes nothing, and says what to do."""

from __future__ import annotations

import platform
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from importlib import import_module, metadata
from pathlib import Path
from types import ModuleType

import app
from analysis.wording import count
from app.commands.asking import known, today
from app.commands.base import Run
from app.commands.opening import warehouse_of
from app.config import Config
from ingest import network
from ingest.errors import Error
from ingest.settings import MailboxSettings
from warehouse import migrate, reads
from warehouse.connect import Warehouse
from warehouse.errors import WarehouseMissing
from warehouse.soundness import read_for

OK, WARN, FAIL = "ok", "warn", "fail"
PACKAGES = ("ingest", "warehouse", "analysis", "app")
READ_SECONDS = 10.0  # for which writers wait at the most while tables are read


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
    installed = _installing(PACKAGES)
    ours = Path(app.__file__).parents[1]
    for package in PACKAGES:
        others = sorted(installed[package] - {"whosends"})
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


def _installing(packages: Sequence[str]) -> dict[str, set[str]]:
    """Which distributions install each package, by the lists of their files; asked all that they are takes longer."""
    named = re.compile(rf"^({'|'.join(packages)})(?:/|$)", re.MULTILINE)
    found: dict[str, set[str]] = {package: set() for package in packages}
    for one in metadata.distributions():
        for listed in filter(None, map(one.read_text, ("RECORD", "top_level.txt"))):
            for package in {*named.findall(listed)}:
                found[package].add(one.name)
    return found


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
    return _guarded(
        "dns", lambda: _beyond().dns(config), "Names of new addresses are looked up when DNS answers again."
    )


def _blocklists(config: Config) -> Iterator[Check]:
    """Whether each list that is set can be believed."""
    zones = tuple(dict.fromkeys(config.blocklists.zones))
    if config.offline or not zones:
        yield from (Check(f"blocklist {zone}", OK, "Not asked: offline.") for zone in zones)
        return
    try:
        yield from _beyond().blocklists(config, zones)
    except Error as error:
        yield Check("blocklists", FAIL, error.message, error.hint)


def _mailbox(settings: MailboxSettings, *, offline: bool) -> Check:
    name = f"mailbox {settings.name}"
    if offline:
        return Check(name, OK, "Not asked: offline.")

    return _guarded(name, lambda: _beyond().mailbox(name, settings))


def _beyond() -> ModuleType:
    """What is asked of others; offline none of it is loaded, which takes as long as all else."""
    return import_module("app.commands.checkup_beyond")


def _guarded(name: str, look: Callable[[], Check], fix: str = "") -> Check:
    try:
        return look()
    except Error as error:
        return Check(name, FAIL, error.message, error.hint or fix)
