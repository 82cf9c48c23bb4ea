"""sources.toml: what is declared of sources, as a file that people review and machines check.

Reading tells each mistake with its line. Text of any kind is written so that it stays text.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime
from hashlib import sha256
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Final

from analysis.declared import Declared, Match
from app.config import meant
from app.render import INVISIBLE, clean
from ingest.errors import UsageError
from warehouse.decisions import CADENCES, DECISIONS, EXPECTS, UNDECIDED

VERSION: Final = 1
TOLD: Final = 5  # mistakes in one answer
KEY: Final = re.compile(r"[a-z]+:\S{1,250}")
NAME: Final = re.compile(r"[a-z0-9_]([a-z0-9_.-]{0,251}[a-z0-9])?")
HIDDEN: Final = re.compile(f"{INVISIBLE.pattern}|[\x85\u2028\u2029]")
HEADER: Final = re.compile(r"\s*\[\[\s*source\s*\]\]")
HEAD: Final = f"""# What is declared of the sources that send mail. 'whosends sources import' records it, and
# 'whosends sources check' holds what is seen against it.

version = {VERSION}
"""


@dataclass(frozen=True, slots=True)
class Sheet:
    """One file: its declarations, and how the journal names it (its name and the hash of its bytes)."""

    declared: tuple[Declared, ...]
    origin: str


class Mistake(Exception):
    """What is wrong with one key of one entry."""

    def __init__(self, key: str, sentence: str) -> None:
        super().__init__(key, sentence)
        self.key = key
        self.sentence = sentence


def read(path: Path) -> Sheet:
    """The file, or UsageError that names the lines on which something is wrong."""
    try:
        raw = path.read_bytes()
        text = raw.decode("utf-8-sig")
        content = tomllib.loads(text)
    except OSError as error:
        raise UsageError(f"Cannot read {path}: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not UTF-8 text.") from error
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise UsageError(
            f"{path} is not valid TOML: {error}.", "Write texts in quotes and dates as 2026-11-30."
        ) from error
    entries = _entries(path, content)
    places = Places(text, len(entries))
    declared, wrong = list[Declared](), list[str]()
    for at, entry in enumerate(entries):
        try:
            declared.append(_declared(entry, places.line(at)))
        except Mistake as error:
            wrong.append(f"{places.said(at, error.key)}: {error.sentence}")
    wrong += _twice(declared)
    if wrong:
        more = [*wrong[1:TOLD], *([f"and {len(wrong) - TOLD} more"] if len(wrong) > TOLD else [])]
        raise UsageError(f"{path}, {wrong[0]}.", "; ".join(more) and f"Also {'; '.join(more)}.")
    return Sheet(tuple(declared), f"{path.name} sha256:{sha256(raw).hexdigest()}")


def _entries(path: Path, content: Mapping[str, Any]) -> list[Any]:
    if content.get("version", VERSION) != VERSION:
        raise UsageError(f"{path} has another version than {VERSION}.", "A newer whosends may have written it.")
    for name in content:
        if name not in ("version", "source"):
            raise UsageError(f"{path}: there is no key {name!r} at the top.", "Write each source as [[source]].")
    entries = content.get("source", [])
    if not isinstance(entries, list):
        raise UsageError(f"{path}: source is a list of tables.", "Write each source as [[source]].")
    return entries


def _declared(entry: object, line: int) -> Declared:
    if not isinstance(entry, dict):
        raise Mistake("", "a source is a table; write it as [[source]]")
    for name in entry:
        if name not in READERS:
            raise Mistake(name, f"there is no key {name!r}. {meant(name, READERS).rstrip('.')}")
    said = {name: READERS[name](name, value) for name, value in entry.items()}
    if "domain" not in said or "verdict" not in said:
        raise Mistake("", f"a source needs a {'verdict' if 'domain' in said else 'domain'}")
    if ("key" in said) == ("match" in said):
        raise Mistake("", "a source has either a key or a match")
    return Declared(line=line, **said)


def _twice(declared: Iterable[Declared]) -> Iterator[str]:
    seen = dict[tuple[str, object], Declared]()
    for one in declared:
        first = seen.setdefault((one.domain, one.key or one.match), one)
        if first is not one:
            yield f"line {one.line}: {one.label!r} was declared for {one.domain} on line {first.line} already"


def _text(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise Mistake(name, f"{name} must be text in quotes, not {value!r}")
    return value


def _optional(name: str, value: object) -> str | None:
    return _text(name, value) or None


def _form(pattern: re.Pattern[str], form: str) -> Callable[[str, object], str]:
    def read(name: str, value: object) -> str:
        text = _text(name, value).strip()
        text = text if pattern is KEY else text.rstrip(".").lower()
        if not pattern.fullmatch(text):
            raise Mistake(name, f"{name} must be {form}, not {value!r}")
        return text

    return read


def _one_of(*words: str) -> Callable[[str, object], str]:
    def read(name: str, value: object) -> str:
        if _text(name, value) not in words:
            raise Mistake(name, f"{name} must be one of {', '.join(words)}, not {value!r}")
        return str(value)

    return read


def _day(name: str, value: object) -> date:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    try:
        return date.fromisoformat(value if isinstance(value, str) else "")
    except ValueError:
        raise Mistake(name, f"{name} must be a date like 2026-11-30, not {value!r}") from None


def _match(name: str, value: object) -> Match:
    if not isinstance(value, dict) or not value:
        raise Mistake(name, 'match must be a table like { service = "Mailjet" }')
    known = {one.name for one in fields(Match)}
    for part in value:
        if part not in known:
            raise Mistake(name, f"there is no match by {part!r}. {meant(part, known).rstrip('.')}")
    named = _form(NAME, "a name")
    readers: dict[str, Callable[[str, object], Any]] = {"addresses": _networks, "service": _text}
    try:
        said = {part: readers.get(part, named)(part, one) for part, one in value.items()}
    except Mistake as error:
        raise Mistake(name, error.sentence) from None
    if set(said) == {"selector"}:
        raise Mistake(name, "a selector alone is anybody's; give signing_domain too")
    return Match(**said)


def _networks(name: str, value: object) -> tuple[str, ...]:
    given = [value] if isinstance(value, str) else value
    if not isinstance(given, list) or not given:
        raise Mistake(name, "addresses must be a list of addresses or networks")
    try:
        return tuple(str(ip_network(_text(name, one))) for one in given)
    except ValueError as error:
        raise Mistake(name, f"addresses: {error}") from None


READERS: Final[dict[str, Callable[[str, object], Any]]] = {
    "domain": _form(NAME, "a domain"),
    "key": _form(KEY, "a key as 'whosends sources' lists them"),
    "match": _match,
    "verdict": _one_of(*DECISIONS, UNDECIDED),
    "owner": _optional,
    "note": _optional,
    "expects": _one_of(*EXPECTS),
    "cadence": _one_of(*CADENCES),
    "until": _day,
}


class Places:
    """On which line each entry and key stands: tomllib does not say."""

    def __init__(self, text: str, entries: int) -> None:
        self._lines = text.split("\n")
        found = [at for at, line in enumerate(self._lines) if HEADER.match(line)]
        # Text over several lines may hold what looks like a header; then only whole entries are counted.
        self._starts = found if len(found) == entries else [at for at in found if self._is_header(at)]

    def line(self, entry: int) -> int:
        """The line of an entry's header; 0 where it has none of its own."""
        return self._starts[entry] + 1 if entry < len(self._starts) else 0

    def said(self, entry: int, key: str) -> str:
        """The place in words."""
        start = self.line(entry)
        if not start:
            return f"source {entry + 1}"
        end = self.line(entry + 1) or len(self._lines) + 1
        named = re.compile(rf"""\s*["']?{re.escape(key)}["']?\s*[=.]""")
        mine = (at for at in range(start, end) if key and named.match(self._lines[at - 1]))
        return f"line {next(mine, start)}"

    def _is_header(self, at: int) -> bool:
        try:
            tomllib.loads("\n".join(self._lines[: at + 1]))
        except tomllib.TOMLDecodeError:
            return False
        return True


