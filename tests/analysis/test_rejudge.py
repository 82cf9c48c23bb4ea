"""Rows judged under two rules at once, against each row judged by itself as the RFCs tell it."""

from __future__ import annotations

from datetime import datetime
from itertools import product

import polars as pl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analysis.applied import Applied
from analysis.candidate import Candidate, parse, read
from analysis.policy import eased
from analysis.rejudge import Situation, apart, judged
from analysis.tree import Names, Tree
from ingest.alignment import aligned
from ingest.discovery import RULES, Discovered, Rule, discover
from warehouse.lookups import Lookup

OURS = "o.test"
BELOW = [".".join((*labels, OURS)) for count in range(4) for labels in product("xy", repeat=count)]
NAMES = [*BELOW, "p.test", "x.p.test"]
NODES = [*NAMES, "test"]
AT = datetime(2026, 11, 22)  # noqa: DTZ001 - naive UTC, as the warehouse has it
MODERN = "walker"

SEEN = pl.DataFrame(
    schema={name: pl.String for name in ("reporter", "p", "sp", "testing")} | {"day": pl.Date, "pct": pl.Int64}
)
policies = st.sampled_from(("none", "quarantine", "reject"))
extras = st.sampled_from(("", "; sp=none", "; sp=reject", "; np=reject", "; np=none; sp=quarantine"))
ends = st.sampled_from(("", "; psd=n", "; psd=y", "; psd=u"))
modes = st.sampled_from(("", "; adkim=s", "; t=y"))
record = st.builds(lambda p, extra, mode, end: f"v=DMARC1; p={p}{extra}{mode}{end}", policies, extras, modes, ends)
standing = st.dictionaries(st.sampled_from(NODES), record, max_size=6)
rows = st.lists(
    st.tuples(st.sampled_from(BELOW), st.lists(st.sampled_from(NAMES), max_size=2), st.booleans()),
    min_size=1, max_size=12,
)  # fmt: skip


def tree_of(records: dict[str, str], missing: set[str]) -> Tree:
    """DNS that has answered everything; `missing` names do not exist."""
    found = {}
    for name in NODES:
        held = (records[name],) if name in records else ()
        found[f"_dmarc.{name}", "TXT"] = Lookup(bool(held) or name not in missing, held, AT, AT, AT)
        found[name, "A"] = Lookup(name not in missing, (), AT, AT, AT)
    return Tree(Names(OURS, dict.fromkeys(BELOW, 1), dict.fromkeys(NAMES, 1)), found)


def frame(told: list[tuple[str, list[str], bool]]) -> pl.DataFrame:
    """Rows as `reads_ledger.outcomes_by_name` gives them, of receivers that judged by the list."""
    return pl.DataFrame(
        [
            {
                "day": AT.date(), "header_from": name, "source_key": f"s{at}", "reporter": MODERN if modern else "list",
                "disposition": "none", "overridden": False, "messages": 1, "spf_aligned": False, "spf_told": False,
                "spf_exact": False, "spf_passed": [], "dkim_told": bool(passed), "dkim_exact": name in passed,
                "dkim_passed": sorted(set(passed)), "dkim_aligned": any(aligned(name, one) for one in passed),
            }
            for at, (name, passed, modern) in enumerate(told)
        ],
        schema_overrides={"dkim_passed": pl.List(pl.String), "spf_passed": pl.List(pl.String)},
    )  # fmt: skip


def naive(rule: Rule, wish: Candidate, tree: Tree, name: str, passed: list[str], modern: bool) -> tuple[bool, bool]:
    """Whether one row is aligned, and whether it fails and is to be blocked."""

    def find(asked: str) -> Discovered:
        return discover(rule, asked, lambda at: (wish.record,) if at == OURS else tree.records_at(at))

    found = find(name)
    applies = (wish if found.found_at == OURS else read(found.record)) if found.found_at else Candidate("none")
    if applies.adkim == "s":
        passes = name in passed
    else:
        passes = any(find(one).organization == found.organization for one in passed)
    policy = applies.asks(below=name != found.found_at, exists=tree.exists(name) is True)
    policy = eased(policy) if applies.testing and modern else policy
    return passes, not passes and policy != "none"


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(record, standing, st.sets(st.sampled_from(BELOW)), rows)
def test_both_rules_say_of_all_rows_what_they_say_of_each(
    candidate: str, records: dict[str, str], missing: set[str], told: list[tuple[str, list[str], bool]]
) -> None:
    tree, wish = tree_of(records, missing - {OURS}), parse(candidate)
    situation = Situation(
        OURS, wish, modern=frozenset({MODERN}), applied=Applied(tree, wish), walkers=frozenset({MODERN})
    )
    found = {row["source_key"]: row for row in apart(frame(told), SEEN, situation).iter_rows(named=True)}
    blocked = set(judged(frame(told), SEEN, situation).filter(pl.col("open") > 0)["source_key"])
    for at, (name, passed, modern) in enumerate(told):
        of = {rule: naive(rule, wish, tree, name, passed, modern) for rule in RULES}
        # Each receiver goes by its own rule.
        assert (f"s{at}" in blocked) is of["treewalk" if modern else "psl"][1], (name, passed, of)
        row = found.get(f"s{at}")
        assert (row is not None) == (of["psl"] != of["treewalk"]), (name, passed, of)
        if row:
            assert row["walks"] is modern
            assert {rule: (row[f"passes_{rule}"], row[f"blocks_{rule}"]) for rule in RULES} == of


def test_nobody_is_judged_by_what_dns_did_not_answer() -> None:
    wish = parse("p=reject")
    tree = Tree(Names(OURS, dict.fromkeys(BELOW, 1), {}), {})
    situation = Situation(OURS, wish, applied=Applied(tree, wish), walkers=frozenset({MODERN}))
    told = [(name, [other], True) for name in BELOW for other in NAMES]
    assert apart(frame(told), SEEN, situation).is_empty()
