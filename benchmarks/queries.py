"""How long questions take: `python -m benchmarks.queries reads|answers|often|daily WAREHOUSE`, in its own process."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from shutil import rmtree
from subprocess import TimeoutExpired
from types import ModuleType
from typing import Any

from analysis.drift import drifts
from analysis.findings import findings
from analysis.genuine import genuineness
from analysis.kinds import by_kind
from analysis.news import news
from analysis.readiness import readinesses
from analysis.settings import AnalysisSettings
from analysis.sources import sources
from analysis.status import status
from analysis.weekly import weekly
from benchmarks.measure import Peak, cheapest, child, tell, timed
from benchmarks.tables import Document, milliseconds
from benchmarks.world import DAYS, World, built
from warehouse import reads, reads_sources
from warehouse.connect import Connection, Warehouse
from warehouse.kept import folder_of
from warehouse.scope import Scope
from warehouse.settings import WarehouseSettings

NEWEST = World(1).last
USERS = 4
LATER = 3  # days on which drifts are asked for again
SLOW = 0.5  # seconds beyond which once is enough
SCOPES = {
    "30 days": Scope((), NEWEST - timedelta(days=29), NEWEST),
    f"{DAYS} days": Scope(),
    "largest domain, 90 days": Scope((World(1).domain(0),), NEWEST - timedelta(days=89), NEWEST),
}


def questions(module: ModuleType) -> Iterator[tuple[str, Callable[..., Any], bool]]:
    """Every read of a module: its name, itself, and whether it takes a scope. New ones come by themselves."""
    for name, function in inspect.getmembers(module, inspect.isfunction):
        parameters = inspect.signature(function).parameters
        if name.startswith("_") or function.__module__ != module.__name__ or next(iter(parameters), "") != "connection":
            continue
        required = {key for key, one in parameters.items() if one.default is one.empty} - {"connection", "scope"}
        if not required:
            yield name, function, "scope" in parameters
        elif required == {"report_key"}:
            yield name, lambda connection, function=function: function(connection, 1000), False


def best(work: Callable[[], Any]) -> dict[str, float]:
    """The cheapest of three runs after the first, or the first where it is slow; and the most memory held."""
    peak = Peak()
    first = timed(work)
    costs = first if first[0].wall > SLOW else timed(work, 3)
    return {**asdict(cheapest(costs)), "memory": peak.read()}


def ask_reads(warehouse: Warehouse) -> None:
    """Every read over every scope, in one session each."""
    found: dict[str, dict[str, Any]] = {}
    for name, read, scoped in (*questions(reads), *questions(reads_sources)):
        with warehouse.reading() as connection:
            for title, scope in SCOPES.items() if scoped else [("30 days", None)]:
                found.setdefault(name, {})[title] = _asked(read, connection, scope)
    tell(**found)


def _asked(read: Callable[..., Any], connection: Connection, scope: Scope | None) -> dict[str, float]:
    given = (connection,) if scope is None else (connection, scope)
    rows: list[int] = []
    cost = best(lambda: rows.append(len(read(*given))))
    return {**cost, "rows": rows[0]}


Answer = Callable[[Warehouse, Scope, date, AnalysisSettings], object]


def _genuineness(warehouse: Warehouse, scope: Scope, today: date, settings: AnalysisSettings) -> object:
    with warehouse.reading() as connection:
        return genuineness(connection, scope)


def _readiness(warehouse: Warehouse, scope: Scope, today: date, settings: AnalysisSettings) -> object:
    names = scope.domains
    if not names:
        with warehouse.reading() as connection:
            names = tuple(reads.domains(connection, scope)["domain"])
    return readinesses(warehouse, dict.fromkeys(names, "reject"), today, settings)


ANSWERS: dict[str, Answer] = {
    "sources": lambda warehouse, scope, today, settings: sources(warehouse, scope, today, settings.sources),
    "changes": news,
    "drifts": lambda warehouse, scope, _, settings: drifts(warehouse, scope, settings.drift),
    "days by kind": lambda warehouse, scope, today, settings: by_kind(warehouse, scope, today, settings.sources),
    "genuineness": _genuineness,
    "readiness": _readiness,
    "status": status,
    "findings": findings,
    "weekly": lambda warehouse, scope, today, settings: weekly(warehouse, "", today, settings, scope.domains),
}
ASKED: dict[str, Callable[[World], str]] = {
    "middling domain": lambda world: world.domain(world.domains // 2),
    "largest domain": lambda world: world.domain(0),
    "all domains": lambda _: "",
}
WHEN = ("first", "kept")
PARTS = ("first", "cpu", "kept", "cpu")
AT_ONCE = ("sources", "drifts", "genuineness", "readiness", "status", "findings")


def _answer(warehouse: Warehouse, name: str, domain: str) -> object:
    """One answer of the analysis over 30 days, as the app and the commands ask for it; of all domains where ''."""
    month = SCOPES["30 days"]
    scope = Scope((domain,) if domain else (), month.since, month.until)
    return ANSWERS[name](warehouse, scope, NEWEST + timedelta(days=1), AnalysisSettings())


def ask_answers(warehouse: Warehouse, domain: str = "") -> None:
    """What each answer costs, one after the other: the first time after a load, and when all that is kept is there."""
    rmtree(folder_of(warehouse.path), ignore_errors=True)
    peak = Peak()
    first = {name: timed(partial(_answer, warehouse, name, domain))[0] for name in ANSWERS}
    again = {name: cheapest(timed(partial(_answer, warehouse, name, domain), 3)) for name in ANSWERS}
    tell(answers={name: [asdict(first[name]), asdict(again[name])] for name in ANSWERS}, memory=peak.read())


def ask_often(warehouse: Warehouse, *domains: str) -> None:
    """One user: one answer after the other about some domains, and all once more; wall seconds of each, by its name."""
    found: dict[str, list[float]] = {f"{name}, {when}": [] for name in AT_ONCE for when in WHEN}
    for when in WHEN:
        for domain in domains:
            for name in AT_ONCE:
                found[f"{name}, {when}"].append(timed(partial(_answer, warehouse, name, domain))[0].wall)
    tell(**found)


def ask_daily(warehouse: Warehouse) -> None:
    """What drifts of all domains cost for the first time, on each of the next days, and once more: of a processor.

    Between two days the warehouse is written to, as a load does.
    """
    rmtree(folder_of(warehouse.path), ignore_errors=True)
    costs = []
    for back in range(LATER, -1, -1):
        with warehouse.writing():
            pass
        scope = Scope((), None, NEWEST - timedelta(days=back))
        costs.append(timed(partial(drifts, warehouse, scope, AnalysisSettings().drift))[0].cpu)
    again = timed(partial(drifts, warehouse, scope, AnalysisSettings().drift))[0].cpu
    tell(first=costs[0], following=costs[1:], again=again)


def at_once(document: Document, world: World, path: Path) -> None:
    """Write what users wait who ask at the same time, each about other domains of middling size."""
    numbers = [world.domains // 3 + n for n in range(5 * USERS)]
    rmtree(folder_of(path), ignore_errors=True)
    asked = [[world.domain(n) for n in numbers[user::USERS]] for user in range(USERS)]
    with ThreadPoolExecutor(USERS) as pool:
        found = list(pool.map(lambda domains: child("queries", "often", path, *domains), asked))
    rows = []
    for name in found[0]:
        waits = sorted(wait for one in found for wait in one[name])
        rows.append((name, *(milliseconds(waits[int(share * (len(waits) - 1))]) for share in (0.5, 0.95, 1))))
    document.table((f"{USERS} users at once, a middling domain each", "half within", "95 % within", "longest"), rows)


def queries(document: Document, world: World, patience: float, titles: Sequence[str] = tuple(ASKED)) -> None:
    """Write both tables."""
    path = built(world)
    document.section(
        f"Questions to {world.records:,} records",
        f"{world.domains} unequal domains over {DAYS} days, 50,000 sources and 200,000 addresses.",
        f"Milliseconds on the wall, least of three after a first run (of one beyond {SLOW} s), page cache warm; MiB is",
        "the most memory held above the start. Reads are asked in one session, answers open the warehouse each time.",
    )
    found = child("queries", "reads", path)
    document.table(
        ("Read", *SCOPES, "rows, 30 days", f"MiB, {DAYS} days"),
        [
            (
                name,
                *(milliseconds(costs[title]["wall"]) if title in costs else "" for title in SCOPES),
                f"{costs['30 days']['rows']:,}",
                f"{costs.get(f'{DAYS} days', costs['30 days'])['memory']:.0f}",
            )
            for name, costs in sorted(found.items(), key=lambda item: -item[1]["30 days"]["wall"])
        ],
    )
    told = [_answered(path, patience, ASKED[title](world)) for title in titles]
    held = ", ".join(f"{one['memory']:,.0f} MiB ({title})" for title, one in zip(titles, told, strict=True) if one)
    document.say(
        "Answers are asked for one after the other: `first` after a load, when what one worked out is there for the",
        "next; `kept` when all of it is there. Milliseconds on the wall, and of the processor (cpu). The most memory",
        f"held above the start: {held}.",
        "",
    )
    columns = [f"{title}: first" if not at else part for title in titles for at, part in enumerate(PARTS)]
    document.table(
        ("Answer, 30 days", *columns),
        [(name, *(cell for one in told for cell in _cells(one, name, patience))) for name in ANSWERS],
    )
    if len(titles) > 1:
        at_once(document, world, path)


def _answered(path: Path, patience: float, domain: str) -> dict[str, Any]:
    """What the answers cost, in a process of their own; nothing where they take longer than `patience` seconds."""
    try:
        return child("queries", "answers", path, *[domain] * bool(domain), within=patience)
    except TimeoutExpired:
        return {}


def _cells(told: dict[str, Any], name: str, patience: float) -> tuple[str, ...]:
    if not told:
        return (f"all over {patience:,.0f} s", "", "", "")
    return tuple(milliseconds(cost[clock]) for cost in told["answers"][name] for clock in ("wall", "cpu"))


def main(what: str, path: str, *more: str) -> None:
    """Answer as a child."""
    warehouse = Warehouse(Path(path), WarehouseSettings(), lingering=True)
    if what == "reads":
        ask_reads(warehouse)
    elif what == "often":
        ask_often(warehouse, *more)
    elif what == "daily":
        ask_daily(warehouse)
    else:
        ask_answers(warehouse, *more)


if __name__ == "__main__":
    main(*sys.argv[1:])
