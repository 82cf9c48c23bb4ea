"""Words, icons and colours of what the product says; and the one way to show what others wrote.

Names, selectors, domains, file names and DNS answers are written by whoever sends the mail or the
report. Streamlit's markdown fetches images and makes links from them. So such text is shown by `say`
(which escapes everything), in table cells and in the text of charts, always after `plain`.
"""

from __future__ import annotations

import html
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

import streamlit as st

from analysis import wording
from analysis.apart import signed
from app import render
from app.render import clean, csv_cell

Color = Literal["red", "orange", "blue", "green", "violet", "gray"]
Look = Literal["body", "strong", "quiet", "code", "lead"]


@dataclass(frozen=True, slots=True)
class Word:
    """A word with the icon and colour that go with it everywhere."""

    text: str
    icon: str
    color: Color


KINDS: Final = {
    "aligned": Word("Aligned", ":material/check_circle:", "blue"),
    "misaligned": Word("Known but misaligned", ":material/warning:", "red"),
    "forwarded": Word("Forwarded", ":material/forward:", "orange"),
    "unknown": Word("Unknown", ":material/help:", "violet"),
    "spoofing": Word("Looks like spoofing", ":material/report:", "violet"),
}
DECISIONS: Final = {
    "approved": Word("Approved", ":material/check:", "green"),
    "forwarder": Word("Forwarder", ":material/forward:", "orange"),
    "spoof": Word("Spoof", ":material/block:", "gray"),
    "retired": Word("Retired", ":material/archive:", "gray"),
    "undecided": Word("Undecided", ":material/help:", "violet"),
}
VERDICTS: Final = {
    "go": Word("Go", ":material/check_circle:", "green"),
    "stop": Word("Stop", ":material/block:", "red"),
    "unknown": Word("Unknown", ":material/help:", "violet"),
}
STATES: Final = {
    "pass": Word("Pass", ":material/check_circle:", "green"),
    "stop": Word("Stop", ":material/block:", "red"),
    "unknown": Word("Unknown", ":material/help:", "violet"),
}
SEVERITIES: Final = {
    "critical": Word("Critical", ":material/error:", "red"),
    "high": Word("High", ":material/priority_high:", "orange"),
    "medium": Word("Medium", ":material/info:", "blue"),
    "info": Word("Info", ":material/info:", "gray"),
}
LIFE: Final = {
    "open": Word("Open", ":material/radio_button_unchecked:", "gray"),
    "fixed": Word("Fix published, not proved yet", ":material/hourglass_top:", "blue"),
    "verified": Word("Verified in reports", ":material/verified:", "green"),
    "closed": Word("Closed", ":material/check:", "gray"),
    "snoozed": Word("Snoozed", ":material/snooze:", "gray"),
}
# What to do about a source of each kind; our own sentences, so markdown is at home in them.
NEXT: Final = {
    "aligned": "If you know it, **approve** it: then a change in how it fares is worth an alarm.",
    "misaligned": "Its owner should switch on DKIM signing with **your** domain there, or a return path below it. "
    "Approve it, so that readiness counts what a stricter policy would cost.",
    "forwarded": "Nothing to repair at your end: somebody passes your mail on. DKIM survives that, SPF does not.",
    "unknown": "Ask whoever buys services that send mail. Nobody knows it? Then it is no loss when a policy stops it.",
    "spoofing": "Nothing to repair: this is what a stricter policy is for. Mark it, and it stops standing in the way.",
}
MECHANISMS: Final = {"dmarc": "DMARC", "dkim": "DKIM", "spf": "SPF"}


def word(words: dict[str, Word], key: str | None) -> Word:
    """The word for a key; a key that this version does not know is shown as it is."""
    return words.get(key or "", Word(plain(key or "—", 24), ":material/help:", "gray"))


