"""The form in which answers are kept (`warehouse.kept`): frames as Arrow, all else as JSON, read back by its types."""

from __future__ import annotations

import gc
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from functools import cache
from io import BytesIO
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

import polars as pl

from warehouse.connect import Connection, Warehouse
from warehouse.kept import Place

T = TypeVar("T")
Read = Callable[[Any], Any]
PLAIN = (str, int, float, bool)  # what JSON gives back as it was
INSTANTS: dict[type, Read] = {date: date.fromordinal, datetime: datetime.fromisoformat}


def kept(place: Place, kind: type[T], make: Callable[[], T]) -> T:
    """The value of a type that is kept in a place, else the one that `make` makes, which is kept from now on.

    A kind is pl.DataFrame, or made of dataclasses, tuple, list, dict with text as keys, frozenset, date, datetime,
    text, numbers and None.
    """
    found = known(place, kind)
    if found is None:
        found = make()
        keep(place, found)
    return found


def kept_over(warehouse: Warehouse, place_of: Callable[[Connection], Place], kind: type[T], make: Callable[[], T]) -> T:
    """The same for what takes several sessions to make: it is not kept where somebody wrote in between.

    Then a part of it may rest on newer reports than the rest.
    """
    with warehouse.reading() as connection:
        asked = place_of(connection)
    found = known(asked, kind)
    if found is None:
        found = make()
        with warehouse.reading() as connection:
            if place_of(connection) == asked:
                keep(asked, found)
    return found


def known(place: Place, kind: type[T]) -> T | None:
    """The value that is kept in a place, if there is one."""
    data = place.load()
    if data is None:
        return None
    if kind is pl.DataFrame:
        return cast("T", pl.read_ipc(data))
    with _undisturbed():
        return cast("T", reader(cast("Any", kind))(json.loads(data)))


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Without looks for cycles: JSON has none, and each goes through all objects, together for twice as long."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def keep(place: Place, value: object) -> None:
    """Keep a value."""
    if isinstance(value, pl.DataFrame):
        buffer = BytesIO()
        value.write_ipc(buffer, compression="lz4")
        place.store(buffer.getvalue())
        return
    place.store(json.dumps(plain(value), separators=(",", ":")).encode())


def plain(value: object) -> object:
    """A value as JSON can hold it."""
    if is_dataclass(value):
        return [plain(getattr(value, field.name)) for field in fields(value)]
    if isinstance(value, date):
        return value.isoformat() if isinstance(value, datetime) else value.toordinal()
    if isinstance(value, Mapping):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if isinstance(value, frozenset):
        return sorted(plain(one) for one in value)  # type: ignore[type-var]
    return value


@cache
def reader(kind: Any) -> Read:
    """What makes a value of a type from plain JSON again."""
    if get_origin(kind):
        return _of_parts(get_origin(kind), get_args(kind))
    if is_dataclass(kind):
        hints, made = get_type_hints(kind), cast("Callable[..., Any]", kind)
        parts = [reader(hints[field.name]) for field in fields(kind)]
        read_all = _of_each(parts)
        return lambda raw: made(*read_all(raw))
    assert kind in (*PLAIN, *INSTANTS), f"nothing of the kind {kind} is kept"
    return INSTANTS.get(kind, _as_it_is)


def _as_it_is(raw: Any) -> Any:
    return raw


def _of_each(parts: Sequence[Read]) -> Read:
    """What reads values of known kinds, one after the other, and touches only what JSON has in another form."""
    others = [(at, read) for at, read in enumerate(parts) if read is not _as_it_is]
    count = len(parts)

    def read_all(raw: Sequence[Any]) -> Sequence[Any]:
        if len(raw) != count:
            raise ValueError(f"{len(raw)} values where {count} were kept")
        if not others:
            return raw
        values = list(raw)
        for at, read in others:
            values[at] = read(values[at])
        return values

    return read_all


def _of_parts(origin: Any, inner: tuple[Any, ...]) -> Read:
    if origin is Literal:
        return _as_it_is
    if origin in (Union, UnionType):
        (one,) = (each for each in inner if each is not NoneType)
        read = reader(one)
        return _as_it_is if read is _as_it_is else lambda raw: None if raw is None else read(raw)
    if origin is tuple and inner[-1] is not ...:
        read_all = _of_each([reader(one) for one in inner])
        return lambda raw: tuple(read_all(raw))
    read = reader(inner[-1] if origin is dict else inner[0])
    if origin is dict:
        return _as_it_is if read is _as_it_is else lambda raw: {key: read(one) for key, one in raw.items()}
    return origin if read is _as_it_is else lambda raw: origin(map(read, raw))
