"""XML taken apart into its structure and its texts.

Reporters write the same elements over and over; what differs are the texts between them. A piece of XML
is cut at its plain texts, what is left is its outline, and an outline that was read before is found by
its characters: only new ones are parsed. Whatever is not plain (entities, characters beyond ASCII, a
text that begins with a space) stays in the outline, where the XML parser reads it. So the memory cannot
change a value: each character either came past the parser, or is a printable one that XML takes as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from operator import itemgetter
from typing import Any, Generic, NamedTuple, TypeVar

from lxml import etree

from ingest.reports.memory import Memory

P = TypeVar("P")
Element = etree._Element

OPTIONS: dict[str, Any] = {
    "resolve_entities": False,
    "load_dtd": False,
    "dtd_validation": False,
    "no_network": True,
    "huge_tree": False,
    "recover": False,
    "collect_ids": False,
    "remove_blank_text": True,
    "remove_comments": True,
    "remove_pis": True,
    "encoding": "utf-8",  # whatever the declaration says: ingest/reports/mending.py has seen to it
}
PARSER = etree.XMLParser(**OPTIONS)

# Printable ASCII but `<`, `>` and `&`, not beginning with a space: nothing that XML reads in any other way.
_TEXT = re.compile(r">([!-%'-;=?-~][ -%'-;=?-~]*)<")
_HOLE = "hole %d"


TEXT_LIMIT = 8 * 2**10
"""Characters of any text that are looked at; hostile ones hold megabytes."""


class Place(NamedTuple):
    """Where a text stands: the local names of the elements around it from below the root, and their numbers.

    Elements are numbered as they open, so that children of one element can be told from another's.
    """

    path: tuple[str, ...]
    elements: tuple[int, ...]


class Outline(NamedTuple):
    """The structure of a piece of XML: its root's tag, a place for each text, and all names in use.

    Places are in document order: one for each element without children, blank or not, and one for each
    other that has a text of its own. `constants` are the texts that are not plain, by place; blank is "".
    """

    tag: str
    places: tuple[Place, ...]
    constants: tuple[tuple[int, str], ...]
    names: frozenset[str]


class Outlines(Generic[P]):
    """A memory of outlines, each with what `planned` makes of it: where a reader finds what it looks for."""

    def __init__(self, planned: Callable[[Outline], P]) -> None:
        self._planned = planned
        self._known: Memory[str, tuple[P, tuple[tuple[int, str], ...]] | None] = Memory()
        self.clear = self._known.clear

    def read(self, piece: str) -> tuple[P, list[str]]:
        """What was made of the outline of one element with all in it, and the texts: one a place, then "".

        Raises etree.XMLSyntaxError, and what `planned` raises.
        """
        parts = _TEXT.split(piece)
        # Nothing that stands between two texts holds what joins them here.
        texts, key = parts[1::2], ">x<".join(parts[::2])
        known = self._known.get(key, _UNREAD)
        if known is _UNREAD:
            outline = _with_holes(parts)
            known = (self._planned(outline), outline.constants) if outline else None
            self._known.put(key, known, len(piece))
        if len(piece) > TEXT_LIMIT:
            texts = [text[:TEXT_LIMIT] for text in texts]
        if known is None:
            outline = _read(piece)
            return self._planned(outline), [*(text for _, text in outline.constants), ""]
        plan, constants = known
        for place, text in constants:
            texts.insert(place, text)
        texts.append("")
        return plan, texts


Places = tuple[int, ...]


def chooser(wanted: Sequence[Places]) -> Callable[[list[str]], tuple[str, ...]]:
    """What chooses a text for each of at least two values: of its places, the first that says something; else ""."""
    if any(len(places) > 1 for places in wanted):
        return lambda texts: tuple(next((texts[at] for at in places if texts[at]), "") for places in wanted)
    return itemgetter(*(places[0] if places else -1 for places in wanted))


_UNREAD: Any = object()


def _with_holes(parts: list[str]) -> Outline | None:
    """The outline around some texts; None where one of them is no text, or only a part of one."""
    holes = {_HOLE % number: number for number in range(len(parts) // 2)}
    numbered = list(parts)
    numbered[1::2] = [f">{hole}<" for hole in holes]
    found = _read("".join(numbered))
    in_order = [holes[text] for _, text in found.constants if text in holes]
    if in_order != list(range(len(holes))):
        return None
    return found._replace(constants=tuple((place, text) for place, text in found.constants if text not in holes))


def _read(piece: str) -> Outline:
    """The outline with all texts as constants."""
    root = etree.fromstring(piece.encode(), PARSER)
    places, texts, names = [], [], set()
    for number, element, place in _places(root):
        names.add(element.tag)
        names.update(map(str, element.keys()))
        text = (element.text or "")[:TEXT_LIMIT]
        said = "" if text.isspace() else text
        if number and (said or not len(element)):
            places.append(place)
            texts.append(said)
    return Outline(root.tag, tuple(places), tuple(enumerate(texts)), frozenset(names))


def _places(root: Element) -> Iterator[tuple[int, Element, Place]]:
    """All elements in document order, numbered, each with its place."""
    found: dict[Element, Place] = {root: Place((), ())}
    for number, element in enumerate(root.iter()):
        parent = element.getparent()
        if number and parent is not None:
            above = found[parent]
            found[element] = Place((*above.path, local(element.tag)), (*above.elements, number))
        yield number, element, found[element]


def local(tag: str) -> str:
    """An element's name without its namespace: reporters use RFC 9990's, older ones, their own, none."""
    return tag.rpartition("}")[2]
