"""Whichever way reports come, and whoever asked in between: the drifts told are those that the reports tell."""

from __future__ import annotations

import random
import shutil
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Final

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analysis.closing import EVERY, SETTLED, opened
from analysis.drift import Drift, drifts
from analysis.settings import DriftSettings
from ingest.reports.aggregate import AggregateRecord
from tests.analysis.world import LAST, MAILER, OURS, RELAY, REPORTERS, Policy, World, days, usual
from warehouse import kept, melting, reads_changes
from warehouse.connect import Warehouse
from warehouse.scope import Scope

DRIFT: Final = DriftSettings(days=45)
DOMAINS: Final = (OURS, "example.org")
SENDERS: Final = (MAILER, RELAY)
SPAN: Final = DRIFT.days + SETTLED + EVERY
Key = tuple[date, str, str]

# When a report comes, by the day that it is about, which is a number, and by luck, which is between 0 and 1.
WAYS: Final[dict[str, Callable[[int, float], float]]] = {
    "in turn": lambda day, _: day,
    "some late": lambda day, luck: day + (SPAN * luck if luck < 0.1 else 0) * 10,
    "the newest first": lambda day, _: -day,
    "anyhow": lambda _, luck: luck,
}


@dataclass(frozen=True)
class Sender:
    """How one of the senders fared: aligned at one rate, from `turned` days before the last on at another.

    Signed twice it fails by both of its keys at once.
    """

    mails: int
    before: float
    after: float
    turned: int
    twice: bool


senders = st.builds(
    Sender,
    mails=st.sampled_from((6, 20, 60)),
    before=st.sampled_from((1.0, 0.97, 0.7, 0.0)),
    after=st.sampled_from((1.0, 0.97, 0.5, 0.0)),
    turned=st.integers(0, SPAN),
    twice=st.booleans(),
)


@dataclass(frozen=True)
class Load:
    """Some reports come, some of them again, and what happens after that.

    `again` is the share of the earlier reports that come once more. `asks` are the domains asked about
    (of all: none), each with how many days before the last; `files` is what becomes of what is kept.
    """

    again: float
    asks: tuple[tuple[tuple[str, ...], int | None], ...]
    decision: str | None
    files: str


asked = st.tuples(st.sampled_from(((), DOMAINS[:1], DOMAINS[1:], DOMAINS)), st.none() | st.integers(0, 40))
loads = st.lists(
    st.builds(
        Load,
        again=st.sampled_from((0.0, 0.3)),
        asks=st.lists(asked, max_size=2).map(tuple),
        decision=st.sampled_from((None, None, "approved", "forwarder", "spoof", "retired")),
        files=st.sampled_from(("stay", "stay", "stay", "gone", "old", "torn")),
    ),
    min_size=1,
    max_size=5,
)
stories = st.fixed_dictionaries({(domain, ip): senders for domain in DOMAINS for ip in SENDERS})