def badge(words: dict[str, Word], key: str | None, *, after: str = "") -> None:
    """A badge: icon, word and colour. `after` is our own text, such as a confidence."""
    shown = words.get(key or "", Word("Other", ":material/help:", "gray"))
    st.badge(f"{shown.text}{after}", icon=shown.icon, color=shown.color)


def plain(text: object, limit: int = 120) -> str:
    """Text from outside on one line, without what cannot be seen, at most `limit` characters."""
    seen = " ".join(part for part in clean(str(text)[: limit * 8]).split(" ") if part)
    return seen if len(seen) <= limit else seen[: limit - 1] + "…"


def cell(text: object, limit: int = 300) -> str:
    """Text from outside for a table or a CSV file: spreadsheets must not take it for a formula."""
    return str(csv_cell(plain(text, limit)))


def _written(text: object, limit: int) -> str:
    """The same as HTML; a number keeps its percent sign on its line."""
    return html.escape(plain(text, limit)).replace(" %", "&nbsp;%")


def say(
    text: object, look: Look = "body", *, limit: int = 400, width: Literal["stretch", "content"] = "stretch"
) -> None:
    """Show text from outside, whatever it holds, as just that text."""
    tag = "code" if look == "code" else "p" if width == "stretch" else "span"
    said = html.escape(plain(text, limit)) if look == "code" else _written(text, limit)
    st.html(f'<{tag} class="ws ws-{look}">{said}</{tag}>', width=width)


def ledger(entries: Iterable[tuple[str, float, str]]) -> None:
    """Reasons with their weights, the weightiest as they come, and the table that each was counted in."""
    items = "".join(
        f'<li><span class="ws-weight">{signed(weight)}</span> <span>{_written(sentence, 400)}'
        + (f' <span class="ws-rows">{html.escape(rows)}</span>' if rows else "")
        + "</span></li>"
        for sentence, weight, rows in entries
    )
    st.html(f'<ul class="ws ws-ledger">{items}</ul>')


def facts(entries: Iterable[tuple[str, str]]) -> None:
    """What is known, each by its name."""
    items = "".join(f"<dt>{html.escape(plain(name))}</dt><dd>{_written(text, 600)}</dd>" for name, text in entries)
    st.html(f'<dl class="ws ws-facts">{items}</dl>')


def numbered(entries: Iterable[str]) -> None:
    """What the numbers in a chart stand for."""
    items = "".join(
        f'<li><span class="ws-disc">{at}</span> {_written(text, 200)}</li>' for at, text in enumerate(entries, 1)
    )
    if items:
        st.html(f'<ul class="ws ws-ledger">{items}</ul>')


def swatches(entries: Iterable[tuple[str, str, int | None]]) -> None:
    """A legend: colour, our own label, and how many messages where that is said."""
    items = "".join(
        f'<span class="ws-swatch"><i style="background:{color}"></i>{html.escape(label)}'
        + (f" <b>{number(total)}</b>" if total is not None else "")
        + "</span>"
        for color, label, total in entries
    )
    st.html(f'<div class="ws ws-swatches">{items}</div>')


count: Final = wording.count


def number(value: float) -> str:
    """A count with separators."""
    return f"{value:,.0f}"


def share(part: float, whole: float) -> str:
    """A share as people write it, kept on one line."""
    return render.share(part, whole).replace(" %", "\u00a0%")


def day(value: date) -> str:
    """A day as people write it; the year is left to the places where it matters."""
    return f"{value.day} {value:%b}"


def full_day(value: date) -> str:
    """A day with its year."""
    return f"{value.day} {value:%b %Y}"


def listed(items: Iterable[str], most: int = 3) -> str:
    """'a, b and 4 more'."""
    names = list(items)
    if len(names) > most:
        return f"{', '.join(names[:most])} and {len(names) - most} more"
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]])) if names else ""


def confidence(value: float) -> str:
    """How sure we are, in a word."""
    return "high" if value >= 0.9 else "medium" if value >= 0.7 else "low"
