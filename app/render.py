"""How answers look: a table on a terminal, aligned text in a pipe, one JSON document for programs.

Text from reports and DNS is an attacker's: nothing here lets it move a cursor, reorder a line,
colour anything, or become a formula.
"""

from __future__ import annotations

import dataclasses
import json
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from math import isfinite
from typing import TYPE_CHECKING, Any, Final

from rich.cells import cell_len

from app.commands.base import OutputClosed, Run

if TYPE_CHECKING:
    from rich.console import Console

SCHEMA_VERSION: Final = 1

ANSI: Final = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-_])")
# Line breaks become a blank; the rest is invisible or reorders what stands beside it: controls,
# soft hyphen, bidi marks, zero widths, fillers, byte-order mark, interlinear marks, surrogates, tags.
BREAKS: Final = re.compile("[\t\n\v\f\r\x85\u2028\u2029]+")
INVISIBLE: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ud800-\udfff\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff]"
)

# Where a spreadsheet would begin a formula: at the start of a cell, also in full width, and, where it takes
# semicolons or tabs to end a cell, behind one of them.
FORMULA: Final = re.compile("(?:^|(?<=[;\t]))(?=[\t\r]|\\s*[=+\\-@\uff1d\uff0b\uff0d\uff20])")

LINK: Final = re.compile(r":(?=//)|(?<=www)\.|(?<=mailto):", re.IGNORECASE)

STYLES: Final = {
    "go": "green",
    "pass": "green",
    "ok": "green",
    "aligned": "blue",
    "approved": "blue",
    "forwarded": "yellow",
    "warn": "yellow",
    "unknown": "magenta",
    "misaligned": "red",
    "spoofing": "red",
    "stop": "bold red",
    "fail": "bold red",
    "critical": "bold red",
    "high": "red",
}


def clean(text: str) -> str:
    """`text` as one harmless line: no ANSI, controls, bidi or zero-width characters."""
    return INVISIBLE.sub("", BREAKS.sub(" ", ANSI.sub("", text)))


def unlinked(text: str) -> str:
    """`text` in which a mail program finds no address to make a link of; to people it reads the same."""
    return LINK.sub(lambda match: match[0].translate({0x3A: "\u2236", 0x2E: "\u2024"}), text)


def csv_cell(value: object) -> object:
    """A value for a CSV cell; text that a spreadsheet would run as a formula gets a quote before it."""
    return FORMULA.sub("'", value) if isinstance(value, str) else value


