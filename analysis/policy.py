"""Which policy is published, as the reports show it, and which of two is stricter."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

import polars as pl

from analysis.genuine import counted
from analysis.keeping import kept
from warehouse import reads
from warehouse.connect import Connection
from warehouse.kept import place
from warehouse.scope import Scope

STRICTNESS = {"none": 0, "quarantine": 1, "reject": 2}
POLICIES = tuple(STRICTNESS)


@dataclass(frozen=True, slots=True)
class Published:
    """A domain's DMARC policy on its newest day with reports; None where reporters left it out.

    `since` is the first day of the latest run of days on which most reports showed this p, and
    `before` the p shown before that, "" where this is the only one.
    """

    p: str | None = None
    sp: str | None = None
    np: str | None = None
    pct: int | None = None
    testing: str | None = None
    since: date | None = None
    before: str = ""

    @property
    def asked(self) -> str:
        """What receivers are asked to do with what fails."""
        return eased(self.p or "none") if self.testing == "y" else self.p or "none"

    @property
    def enforced(self) -> bool:
        """Whether they are asked to hold any of it back."""
        return self.asked in POLICIES[1:]

    @property
    def whole(self) -> bool:
        """Whether receivers are asked to apply it to all mail: no pct below 100, no test mode."""
        return self.testing != "y" and (self.pct is None or self.pct >= 100)


def policies(connection: Connection, scope: Scope) -> dict[str, Published]:
    """What is published for each of the scope's domains with reports up to its last day, the largest first."""
    ever = replace(scope, since=None, without=())
    asked = place(connection, "policies", counted(connection, ever), domains=scope.domains)
    return kept(asked, dict[str, Published], lambda: _policies(connection, ever))


def _policies(connection: Connection, ever: Scope) -> dict[str, Published]:
    ever = counted(connection, ever)
    names = reads.last_days(connection, ever)["domain"].to_list()
    rows = reads.policy_days(connection, ever)
    parts = rows.partition_by("domain", as_dict=True)
    return {name: published(parts.get((name,), rows.clear())) or Published() for name in names}


def published(rows: pl.DataFrame) -> Published | None:
    """What most reports show of one domain, from its rows of `reads.policy_days`; None without any report."""
    if rows.is_empty():
        return None
    # Reporters learn of a change a day late, each at its own time: most reports count, not the last.
    main = rows.sort(["day", "reports", "reporters", "p"], descending=[False, True, True, False], nulls_last=True)
    main = main.group_by("day", maintain_order=True).first().sort("day")
    last = main.row(-1, named=True)
    others = main.filter(pl.col("p").ne_missing(last["p"]))
    since: date = main["day"][0]
    if others.height:
        since = main.filter(pl.col("day") > others["day"][-1])["day"][0]
    return Published(
        p=_word(last["p"]), sp=_word(last["sp"]), np=_word(last["np"]), pct=last["pct"], testing=last["testing"],
        since=since, before=(_word(others["p"][-1]) or "none") if others.height else "",
    )  # fmt: skip


def _word(text: str | None) -> str | None:
    # A word that is no policy is applied as none by receivers (RFC 7489 6.6.3); it must not reach a sentence.
    return None if text is None else text if text in STRICTNESS else "none"


def eased(policy: str) -> str:
    """What is applied of a policy under test (t=y): the next weaker one (RFC 9989 section 4.7)."""
    return POLICIES[max(STRICTNESS[policy] - 1, 0)]


def weaker(first: str | None, second: str | None) -> bool:
    """Whether the first policy is weaker than the second. A missing policy is none."""
    return STRICTNESS[first or "none"] < STRICTNESS[second or "none"]
