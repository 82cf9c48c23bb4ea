"""The shape of a record: everything it says but its address and its count (RFC 9990 section 3.1.1.8 ff.)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from itertools import chain, islice
from operator import getitem
from typing import Any, NamedTuple

from ingest.errors import MalformedReport
from ingest.outcome import Reason
from ingest.reports import words
from ingest.reports.outline import Outline, Place, Places, chooser

Notes = tuple[tuple[str, str, str], ...]

LIST_LIMIT = 100
"""Most DKIM results, SPF results and reasons of one record; receivers check about ten signatures."""


class DkimAuthResult(NamedTuple):
    """`auth_results/dkim`: what DKIM said of one signature, whether aligned or not."""

    domain: str
    selector: str | None
    result: str


class SpfAuthResult(NamedTuple):
    """`auth_results/spf`: what SPF said of the envelope or HELO domain, whether aligned or not."""

    domain: str
    scope: str | None
    result: str


class OverrideReason(NamedTuple):
    """`policy_evaluated/reason`: why the receiver did not do what the policy asked."""

    type: str
    comment: str | None


class Shape(NamedTuple):
    """All of a record but its address and count; and what was put right in it (code, what, where).

    `header_from` is "" where the record names none. `reasons`, `dkim` and `spf` hold the fields of OverrideReason,
    DkimAuthResult and SpfAuthResult one after the other, so that most shapes are made of one tuple.
    """

    disposition: str
    dkim_aligned: bool | None
    spf_aligned: bool | None
    reasons: tuple[str | None, ...]
    header_from: str
    envelope_from: str | None
    envelope_to: str | None
    dkim: tuple[str | None, ...]
    spf: tuple[str | None, ...]
    notes: Notes = ()


class Layout(NamedTuple):
    """What the texts of a shape stand for, in this order: those of `HEAD`, then two or three for each of the rest.

    Behind them, for each of the rest, what else it says.
    """

    envelope_from: bool  # whether there is such an element, blank or not
    envelope_to: bool
    reasons: int
    dkim: int
    spf: int


HEAD = ("disposition", "dkim_aligned", "spf_aligned", "header_from", "envelope_from", "envelope_to")
_REASON, _DKIM, _SPF = ("type", "comment"), ("domain", "selector", "result"), ("domain", "scope", "result")


class RecordPlan:
    """Where the values of a record stand among the texts of its outline: made once for each outline.

    Raises MalformedReport where there is not exactly one address and one count: without either, the
    report's numbers would be wrong.
    """

    __slots__ = ("alone", "count", "layout", "names", "plain", "source_ip", "values")

    def __init__(self, outline: Outline) -> None:
        self.names = outline.names
        found: dict[str, list[int]] = {}
        for number, place in enumerate(outline.places):
            found.setdefault(_VALUES.get(place.path, ""), []).append(number)
        self.source_ip = _only(found, outline, "source_ip")
        self.count = _only(found, outline, "count")
        last = [place.path[-1] for place in outline.places]
        # Whether elements of these names stand nowhere else, known or unknown.
        self.alone = last.count("source_ip") == last.count("count") == 1
        reasons = _groups(outline.places, "reason", _REASON, _IN_POLICY_EVALUATED)
        dkim = _groups(outline.places, "dkim", _DKIM, (("auth_results",),))
        spf = _groups(outline.places, "spf", _SPF, (("auth_results",),))
        self.layout = Layout("envelope_from" in found, "envelope_to" in found, len(reasons), len(dkim), len(spf))
        places = [tuple(found.get(name, ())) for name in HEAD]
        groups = (*reasons, *dkim, *spf)
        places += [one for group in groups for one in group[:-1]]
        self.values = chooser([*places, *(group[-1] for group in groups)])
        self.plain = plain_readers(self.layout)


_IN_POLICY_EVALUATED = (("row", "policy_evaluated"), ("policy_evaluated",), ("row",), ())
"""Where the evaluated policy stands: in its element, or as in drafts straight in what is around it."""

_VALUES: dict[tuple[str, ...], str] = {
    **{(*above, name): name for above in (("row",), ()) for name in ("source_ip", "count")},
    **{
        (*above, element): name
        for above in _IN_POLICY_EVALUATED
        for element, name in (("disposition", "disposition"), ("dkim", "dkim_aligned"), ("spf", "spf_aligned"))
    },
    **{
        (*above, name): name
        for above in (("identifiers",), ("identities",), ())
        for name in ("header_from", "envelope_from", "envelope_to")
    },
}


def _only(found: dict[str, list[int]], outline: Outline, name: str) -> int:
    places = found.get(name, [])
    unreadable = [place for place in outline.places if place.path[:-1] in ((name,), ("row", name))]
    if len(places) == 1 and not unreadable:
        return places[0]
    what = "an unreadable" if unreadable else "more than one" if places else "no"
    reason = Reason.NUMBER_INVALID if name == "count" and (places or unreadable) else Reason.FIELD_MISSING
    raise MalformedReport(reason, f"A record has {what} {name}.")


def _groups(
    places: Sequence[Place], element: str, names: Sequence[str], above: Sequence[tuple[str, ...]]
) -> list[list[Places]]:
    """For each such element: the places of its children of each name, and of all else it says."""
    groups: dict[int, list[list[int]]] = {}
    for number, place in enumerate(places):
        if place.path[-1] == element and place.path[:-1] in above:
            name, owner = "", place.elements[-1]
        elif len(place.path) > 1 and place.path[-2] == element and place.path[:-2] in above:
            name, owner = place.path[-1], place.elements[-2]
        else:
            continue
        group = groups.setdefault(owner, [[] for _ in range(len(names) + 1)])
        group[names.index(name) if name in names else -1].append(number)
    return [[tuple(one) for one in group] for group in groups.values()]


def read_shape(plan: RecordPlan, texts: list[str]) -> Shape:
    """What a record says. Nothing in it is refused: what cannot be read is left out, and noted."""
    values, layout = plan.values(texts), plan.layout
    try:
        said = tuple(map(getitem, plan.plain, values))
    except NotPlain:
        return _read_odd(layout, values)
    dkim = len(HEAD) + 2 * layout.reasons
    spf = dkim + 3 * layout.dkim
    return Shape(
        said[0],
        said[1],
        said[2],
        said[len(HEAD) : dkim],
        said[3],
        said[4] if layout.envelope_from else None,
        said[5] if layout.envelope_to else None,
        said[dkim:spf],
        said[spf:],
    )


def _read_odd(layout: Layout, values: tuple[str, ...]) -> Shape:
    """The same where something has to be put right, or is not there."""
    disposition, notes = _disposition(values[0])
    dkim_aligned, of_dkim_aligned = _aligned(values[1], "policy_evaluated/dkim")
    spf_aligned, of_spf_aligned = _aligned(values[2], "policy_evaluated/spf")
    header_from, of_header_from = _named(values[3], "identifiers/header_from")
    envelope_from, of_envelope_from = _named(values[4], "identifiers/envelope_from")
    envelope_to, of_envelope_to = _named(values[5], "identifiers/envelope_to")
    rest = iter(values[len(HEAD) :])
    of_reasons = [tuple(islice(rest, 2)) for _ in range(layout.reasons)]
    of_dkim = [tuple(islice(rest, 3)) for _ in range(layout.dkim)]
    of_spf = [tuple(islice(rest, 3)) for _ in range(layout.spf)]
    reasons, odd_reasons = _each(_reason, [(*one, next(rest)) for one in of_reasons], "policy_evaluated/reason")
    dkim, odd_dkim = _each(_dkim, [(*one, next(rest)) for one in of_dkim], "auth_results/dkim")
    spf, odd_spf = _each(_spf, [(*one, next(rest)) for one in of_spf], "auth_results/spf")
    notes += of_dkim_aligned + of_spf_aligned + odd_reasons
    notes += of_header_from + of_envelope_from + of_envelope_to + odd_dkim + odd_spf
    return Shape(
        disposition,
        dkim_aligned,
        spf_aligned,
        reasons,
        header_from,
        envelope_from if layout.envelope_from else None,
        envelope_to if layout.envelope_to else None,
        dkim,
        spf,
        notes,
    )


def _note(code: str, what: str, where: str) -> Notes:
    return ((code, what[:120], where),) if code else ()


def _each(
    read: Callable[..., tuple[tuple[str | None, ...] | None, Notes]], groups: Sequence[tuple[str, ...]], where: str
) -> tuple[tuple[str | None, ...], Notes]:
    found: list[tuple[str | None, ...]] = []
    notes: list[tuple[str, str, str]] = []
    for group in groups:
        one, of_one = read(*group)
        notes += of_one
        if one:
            found.append(one)
    if len(found) > LIST_LIMIT:
        notes += _note("list_cut", f"{len(found)} entries", where)
    return tuple(chain.from_iterable(found[:LIST_LIMIT])), tuple(notes)


@lru_cache(1024)
def _disposition(raw: str) -> tuple[str, Notes]:
    """disposition: none, quarantine, reject, and pass since RFC 9990; other words are kept."""
    text, repair = words.word(raw)
    return text or "none", _note(repair if text else "disposition_missing", text, "policy_evaluated/disposition")


@lru_cache(1024)
def _aligned(raw: str, where: str) -> tuple[bool | None, Notes]:
    """pass or fail; any other word says that it did not pass."""
    text = words.word(raw)[0]
    if not text:
        return None, ()
    return text == "pass", () if text in ("pass", "fail") else _note("aligned_word", text, where)


def _named(raw: str, where: str) -> tuple[str, Notes]:
    """header_from, envelope_from, envelope_to."""
    text, repair = words.domain(raw)
    return text, _note(repair, raw, where) if repair else ()


@lru_cache(1024)
def _reason(kind: str, comment: str, more: str) -> tuple[OverrideReason | None, Notes]:
    """reason: type and comment; drafts have the type as text."""
    kind = words.word(kind or more)[0]
    comment, repair = words.clean(comment)
    notes = _note(repair, comment, "policy_evaluated/reason/comment")
    return OverrideReason(kind or "other", comment or None) if kind or comment else None, notes


@lru_cache(2048)
def _dkim(domain: str, selector: str, result: str, more: str) -> tuple[DkimAuthResult | None, Notes]:
    """auth_results/dkim; an empty element says nothing."""
    if not (domain or selector or result or more):
        return None, ()
    name, said, notes = _domain_and_result(domain, result, "auth_results/dkim")
    return DkimAuthResult(name, _selector(selector), said), notes


def _selector(raw: str) -> str | None:
    """A selector is a DNS name, so case means nothing."""
    return words.word(raw)[0].rstrip(".")[:255] or None


@lru_cache(2048)
def _spf(domain: str, scope: str, result: str, more: str) -> tuple[SpfAuthResult | None, Notes]:
    """auth_results/spf; an empty element says nothing."""
    if not (domain or scope or result or more):
        return None, ()
    name, said, notes = _domain_and_result(domain, result, "auth_results/spf")
    return SpfAuthResult(name, words.word(scope)[0] or None, said), notes


def _domain_and_result(domain: str, result: str, where: str) -> tuple[str, str, Notes]:
    name, odd = words.domain(domain)
    said, wrong = words.result(result)
    return name, said, _note(odd, domain, f"{where}/domain") + _note(wrong, result, f"{where}/result")


# -- most texts, which need nothing but a look ------------------------------------------------------


class NotPlain(Exception):
    """Something has to be put right in a text, or is missing: read the record with care."""


class _Plain(dict[str, Any]):
    """What texts of one kind say, by the texts, as long as there is nothing to note. Bounded."""

    def __init__(self, read: Callable[[str], tuple[Any, Any]]) -> None:
        super().__init__()
        self._read = read

    def __missing__(self, raw: str) -> Any:
        value, noted = self._read(raw)
        if noted:
            raise NotPlain
        if len(raw) <= _PLAIN_LENGTH:
            if len(self) >= _PLAIN_KEPT:
                self.clear()
            self[raw] = value
        return value


_PLAIN_LENGTH, _PLAIN_KEPT = 255, 2**13
_DOMAIN = _Plain(words.domain)
_HEAD_READERS = (
    _Plain(_disposition),
    *(_Plain(partial(_aligned, where="")) for _ in range(2)),
    *(_DOMAIN for _ in range(3)),
)
_REASON_READERS = (
    _Plain(lambda raw: (words.word(raw)[0], not words.word(raw)[0])),
    _Plain(lambda raw: ((said := words.clean(raw))[0] or None, said[1])),
)
_RESULT = _Plain(words.result)
_DKIM_READERS = (_DOMAIN, _Plain(lambda raw: (_selector(raw), "")), _RESULT)
_SPF_READERS = (_DOMAIN, _Plain(lambda raw: (words.word(raw)[0] or None, "")), _RESULT)


def plain_readers(layout: Layout) -> tuple[_Plain, ...]:
    """What reads each of a layout's texts; what else its lists say matters only where type or result is missing."""
    if max(layout.reasons, layout.dkim, layout.spf) > LIST_LIMIT:
        return (_Plain(lambda _: (None, "list_cut")),)
    lists = (_REASON_READERS * layout.reasons, _DKIM_READERS * layout.dkim, _SPF_READERS * layout.spf)
    return (*_HEAD_READERS, *chain.from_iterable(lists))