def written(declared: Iterable[Declared], names: Mapping[tuple[str, str], str]) -> str:
    """The declarations as a file, by domain and key. `names` are told in comments, by domain and key."""
    return HEAD + "".join(_entry(one, names.get((one.domain, one.key or ""), "")) for one in declared)


def _entry(one: Declared, name: str) -> str:
    lines = ["", *([f"# {clean(name)}"] if clean(name) else []), "[[source]]"]
    for key in READERS:
        value = getattr(one, key)
        if value is not None:
            lines.append(f"{key} = {_value(value)}")
    return "\n".join(lines) + "\n"


def _value(value: object) -> str:
    if isinstance(value, Match):
        parts = ((part.name, getattr(value, part.name)) for part in fields(value))
        return f"{{ {', '.join(f'{name} = {_value(part)}' for name, part in parts if part)} }}"
    if isinstance(value, tuple):
        return f"[{', '.join(map(_value, value))}]"
    return value.isoformat() if isinstance(value, date) else quoted(str(value))


def quoted(text: str) -> str:
    """Text in TOML's quotes; what is invisible, or moves what stands beside it, is escaped."""
    # JSON's strings are TOML's, but for DEL and for characters beyond the sixteenth bit.
    return HIDDEN.sub(lambda found: f"\\U{ord(found[0]):08x}", json.dumps(text, ensure_ascii=False))
