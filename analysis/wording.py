"""Numbers, shares and days as people read them."""

from __future__ import annotations

from datetime import date


def count(number: int, noun: str, many: str = "") -> str:
    """A number and its noun: '1 source', '1,204 sources'; `many` where that is not with an s."""
    return f"{number:,} {noun if number == 1 else many or noun + 's'}"


def percent(part: int, whole: int) -> str:
    """A share for people, never rounded to none or all: '0.5 %'."""
    return share(part / max(whole, 1))


def share(rate: float) -> str:
    """The same of a rate."""
    if 0 < rate < 0.0005:
        return "less than 0.1 %"
    return "almost 100 %" if 0.9995 <= rate < 1 else f"{100 * rate:.1f} %"


def day(value: date) -> str:
    """A day for people: '11 Nov 2026'."""
    return f"{value.day} {value:%b %Y}"
