"""A reporter's silence is told to those whose mail it told of, with what is missing of theirs."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from analysis.news import News, news
from analysis.settings import AnalysisSettings
from tests.analysis.world import LAST, MAILER, OURS, TODAY, World, days, usual
from warehouse.connect import Warehouse
from warehouse.scope import Scope

OTHER = "example.org"
SILENT = days(59, 20)  # days on which both told


def gaps(warehouse: Warehouse, *domains: str) -> list[News]:
    scope = Scope(domains, LAST - timedelta(days=29), LAST)
    return [one for one in news(warehouse, scope, TODAY, AnalysisSettings()) if one.kind == "reporter_gap"]


def test_others_reporters_are_not_named_and_others_mail_is_not_counted(tmp_path: Path) -> None:
    world = World.at(tmp_path)
    for domain in (OURS, OTHER):
        usual(world, days(60), domain=domain)
    world.send(MAILER, SILENT, 30, domain=OTHER, reporters=["theirs.test"])
    world.send(MAILER, SILENT, 10, domain=OURS, reporters=["both.test"])
    world.send(MAILER, SILENT, 30, domain=OTHER, reporters=["both.test"])
    warehouse = world.save()
    missing = {one.reporter: one.messages for one in gaps(warehouse)}
    assert set(missing) == {"theirs.test", "both.test"}
    (ours,) = gaps(warehouse, OURS)
    assert (ours.reporter, ours.messages) == ("both.test", round(missing["both.test"] / 4))
    others = {one.reporter: one.messages for one in gaps(warehouse, OTHER)}
    assert others == {"theirs.test": missing["theirs.test"], "both.test": round(missing["both.test"] * 3 / 4)}
