"""What records add to the rollups, beside the same added up one by one; the texts differ too much for one number."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from random import Random
from typing import Any

import pyarrow as pa
import pytest

from warehouse.deltas import OF_SHAPE, deltas
from warehouse.records import OF_REPORT, SHAPE
from warehouse.rollup import ALIGNED, DAILY, ROLLUPS

Record = dict[str, Any]
FIRST = date(2026, 1, 1)
TEXT = pa.string()
RECORDS = pa.schema(
    [*OF_REPORT, ("source_ip", TEXT), ("source_key", TEXT), ("messages", pa.int64()), ("shape_index", pa.int32())]
)
SHAPES = pa.schema([field for field in SHAPE if field.name in OF_SHAPE])


def record(chance: Random) -> Record:
    """A record of which nearly every text is a new one."""

    def name(kind: str, most: int = 10**6) -> str:
        return f"{kind}-{chance.randrange(most)}.example"

    said = [{"domain": name("d"), "selector": chance.choice(("s", None)), "result": "pass"} for _ in range(2)]
    return {
        "day": FIRST + timedelta(days=chance.randrange(40)),
        "days": chance.choice((1, 1, 1, 7)),
        "messages": chance.choice((1, 3, 2**52)),
        "domain": name("owner", 3),
        "reporter": name("reporter", 400),
        "doubt": chance.choice(("", "", "unsigned")),
        "source_ip": name("address"),
        "source_key": name("source", 1000),
        "disposition": chance.choice(("none", "quarantine", "reject")),
        "dkim_aligned": chance.random() < 0.5,
        "spf_aligned": chance.random() < 0.5,
        "reasons": chance.choice(([], [{"type": "forwarded", "comment": None}, {"type": "other", "comment": "x"}])),
        "header_from": name("from"),
        "envelope_from": chance.choice((None, name("envelope"))),
        "dkim": said[: chance.randrange(3)],
        "spf": [{"domain": name("s"), "scope": None, "result": "fail"}][: chance.randrange(2)],
    }


def spread(records: list[Record]) -> list[Record]:
    """A record for each day of each."""
    found = []
    for one in records:
        share, rest = divmod(one["messages"], one["days"])
        for nth in range(one["days"]):
            day = {"day": one["day"] + timedelta(days=nth), "messages": share + (nth < rest)}
            found.append(one | day | {"overridden": bool(one["reasons"]), "estimated": one["days"] > 1})
    return [one for one in found if one["messages"]]


def told(one: Record) -> Record:
    """What the rollups without reporters say of it, and its sums."""
    which = one["dkim_aligned"] or one["spf_aligned"], one["dkim_aligned"], one["spf_aligned"]
    sums = zip(ALIGNED[1:], (one["messages"] * said for said in which), strict=True)
    return one | {"reporter": one["reporter"] if one["doubt"] else ""} | dict(sums)


def rows(records: list[Record], rollup: str) -> list[Record]:
    """What stands in a rollup by the records, one row for each of them and each entry of its lists."""
    if rollup in ("daily", "reporter_day", "source_day"):
        return of_days(spread(records), rollup)
    if rollup == "address_day":
        return [told(one) for one in records]
    if rollup == "signature_day":
        without = {"domain": None, "selector": None, "result": None}
        entries = [(told(one), said) for one in records for said in one["dkim"] or [without]]
        return [one | said | {"signing_domain": said["domain"], "domain": one["domain"]} for one, said in entries]
    if rollup == "envelope_day":
        first = [(told(one), next(iter(one["spf"]), {})) for one in records]
        checked = [(one, said.get("domain") or one["envelope_from"], said.get("result")) for one, said in first]
        return [one | {"spf_domain": domain, "result": result} for one, domain, result in checked]
    return [told(one) | said for one in records for said in one["reasons"]]


def of_days(records: list[Record], rollup: str) -> list[Record]:
    if rollup == "daily":
        return records
    if rollup == "reporter_day":
        sums = [told(one) | {"reporter": one["reporter"]} for one in records]
        return [one | {"estimated": one["messages"] * one["estimated"]} for one in sums]
    return [told(one) | blocked(one) for one in records]


def blocked(one: Record) -> Record:
    failing = not one["dkim_aligned"] and not one["spf_aligned"]
    which = {
        "overridden": one["overridden"],
        "quarantined": one["disposition"] == "quarantine",
        "rejected": one["disposition"] == "reject",
        "failing_overridden": one["overridden"] and failing,
        "failing_blocked": one["disposition"] != "none" and failing,
    }
    return {name: one["messages"] * said for name, said in which.items()}


@pytest.mark.parametrize("rollup", ROLLUPS, ids=lambda rollup: rollup.name)
def test_deltas_are_what_adding_up_gives(rollup: Any) -> None:
    chance = Random(rollup.name)
    records = [record(chance) for _ in range(3000)]
    records += chance.sample(records, 1000)
    # Many shapes stand for several records.
    places = [chance.randrange(len(records)) for _ in range(len(records))]
    shapes = [{name: one[name] for name in OF_SHAPE} for one in records]
    records = [one | shapes[place] for one, place in zip(records, places, strict=True)]
    placed = [one | {"shape_index": place} for one, place in zip(records, places, strict=True)]
    found = dict(deltas(pa.Table.from_pylist(placed, RECORDS), pa.Table.from_pylist(shapes, SHAPES)))[rollup.name]
    for sums in rollup.sums:
        wanted: Counter[tuple[Any, ...]] = Counter()
        for one in rows(records, rollup.name):
            wanted[tuple(one[key] for key in rollup.keys)] += int(one[sums])
        keys = [tuple(one[key] for key in rollup.keys) for one in found.select(rollup.keys).to_pylist()]
        assert len(set(keys)) == len(keys)
        assert dict(zip(keys, found.column(sums).to_pylist(), strict=True)) == dict(wanted)
    order = found.select(["domain", "day"]).to_pylist()
    assert order == sorted(order, key=lambda one: (one["domain"], one["day"]))


def test_no_records_add_nothing() -> None:
    empty = dict(deltas(RECORDS.empty_table(), SHAPES.empty_table()))
    assert DAILY.name in empty
    assert not any(rows.num_rows for rows in empty.values())
