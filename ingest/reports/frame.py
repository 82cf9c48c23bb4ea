"""What a report is around its records: `version`, `report_metadata` and `policy_published`, and where they stand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from ingest.reports import policy
from ingest.reports.outline import Outline, Outlines, Place, Places, chooser, local


class Metadata(NamedTuple):
    """The texts of `version` and `report_metadata`, "" for what is not there."""

    version: str
    org_name: str
    email: str
    extra_contact_info: str
    report_id: str
    generator: str
    begin: str
    end: str


class FramePlan:
    """Where the values of a frame stand among the texts of its outline: made once for each outline.

    Without a section, as in early drafts, what should stand in it stands beside the records.
    """

    def __init__(self, outline: Outline) -> None:
        places = outline.places
        self.tag = local(outline.tag)
        self.namespaced_9990 = "dmarc-2.0" in outline.tag
        self.records = len(_elements(places, "record"))
        self.repeated = [name for name in ("report_metadata", "policy_published") if len(_elements(places, name)) > 1]
        metadata = _section(places, "report_metadata")
        self.errors = metadata.get(("error",), ())
        ranged = any(path[0] == "date_range" for path in metadata)
        for name in ("begin", "end") if ranged else ():
            metadata[name,] = metadata.get(("date_range", name), ())
        metadata["version",] = tuple(number for number, place in enumerate(places) if place.path == ("version",))
        self._metadata = chooser([metadata.get((name,), ()) for name in Metadata._fields])
        published = _section(places, "policy_published")
        self.policy = chooser([published.get((name,), ()) for name in policy.NAMES])

    def metadata(self, texts: list[str]) -> Metadata:
        """What stands in the places of Metadata."""
        return Metadata._make(self._metadata(texts))


def _elements(places: Iterable[Place], name: str) -> list[int]:
    """The numbers of the root's children of that name, in order."""
    return list(dict.fromkeys(place.elements[0] for place in places if place.path[0] == name))


def _section(places: Sequence[Place], name: str) -> dict[tuple[str, ...], Places]:
    """The texts in the first section of that name by their path in it; of an element that is repeated in it, all."""
    chosen = _elements(places, name)[:1]
    found: dict[tuple[str, ...], list[int]] = {}
    for number, place in enumerate(places):
        if not chosen:
            found.setdefault(place.path, []).append(number)
        elif place.elements[0] == chosen[0] and len(place.path) > 1:
            found.setdefault(place.path[1:], []).append(number)
    return {path: tuple(numbers) for path, numbers in found.items()}


frames: Outlines[FramePlan] = Outlines(FramePlan)
