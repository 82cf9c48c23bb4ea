"""A weekly summary whose every text is chosen, for the exports."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from analysis.drift import Cause, Drift
from analysis.findings import Finding
from analysis.news import KINDS, News
from analysis.sources import Decision, Source
from analysis.week_changes import Changed, Moved
from analysis.weekly import Restated, WeekDomain, WeeklySummary
from app.exports import weekly_html, weekly_markdown, weekly_text
from app.settings import ReportSettings
from warehouse.findings import FindingRecord

CASES = Path(__file__).parents[1] / "cases" / "weekly"
SETTINGS = ReportSettings(owner="Post Office", app_url="https://whosends.example.com/")

HOSTILE = (
    "![x](http://evil.example/p.png) [l](javascript:alert(1)) <img src=x onerror=alert(1)> <script>alert(1)</script> "
    "| a | `code` **bold** https://evil.example/a www.evil.example mail@evil.example &lt; {{ 7*7 }} {% raw %} \x1b[31m "
    "\u202eevil\u200b\nline"
)


def source(text: str, **more: object) -> Source:
    """A source that calls itself `text` wherever it can."""
    values: dict[str, object] = {
        "domain": text, "source_key": text, "name": text, "service": text, "service_type": text, "asn": 64511,
        "as_name": text, "as_domain": text, "country": "CH", "ips": 1, "reporters": 1, "days": 7, "messages": 1000,
        "aligned": 4, "dkim_aligned": 4, "spf_aligned": 0, "first_seen": date(2026, 11, 16),
        "last_seen": date(2026, 11, 22), "is_new": True, "kind": "unknown", "confidence": 0.5, "evidence": (),
        "decision": Decision("approved", text, text, None, text),
    }  # fmt: skip
    return Source(**{**values, **more})  # type: ignore[arg-type]


def week(text: str) -> WeeklySummary:
    """A week with everything in it."""
    drift = Drift(
        domain=text, source_key=text, name=text, as_domain=text, mechanism="dkim", shape="step",
        started_on=date(2026, 11, 18), before=0.996, after=0.004, messages=500, p_value=1e-9, reporters=3,
        cause=Cause("selector_gone", text),
    )  # fmt: skip
    finding = Finding(
        "alignment_lost", "critical", text, text, text, text, text, text, date(2026, 11, 11), 500, "drift"
    )  # fmt: skip
    domain = WeekDomain(
        domain=text, policy="quarantine", verdict="stop", gates_passed=4, gates=6, messages=1000, messages_before=900,
        aligned=4, aligned_before=890, not_aligned={"unknown": 996}, target="reject",
        sources=(*(source(text) for _ in range(7)), source(text, messages=0, aligned=0)),
    )  # fmt: skip
    return WeeklySummary(
        week="2026-W47", first_day=date(2026, 11, 16), last_day=date(2026, 11, 22), verdict="stop", subject=text,
        headline=text, findings=(finding,) * 7, new_sources=(source(text),), drifts=(drift,), domains=(domain,),
        reporters=6, usual_reporters=7, silent_reporters=(text,) * 7, reports=99, quarantined=1, complete=False,
        settled=(settled(text),), restated=Restated(41_210, 43_055, 9), changed=changes(text),
        moved=(Moved(text, 0.983, 0.91, f"{MINUS}7.3 points: {MINUS}7.0 {text} lost DKIM, {MINUS}0.3 all else"),),
    )  # fmt: skip


MINUS = "\N{MINUS SIGN}"


def changes(text: str) -> tuple[Changed, ...]:
    """One change of each kind that the summary has no words of its own for."""
    days = (date(2026, 11, 17), date(2026, 11, 19))
    spans = {"spoofing": days, "volume_spike": days, "volume_drop": (days[0], days[0])}
    return tuple(
        Changed(News(kind, text, text, text, text, *spans.get(kind, (days[0], None)), 9, text, text), text)
        for kind in KINDS
        if kind != "new_source"
    )


def settled(text: str) -> FindingRecord:
    """A finding that was verified in the week."""
    monday = date(2026, 11, 16)
    return FindingRecord(
        "alignment-aaaaaaaa", "alignment", "misaligned", text, text, "high", 9.0, 9, monday, text, text, text, "drift",
        text, "verified", text, monday, monday, monday, found=False, owner=text, note=text,
    )  # fmt: skip


def quiet() -> WeeklySummary:
    """A week in which nothing happened."""
    return WeeklySummary(
        week="2026-W47", first_day=date(2026, 11, 16), last_day=date(2026, 11, 22), verdict="go", subject="[Go] quiet",
        headline="A quiet week: nothing to do.", findings=(), new_sources=(), drifts=(), domains=(), reporters=7,
        usual_reporters=7, silent_reporters=(), reports=99, quarantined=0, complete=True,
    )  # fmt: skip


def pages() -> dict[Path, str]:
    """The approved pages, by their files: each week in each form."""
    weeks = {"busy": week("example.com"), "hostile": week(HOSTILE), "quiet": quiet()}
    forms = {"md": weekly_markdown.render, "html": weekly_html.render, "txt": weekly_text.render}
    return {
        CASES / f"{name}.expected.{form}": render(summary, SETTINGS)
        for name, summary in weeks.items()
        for form, render in forms.items()
    }
