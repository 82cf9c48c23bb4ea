"""The warehouse as of an instant is what it was then: table by table, and in the bytes of an old week's report."""

from __future__ import annotations

import random
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.analysis.world import FORWARDER, LAST, MAILER, OFFICE, OURS, REPORTERS, World, days, usual
from warehouse.connect import Connection, Warehouse
from warehouse.decisions import SourceDecision, decide
from warehouse.known import LATER, known_at
from warehouse.rollup import ROLLUPS

THEN = datetime(2026, 11, 23, 23)  # noqa: DTZ001 - as the tables have it. World stores everything on that morning
AFTER = datetime(2026, 11, 25, 8, tzinfo=UTC)


def tables(connection: Connection) -> dict[str, list[tuple[object, ...]]]:
    """What stands in the tables that have a past."""
    found = dict[str, list[tuple[object, ...]]]()
    for rollup in ROLLUPS:
        for name, sums in ((rollup.name, rollup.sums), (rollup.months if rollup.monthly else "", rollup.monthly)):
            if name:
                keys, added = ", ".join(rollup.keys), ", ".join(f"sum({one})" for one in sums)
                # Several rows of a key add up, but there is none that comes to nothing.
                query = f"SELECT {keys}, {added} FROM {name} GROUP BY {keys} ORDER BY ALL"
                found[name] = connection.execute(query).fetchall()
                assert all(row[len(rollup.keys)] for row in found[name])
    found["spans"] = connection.execute(
        "SELECT domain, source_key, day, min(first_day), max(last_day) FROM source_month GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    for name in (*LATER, "aggregate_record", "finding", "current_decision", "current_dns"):
        found[name] = connection.execute(f"SELECT * FROM {name} ORDER BY ALL").fetchall()
    return found


def grown(folder: Path, luck: random.Random) -> tuple[Warehouse, Warehouse]:
    """A warehouse, and the copy of it that was made before reports of old and new days and decisions came."""
    world = World.at(folder)
    for domain in (OURS, "example.org"):
        usual(world, days(70, 3), domain=domain)
    world.send(FORWARDER, days(40, 20), 7, dkim=((OURS, "m1", "pass"),), spf=("boxes.test", "pass"))
    world.save()
    world.decide("as:mailer.test", "approved", owner="mia")
    old = Warehouse(folder / "old.duckdb", world.warehouse.settings)
    shutil.copy(world.warehouse.path, old.path)
    with old.reading() as connection:
        ((newest,),) = connection.execute("SELECT max(report_key) FROM aggregate_report").fetchall()
    usual(world, days(2))
    for _ in range(12):
        when = [LAST - timedelta(days=luck.randrange(0, 75))]
        reporter = luck.choice(("slow.test", *REPORTERS))
        ip = luck.choice((MAILER, OFFICE, FORWARDER, "192.88.99.10"))
        world.send(ip, when, luck.randrange(1, 90), domain=luck.choice((OURS, "example.org")), reporters=[reporter],
                   dkim=((OURS, "late", luck.choice(("pass", "fail"))),), spf=(OURS, "fail"))  # fmt: skip
    world.save()
    with world.warehouse.writing() as connection:
        later = AFTER.replace(tzinfo=None)
        connection.execute("UPDATE aggregate_report SET stored_at = ? WHERE report_key > ?", [later, newest])
        decide(connection, SourceDecision(OURS, "as:mailer.test", "spoof", "eve", None, None, None), AFTER)
    return world.warehouse, old


@pytest.mark.parametrize("seed", range(4))
def test_every_table_is_what_it_was(tmp_path: Path, seed: int) -> None:
    now, old = grown(tmp_path, random.Random(seed))
    with old.reading() as connection:
        then = tables(connection)
    with now.reading() as connection:
        assert tables(connection) != then
    with known_at(now, THEN) as past:
        for _ in range(2):
            with past.reading() as connection:
                assert tables(connection) == then
        # What comes meanwhile is left out as well.
        world = World(now, World.at(tmp_path / "another").identifier)
        world.send(MAILER, days(40, 3), 5, reporters=["new.test"])
        world.save()
        with now.writing() as connection:
            connection.execute("UPDATE aggregate_report SET stored_at = ? WHERE reporter = 'new.test'", [AFTER])
        with past.reading() as connection:
            assert tables(connection) == then
        with pytest.raises(NotImplementedError), past.writing():
            pass


def test_before_the_first_report_there_was_nothing(tmp_path: Path) -> None:
    now, _ = grown(tmp_path, random.Random(1))
    with known_at(now, datetime(2026, 1, 1)) as past, past.reading() as connection:  # noqa: DTZ001 - the tables hold UTC without a zone
        assert not any(rows for name, rows in tables(connection).items())
