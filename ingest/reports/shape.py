"""The shape of a record: everything it says but its address and its count (RFC 9990 section 3.1.1.8 ff.)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from ingest.reports import words
from ingest.reports.markup import Element, local

LIST_LIMIT = 100
"""Most DKIM results, SPF results and reasons of one record; receivers check about ten signatures."""

_LEAF_LIMIT = 8 * words.TEXT_LIMIT  # as much as cleaning a text ever looks at


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
    """All of a record but its address and count: the other fields in order, and what was put right."""

    fields: tuple[Any, ...]
    notes: tuple[tuple[str, str, str], ...]


def read_shape(record: Element) -> Shape:
    """Walk one `record` element. Nothing in it is refused: what cannot be read is left out, and noted."""
    return _ShapeReader().read(record)


class _ShapeReader:
    """Walks one record once; each element's name finds its method. Unknown elements are passed over."""

    def __init__(self) -> None:
        self.disposition = ""
        self.dkim_aligned: bool | None = None
        self.spf_aligned: bool | None = None
        self.reasons: list[OverrideReason] = []
        self.names: dict[str, str] = {}
        self.dkim: list[DkimAuthResult] = []
        self.spf: list[SpfAuthResult] = []
        self.notes: list[tuple[str, str, str]] = []

    def read(self, record: Element) -> Shape:
        self.walk(record, _IN_RECORD)
        if not self.disposition:
            self.note("disposition_missing", "", "policy_evaluated/disposition")
        fields = (
            self.disposition or "none",
            self.dkim_aligned,
            self.spf_aligned,
            self.bounded(self.reasons, "policy_evaluated/reason"),
            self.names.get("header_from", ""),
            self.names.get("envelope_from"),
            self.names.get("envelope_to"),
            self.bounded(self.dkim, "auth_results/dkim"),
            self.bounded(self.spf, "auth_results/spf"),
        )
        return Shape(fields, tuple(self.notes))

    def walk(self, element: Element, handlers: dict[str, _Handler]) -> None:
        for child in element:
            handler = handlers.get(local(child.tag))
            if handler is not None:
                handler(self, child)

    def note(self, code: str, what: str, where: str) -> None:
        if code:
            self.notes.append((code, what[:120], where))

    def bounded(self, found: list[Any], where: str) -> tuple[Any, ...]:
        if len(found) > LIST_LIMIT:
            self.note("list_cut", f"{len(found)} entries", where)
        return tuple(found[:LIST_LIMIT])

    def row(self, element: Element) -> None:
        self.walk(element, _IN_ROW)

    def evaluated(self, element: Element) -> None:
        """policy_evaluated."""
        self.walk(element, _IN_POLICY_EVALUATED)

    def results(self, element: Element) -> None:
        """auth_results."""
        self.walk(element, _IN_AUTH_RESULTS)

    def disposed(self, element: Element) -> None:
        """disposition: none, quarantine, reject, and pass since RFC 9990; other words are kept."""
        text, repair = words.word(leaf_text(element))
        self.disposition = self.disposition or text
        self.note(repair, text, "policy_evaluated/disposition")

    def dkim_evaluated(self, element: Element) -> None:
        self.dkim_aligned = self.aligned(element, self.dkim_aligned, "policy_evaluated/dkim")

    def spf_evaluated(self, element: Element) -> None:
        self.spf_aligned = self.aligned(element, self.spf_aligned, "policy_evaluated/spf")

    def aligned(self, element: Element, before: bool | None, where: str) -> bool | None:
        """pass or fail; any other word says that it did not pass. The first of several counts."""
        text = words.word(leaf_text(element))[0]
        if not text or before is not None:
            return before
        if text not in ("pass", "fail"):
            self.note("aligned_word", text, where)
        return text == "pass"

    def reason(self, element: Element) -> None:
        """reason: type and comment; drafts have the type as text."""
        values = leaves(element)
        kind = words.word(values.get("type") or leaf_text(element))[0]
        comment, repair = words.clean(values.get("comment"))
        self.note(repair, comment, "policy_evaluated/reason/comment")
        if kind or comment:
            self.reasons.append(OverrideReason(kind or "other", comment or None))

    def named(self, element: Element) -> None:
        """header_from, envelope_from, envelope_to; the first one that says something."""
        name = local(element.tag)
        text, repair = words.domain(leaf_text(element))
        self.note(repair, leaf_text(element), f"identifiers/{name}")
        if not self.names.get(name):
            self.names[name] = text

    def identified(self, element: Element) -> None:
        """identifiers, or identities in drafts."""
        self.walk(element, _IN_IDENTIFIERS)

    def dkim_result(self, element: Element) -> None:
        """auth_results/dkim; an empty element says nothing."""
        values = leaves(element)
        if values:
            domain, result = self.domain_and_result(values, "auth_results/dkim")
            # A selector is a DNS name, so case means nothing.
            selector = words.word(values.get("selector"))[0].rstrip(".")
            self.dkim.append(DkimAuthResult(domain, selector[:255] or None, result))

    def spf_result(self, element: Element) -> None:
        """auth_results/spf; an empty element says nothing."""
        values = leaves(element)
        if values:
            domain, result = self.domain_and_result(values, "auth_results/spf")
            self.spf.append(SpfAuthResult(domain, words.word(values.get("scope"))[0] or None, result))

    def domain_and_result(self, values: dict[str, str], where: str) -> tuple[str, str]:
        domain, repair = words.domain(values.get("domain", ""))
        self.note(repair, values.get("domain", ""), f"{where}/domain")
        result, repair = words.result(values.get("result", ""))
        self.note(repair, values.get("result", ""), f"{where}/result")
        return domain, result


_Handler = Callable[[_ShapeReader, Element], None]

_IN_IDENTIFIERS: dict[str, _Handler] = {
    "header_from": _ShapeReader.named,
    "envelope_from": _ShapeReader.named,
    "envelope_to": _ShapeReader.named,
}
_IN_AUTH_RESULTS: dict[str, _Handler] = {"dkim": _ShapeReader.dkim_result, "spf": _ShapeReader.spf_result}
_IN_POLICY_EVALUATED: dict[str, _Handler] = {
    "disposition": _ShapeReader.disposed,
    "dkim": _ShapeReader.dkim_evaluated,
    "spf": _ShapeReader.spf_evaluated,
    "reason": _ShapeReader.reason,
}
_IN_ROW: dict[str, _Handler] = {**_IN_POLICY_EVALUATED, "policy_evaluated": _ShapeReader.evaluated}
_IN_RECORD: dict[str, _Handler] = {
    **_IN_ROW,
    **_IN_IDENTIFIERS,
    "row": _ShapeReader.row,
    "identifiers": _ShapeReader.identified,
    "identities": _ShapeReader.identified,
    "auth_results": _ShapeReader.results,
}


def leaf_text(element: Element) -> str:
    """An element's own text; bounded, since hostile ones hold megabytes."""
    text = element.text
    return text[:_LEAF_LIMIT] if text else ""


def leaves(element: Element) -> dict[str, str]:
    """The texts of an element's children by local name; the first that is not blank counts."""
    found: dict[str, str] = {}
    for child in element:
        text = child.text
        if text and not text.isspace():
            found.setdefault(local(child.tag), text[:_LEAF_LIMIT])
    return found
