"""Thresholds, each with the sentence that justifies it."""

from __future__ import annotations

from dataclasses import dataclass

from ingest.settings import setting


@dataclass(frozen=True, slots=True)
class DriftSettings:
    """When a change of a source's alignment counts as drift."""

    days: int = setting(120, "Days looked back over; older changes are history, not news.")
    false_discovery: float = setting(
        0.03, "Share of reported drifts that may be chance, over all sources together (Benjamini-Hochberg)."
    )
    points: float = setting(5.0, "Smallest change worth a person's time, in percentage points.")
    messages: int = setting(50, "Fewest messages on each side of the change; below that nothing can be told.")
    reporters: int = setting(
        2,
        "Fewest reporters that must show the change, where the source has that many; one alone may be at fault.",
    )


@dataclass(frozen=True, slots=True)
class ReadinessSettings:
    """What must hold before a stricter policy is safe."""

    days: int = setting(30, "Days judged; a month holds the invoices and newsletters that come once.")
    enough_days: int = setting(21, "Fewest days with reports; below that the verdict is unknown.")
    enough_reporters: int = setting(3, "Fewest reporters; fewer see too little of the mail.")
    stale_days: int = setting(
        4,
        "Age in days of the newest report beyond which the verdict is unknown; reports take one or two days.",
    )
    decided_share: float = setting(
        0.001, "Share of a domain's messages from which a source must have a decision before reject."
    )
    decided_messages: int = setting(
        10, "Messages below which a source needs no decision, however small the domain is; nobody can judge a handful."
    )
    sure: float = setting(
        0.8, "Confidence from which the system's own judgement of a source is good enough for quarantine."
    )
    legitimate_share: float = setting(0.001, "Highest share of legitimate messages that may be blocked.")


@dataclass(frozen=True, slots=True)
class SourceSettings:
    """How sources are told apart."""

    new_days: int = setting(7, "Days for which a source counts as new after it was first seen.")
    new_messages: int = setting(10, "Messages below which a new source is not told of; a handful is chance.")
    warmup_days: int = setting(
        7, "Days after a domain's first report in which every source is first seen, so none is new."
    )
    history_days: int = setting(
        180,
        "Days before the newest report whose mail counts as evidence of what a source is, beyond the days asked for.",
    )
    recent_days: int = setting(
        14, "Last days of a source that tell whether its mail aligns now; two weeks hold every weekday twice."
    )
    vanished_days: int = setting(
        14,
        "Days without mail after which a steady source counts as vanished, and at least three times its longest pause.",
    )


@dataclass(frozen=True, slots=True)
class FindingSettings:
    """What matters most, and when a finding is over."""

    primary: tuple[str, ...] = setting(
        (),
        "Domains that matter most; none means the organizational domain with the most mail. What is wrong with the others weighs less.",
    )
    lag_days: int = setting(1, "Newest days that prove nothing yet, because some of their reports are still to come.")
    verify_days: int = setting(
        3, "Complete days with mail after a fix that must be in order before it counts as verified."
    )
    verify_messages: int = setting(20, "Fewest messages on those days; a handful may be luck.")
    verified_share: float = setting(0.98, "Share of those messages that must align; a few are always lost on the way.")
    quiet_days: int = setting(30, "Days without mail of a source after which what was wrong with it is closed.")
    close_days: int = setting(14, "Days after which what was verified is closed.")


@dataclass(frozen=True, slots=True)
class AnalysisSettings:
    """All thresholds together, as the answers that draw on several of them take them."""

    sources: SourceSettings = SourceSettings()
    drift: DriftSettings = DriftSettings()
    readiness: ReadinessSettings = ReadinessSettings()
    findings: FindingSettings = FindingSettings()