def told(world: World, story: dict[tuple[str, str], Sender], luck: random.Random) -> dict[Key, list[AggregateRecord]]:
    """The reports that a story makes, by day, reporter and domain; nothing comes to the world yet."""
    for (domain, ip), sender in story.items():
        names = ("one", "two") if sender.twice else ("one",)
        for day in days(SPAN - 1):
            rate = sender.after if (LAST - day).days < sender.turned else sender.before
            for reporter in REPORTERS[:3]:
                mails = luck.randint(sender.mails // 2, sender.mails)
                good = sum(luck.random() < rate for _ in range(mails))
                for count, result in ((good, "pass"), (mails - good, "fail")):
                    if count:
                        keys = tuple((domain, name, result) for name in names)
                        world.send(ip, [day], count, domain=domain, dkim=keys, reporters=[reporter])
    found = dict(world.sent)
    world.sent.clear()
    return found


def come(world: World, reports: dict[Key, list[AggregateRecord]]) -> None:
    """Some reports come."""
    world.sent.update(reports)
    world.policies.update(dict.fromkeys(reports, Policy()))
    world.save()


def at(folder: Path) -> World:
    """An empty world in a folder of its own."""
    folder.mkdir()
    return World.at(folder)


def ask(warehouse: Warehouse, domains: tuple[str, ...], back: int | None) -> list[Drift]:
    """The drifts of some domains, so many days before the last one; the newest stored where None."""
    return drifts(warehouse, Scope(domains, None, None if back is None else LAST - timedelta(days=back)), DRIFT)


def turn(files: str, folder: Path, old: Path) -> None:
    """What becomes of the kept files: they stay, are gone, come back as they were once, or are cut off."""
    if files == "gone":
        shutil.rmtree(folder, ignore_errors=True)
    elif files == "old" and old.exists():
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(old, folder)
    elif files == "torn" and folder.exists():
        for path in folder.iterdir():
            path.write_bytes(path.read_bytes()[:-3])
    if folder.exists() and not old.exists():
        shutil.copytree(folder, old)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(stories, loads, st.sampled_from(sorted(WAYS)), st.sampled_from((0.0, 0.8)), st.integers(0, 99))
def test_the_drifts_told_are_those_of_a_fresh_search(
    story: dict[tuple[str, str], Sender], loads: list[Load], way: str, begun: float, seed: int
) -> None:
    luck = random.Random(seed)
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        lived, fresh = at(Path(name) / "lived"), at(Path(name) / "fresh")
        for world in (lived, fresh):
            stack.callback(world.warehouse.let_go)
        reports = told(fresh, story, luck)
        come(fresh, reports)
        coming = sorted(reports, key=lambda key: WAYS[way](key[0].toordinal(), luck.random()))
        edges = [int(len(coming) * (begun + (1 - begun) * part / len(loads))) for part in range(len(loads) + 1)]
        for load, begin, end in zip(loads, [0, *edges[1:]], edges[1:], strict=False):
            again = [key for key in coming[:begin] if luck.random() < load.again]
            come(lived, {key: reports[key] for key in (*coming[begin:end], *again)})
            live(lived, load, luck, Path(name) / "old")
        for domains, back in (((), None), ((), 3), (DOMAINS[:1], None)):
            assert ask(lived.warehouse, domains, back) == ask(fresh.warehouse, domains, back)


def live(world: World, load: Load, luck: random.Random, old: Path) -> None:
    """What happens after a load."""
    for domains, back in load.asks:
        ask(world.warehouse, domains, back)
    if load.decision:
        with world.warehouse.reading() as connection:
            keys = connection.execute("SELECT DISTINCT source_key FROM daily ORDER BY ALL").fetchall()
        world.decide(luck.choice(keys)[0], load.decision)
    turn(load.files, kept.folder_of(world.warehouse.path), old)


def test_what_stands_for_a_sources_days_is_another_when_they_are(tmp_path: Path) -> None:
    world = World.at(tmp_path)
    scope = Scope((), None, LAST)

    def stands() -> tuple[str, str]:
        """The state and the past of the mailer."""
        with world.warehouse.reading() as connection:
            books = opened(reads_changes.sources(connection, scope, 1), DRIFT, LAST)
            found = reads_changes.books(connection, scope, books)
        row = found.filter(domain=OURS, source_key="as:mailer.test").row(0, named=True)
        return row["state"], row["past"]

    def sent(back: int, ip: str = MAILER, reporter: str = "late.test") -> tuple[str, str]:
        world.send(ip, days(back, back), 5, reporters=[reporter])
        world.save()
        return stands()

    usual(world, days(SPAN))
    world.save()
    first = stands()
    # Others' days, what is sent again, what begins to count no more, and how rows are stored make no difference.
    assert sent(3, ip=RELAY) == sent(SPAN) == first
    with world.warehouse.writing(reports=False) as connection:
        pieces = melting.due(connection, everything=True)
    melting.melt(world.warehouse, pieces)
    assert pieces
    assert stands() == first
    recent = sent(SETTLED - 1)
    assert recent[0] != first[0]
    assert recent[1] == first[1]
    assert sent(SETTLED - 1) == recent
    old = sent(SETTLED + EVERY)
    assert old[0] != recent[0]
    assert old[1] != recent[1]
    assert sent(SETTLED + EVERY, reporter="another.test")[1] != old[1]