def plain(value: Any) -> Any:
    """A value as JSON knows it: dates as ISO text, bytes as hexadecimal, dataclasses as objects."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {one.name: plain(getattr(value, one.name)) for one in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, Sequence | set | frozenset) and not isinstance(value, str | bytes):
        return [plain(item) for item in value]
    return _scalar(value)


def _scalar(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | str):
        return value.value if isinstance(value, Enum) else value
    for kinds, convert in CONVERSIONS:
        if isinstance(value, kinds):
            return convert(value)
    return str(value)


CONVERSIONS: Final[tuple[tuple[tuple[type, ...], Callable[[Any], object]], ...]] = (
    ((Enum,), lambda value: value.value),
    ((float,), lambda value: value if isfinite(value) else None),  # JSON has no NaN and no infinity
    ((Decimal,), lambda value: int(value) if value == value.to_integral_value() else float(value)),
    ((date, datetime, time), lambda value: value.isoformat()),
    ((bytes, bytearray, memoryview), lambda value: bytes(value).hex()),
)


def to_json(value: object, *, indent: int | None = 2) -> str:
    """JSON text of anything; what is invisible is escaped, so it reads the same and stays inert."""
    text = json.dumps(plain(value), ensure_ascii=False, indent=indent)
    # Line breaks of the indentation stay; those inside strings were escaped by json already.
    return re.sub(rf"(?!\n)(?:{INVISIBLE.pattern}|[\u2028\u2029])", _escaped, text)


def _escaped(match: re.Match[str]) -> str:
    return "".join(f"\\u{unit:04x}" for unit in _units(ord(match[0])))


def _units(point: int) -> tuple[int, ...]:
    if point < 0x10000:
        return (point,)
    return (0xD800 + ((point - 0x10000) >> 10), 0xDC00 + ((point - 0x10000) & 0x3FF))


def said(value: object) -> str:
    """A value as a person reads it in a cell."""
    match value:
        case None | "":
            text = "-"
        case bool():
            text = "yes" if value else "no"
        case int():
            text = f"{value:,}"
        case datetime():
            text = value.isoformat(sep=" ", timespec="seconds")
        case list() | tuple() | dict():
            text = to_json(value, indent=None)
        case _:
            text = str(plain(value))
    return clean(text)


def share(part: float, whole: float = 1.0) -> str:
    """A share as people write it: 95.1 %. Only all is 100 %, and only nothing is 0 %."""
    if not whole:
        return "-"
    percent = 100 * part / whole
    if 99.95 <= percent < 100:
        return "99.9 %"
    return "<0.1 %" if 0 < percent < 0.05 else f"{percent:.1f} %"


class Output:
    """Standard output; a reader that goes away ends the run quietly."""

    def write(self, text: str) -> int:
        """Write text."""
        try:
            return sys.stdout.write(text)
        except BrokenPipeError as error:
            raise OutputClosed from error

    def flush(self) -> None:
        """Let the reader have it now."""
        try:
            sys.stdout.flush()
        except BrokenPipeError as error:
            raise OutputClosed from error

    def writelines(self, lines: Iterable[str]) -> None:
        """Write texts one after the other."""
        for line in lines:
            self.write(line)


class Screen:
    """Where a run prints: answers to standard output, everything else to standard error."""

    def __init__(self, run: Run) -> None:
        self.json = run.json
        self.quiet = run.verbosity < 0
        # None leaves NO_COLOR and the terminal's abilities to rich.
        self._no_color = True if run.plain else None

    def document(self, **parts: object) -> None:
        """One JSON document."""
        self.line(to_json({"schema_version": SCHEMA_VERSION, **parts}))

    def line(self, text: str) -> None:
        """Text to standard output, as it is."""
        self.stream().write(text + "\n")

    def stream(self) -> Output:
        """Standard output as a file that long answers are written to."""
        return Output()

    def note(self, text: str) -> None:
        """A sentence beside the answer, to standard error."""
        if not self.quiet:
            sys.stderr.write(clean(text) + "\n")

    def console(self, *, stderr: bool = False) -> Console:
        """A rich console that interprets nothing in the text it is given."""
        from rich.console import Console  # noqa: PLC0415 - 20 ms, which a document in JSON need not pay

        return Console(stderr=stderr, no_color=self._no_color, markup=False, emoji=False, highlight=False)

    def table(self, titles: Iterable[str], rows: Iterable[Sequence[object]]) -> None:
        """A table: drawn on a terminal, aligned text elsewhere. Numbers stand to the right."""
        titles, filled = list(titles), [list(row) for row in rows]
        right = [
            any(_is_number(row[at]) for row in filled) and all(_is_number(row[at], or_none=True) for row in filled)
            for at in range(len(titles))
        ]
        texts = [[said(value) for value in row] for row in filled]
        console = self.console()
        if not console.is_terminal:
            for line in _aligned([title.upper() for title in titles], texts, right):
                self.line(line)
            return
        from rich.table import Table  # noqa: PLC0415 - see console
        from rich.text import Text  # noqa: PLC0415

        drawn = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
        for title, to_right in zip(titles, right, strict=True):
            drawn.add_column(Text(title), justify="right" if to_right else "left", overflow="fold")
        for row in texts:
            drawn.add_row(*(Text(text, style=STYLES.get(text, "")) for text in row))
        try:
            console.print(drawn)
        except BrokenPipeError as error:
            raise OutputClosed from error


def _is_number(value: object, *, or_none: bool = False) -> bool:
    if isinstance(value, str):
        return value == "-" or value.endswith(" %")
    return (isinstance(value, int | float | Decimal) and not isinstance(value, bool)) or (or_none and value is None)


def _aligned(titles: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[bool]) -> Iterable[str]:
    every = [titles, *rows]
    widths = [max(cell_len(row[at]) for row in every) for at in range(len(titles))]
    for row in every:
        cells = []
        for text, width, to_right in zip(row, widths, right, strict=True):
            gap = " " * (width - cell_len(text))
            cells.append(gap + text if to_right else text + gap)
        yield "  ".join(cells).rstrip()
