"""What moved a domain's rate, in words that sum to it: "-3.1 points: -2.8 Mailer lost DKIM, -0.4 more forwarding"."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from analysis.cause import shown
from analysis.decomposition import WIDTH, Decomposition, Effect, days_moved, of_domains
from analysis.drift import Drift
from analysis.evidence import resting
from analysis.grounds import grounds
from analysis.keeping import kept_over
from analysis.settings import SourceSettings
from analysis.sources import Source, by_domain, each, sources
from warehouse.connect import Connection, Warehouse
from warehouse.kept import Place, place
from warehouse.scope import Scope

MOST: Final = 6  # parts that have a word of their own; the others stand together
FEWEST: Final = 0.1  # points below which a part has none
LESS, MORE = "less", "more"
# Sources that nobody thinks of one by one, by what their mail is.
TOGETHER: Final = {
    "forwarded": "forwarding",
    "spoofing": "mail that looks like spoofing",
    "unknown": "mail of unknown sources",
}
REST: Final = "all else"


@dataclass(frozen=True, slots=True)
class Part:
    """So many points of the change, rounded to tenths, and what they are, as words.

    The words of a reporter's part hold its name, which is text from reports: to be shown as such.
    """

    points: float
    words: str


Told = tuple[Decomposition, tuple[Part, ...]]
"""What moved a domain, and the words for it."""


def told(warehouse: Warehouse, drifts: Sequence[Drift], newest: date, settings: SourceSettings) -> list[Told]:
    """What moved each domain in which something drifted, with the words for it; kept for as long as it is true."""
    moved = days_moved(drifts)
    if not moved:
        return []
    over = Scope(tuple(moved), min(moved.values()) - timedelta(days=WIDTH), newest)
    lost = [(one.domain, one.source_key, one.name, one.mechanism, *_settled(one)) for one in drifts]

    def asked(connection: Connection) -> Place:
        about = grounds(connection, over.domains, resting(connection, over, newest, settings))
        return place(connection, "apart", moved, lost, over, settings, about, domains=over.domains)

    def made() -> list[Told]:
        known = by_domain(sources(warehouse, over, newest, settings))
        return [(one, parts(one, known.get(one.domain, ()), drifts)) for one in of_domains(warehouse, over, moved)]

    return kept_over(warehouse, asked, list[Told], made)


def parts(split: Decomposition, found: Sequence[Source], drifts: Sequence[Drift]) -> tuple[Part, ...]:
    """The change taken apart, the largest part first; rounded to tenths, they sum to the rounded change.

    `found` are the domain's sources over the days of the split, `drifts` its drifts, which tell by what a source lost
    alignment.
    """
    mine = {key: (name, kind) for key, name, kind in each(found, "source_key", "name", "kind")}
    names = {one.source_key: one.name for one in drifts if one.domain == split.domain}
    lost = _mechanisms(split, drifts)
    alike: dict[tuple[str, str, str], list[Effect]] = defaultdict(list)
    for effect in split.effects:
        kind = mine[effect.key][1] if effect.key in mine and effect.kind != "coverage" else ""
        group = kind if kind in TOGETHER else ""
        alike[effect.kind, group, "" if group else effect.key].append(effect)
    said = []
    for (what, group, key), effects in alike.items():
        points, share = sum(one.points for one in effects), sum(one.share for one in effects)
        if abs(points) >= FEWEST and (group or key):
            name = TOGETHER.get(group) or (mine[key][0] if key in mine else names.get(key, shown(key)))
            said.append(Part(round(points, 1), _words(what, name, (points, share), lost.get(key, ""))))
    said = sorted(said, key=lambda one: (-abs(one.points), one.words))[:MOST]
    rest = round(round(split.points, 1) - sum(one.points for one in said), 1)
    return (*said, *([Part(rest, REST)] if rest else []))


def sentence(split: Decomposition, made_of: Sequence[Part]) -> str:
    """All of it: '-3.1 points: -2.8 Mailer lost DKIM, -0.4 more forwarding, +0.1 gmx.net is missing'."""
    said = ", ".join(f"{signed(one.points)} {one.words}" for one in made_of)
    return f"{signed(round(split.points, 1))} points" + (f": {said}" if said else "")


def signed(points: float) -> str:
    """Points with their sign, to tenths; the minus is a minus, and nothing has none."""
    return f"{round(points, 1) + 0.0:+.1f}".replace("-", "\N{MINUS SIGN}")


def _words(what: str, name: str, moved: tuple[float, float], lost: str) -> str:
    points, share = moved
    if what == "coverage":
        return f"{name} {'is new among the reporters' if share > 0 else 'is missing among the reporters'}"
    if what == "mix":
        who = name if name in TOGETHER.values() else f"mail of {name}"
        return f"{MORE if share > 0 else LESS} {who}"
    if lost:
        return f"{name} {'lost' if points < 0 else 'won'} {lost}"
    return f"{name} aligned {LESS if points < 0 else MORE}"


def _mechanisms(split: Decomposition, drifts: Sequence[Drift]) -> Mapping[str, str]:
    """By source, what it lost or won within the days of the split: DKIM, SPF or both."""
    found: dict[str, set[str]] = defaultdict(set)
    for one in drifts:
        started, settled = _settled(one)
        there = started <= split.late[1] and (settled or split.late[1]) >= split.early[0]
        if one.domain == split.domain and one.mechanism != "dmarc" and there:
            found[one.source_key].add(one.mechanism.upper())
    return {key: " and ".join(sorted(each)) for key, each in found.items()}


def _settled(one: Drift) -> tuple[date, date | None]:
    """From when to when it went on; None where it has not come to rest."""
    return one.started_on, one.ended_on if one.shape == "slide" else one.started_on
