"""What must hold before a stricter policy is safe: one function for each condition."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from analysis.drift import Drift
from analysis.policy import Published, weaker
from analysis.settings import ReadinessSettings
from analysis.sources import Source

LEGITIMATE = ("aligned", "misaligned")
BY_DKIM = 0.5  # share of a source's mail that DKIM must align; below it stands on SPF, which forwarding breaks


@dataclass(frozen=True, slots=True)
class Gate:
    """One condition: state pass, stop or unknown, the evidence as a sentence, the fix, the owner."""

    id: str
    state: str
    evidence: str
    fix: str
    owner: str | None


@dataclass(frozen=True, slots=True)
class Case:
    """A domain's case for a policy. `days` have reports; `newest` is its last day with any, None without."""

    domain: str
    target: str
    published: Published
    newest: date | None
    today: date
    days: int
    reporters: int
    sources: tuple[Source, ...]

    @property
    def already(self) -> bool:
        """Whether the published policy is the target or stricter."""
        return not weaker(self.published.p, self.target)

    @property
    def messages(self) -> int:
        """All messages of the days judged."""
        return sum(source.messages for source in self.sources)


def gates(
    case: Case, losses: Mapping[str, int], drifts: Sequence[Drift], settings: ReadinessSettings
) -> tuple[Gate, ...]:
    """All conditions, in the order in which to work on them.

    `losses` are the messages that did not align, by source_key. With too little or stale data, nothing
    can be said of the rest: what would pass or stop is unknown.
    """
    data: tuple[Gate, ...] = (_fresh(case, settings), _days(case, settings), _reporters(case, settings))
    rest: tuple[Gate, ...] = (
        _policy(case),
        _legitimate(case, losses, settings),
        _decided(case, settings),
        _dkim(case, settings),
        _drift(case, drifts),
        _subdomains(case),
    )
    if any(gate.state == "unknown" for gate in data):
        rest = tuple(replace(gate, state="unknown") for gate in rest)
    return data + rest


def _days(case: Case, settings: ReadinessSettings) -> Gate:
    enough = case.days >= settings.enough_days
    return Gate(
        "enough_days",
        "pass" if enough else "unknown",
        f"{case.days} of the last {settings.days} days have reports; {settings.enough_days} are needed.",
        "" if enough else "Wait for more reports, or ingest older ones.",
        None,
    )


def _reporters(case: Case, settings: ReadinessSettings) -> Gate:
    enough = case.reporters >= settings.enough_reporters
    return Gate(
        "enough_reporters",
        "pass" if enough else "unknown",
        f"{count(case.reporters, 'reporter')} wrote; {settings.enough_reporters} are needed.",
        "" if enough else "Check that the DMARC record's rua address receives the reports of all receivers.",
        None,
    )


def _fresh(case: Case, settings: ReadinessSettings) -> Gate:
    if case.newest is None:
        return Gate(
            "fresh", "unknown", "There are no reports for this domain.",
            "Publish a DMARC record with a rua address, and ingest what arrives there.", None,
        )  # fmt: skip
    age = (case.today - case.newest).days
    fresh = age <= settings.stale_days
    return Gate(
        "fresh",
        "pass" if fresh else "unknown",
        f"The newest report is of {day(case.newest)}" + (f", {age} days ago." if age > 0 else "."),
        "" if fresh else "Fetch the latest reports; if there are none, check the rua address.",
        None,
    )


def _policy(case: Case) -> Gate:
    p = case.published.p
    said = f"Published is p={p}" if p else "No report shows a published policy"
    if not case.already:
        return Gate("policy", "pass", f"{said}; p={case.target} would be stricter.", "", None)
    return Gate("policy", "pass", f"{said}: the domain is at p={case.target} or beyond already.", "", None)


def _legitimate(case: Case, losses: Mapping[str, int], settings: ReadinessSettings) -> Gate:
    mine = [source for source in case.sources if source.kind in LEGITIMATE]
    total = sum(source.messages for source in mine)
    lost = sum(losses.get(source.source_key, 0) for source in mine)
    verb = "is blocked" if case.already else "would have been blocked"
    evidence = f"{lost:,} of {total:,} legitimate messages ({percent(lost, total)}) {verb}."
    if not total:
        return Gate("legitimate_mail", "unknown", "No mail of a known sender was reported.",
                    "Decide which sources are yours.", None)  # fmt: skip
    if lost <= settings.legitimate_share * total:
        return Gate("legitimate_mail", "pass", evidence, "", None)
    worst = max(mine, key=lambda source: (losses.get(source.source_key, 0), source.source_key))
    most = losses[worst.source_key]
    return Gate("legitimate_mail", "stop", f"{evidence} {worst.name} accounts for {most:,}.",
                f"Let {worst.name} sign with DKIM as {case.domain}.", worst.owner)  # fmt: skip


def _decided(case: Case, settings: ReadinessSettings) -> Gate:
    waiting = undecided(case.sources, case.target, settings)
    said = f"{settings.decided_share:.1%} of the mail"
    if not waiting or case.already:
        return Gate("decided", "pass", f"Every source with more than {said} that needs a decision has one.", "", None)
    total = sum(source.messages for source in waiting)
    return Gate(
        "decided", "stop",
        f"{count(len(waiting), 'source')} with more than {said} and no decision, {total:,} messages in all; "
        f"the largest is {waiting[0].name}.",
        "Approve each as yours, or mark it as forwarder or spoof.", waiting[0].owner,
    )  # fmt: skip


def undecided(found: Sequence[Source], target: str, settings: ReadinessSettings) -> list[Source]:
    """The sources of one domain that need a person's decision before `target`, in the order given.

    Aligned mail loses nothing. For quarantine a confident judgement will do; reject cannot be undone.
    """
    least = max(settings.decided_share * sum(source.messages for source in found), settings.decided_messages)
    return [
        source for source in found
        if source.messages >= least and not source.decided and not _clear(source, target, settings)
    ]  # fmt: skip


def _clear(source: Source, target: str, settings: ReadinessSettings) -> bool:
    if source.confidence < settings.sure:
        return False
    return source.kind == "aligned" or (target == "quarantine" and source.kind in ("forwarded", "spoofing"))


def _dkim(case: Case, settings: ReadinessSettings) -> Gate:
    least = max(settings.decided_share * case.messages, settings.decided_messages)
    on_spf = [
        source for source in case.sources
        if source.kind == "aligned" and source.decided != "retired"
        and source.messages >= least and source.dkim_aligned < BY_DKIM * source.messages
    ]  # fmt: skip
    if not on_spf:
        return Gate("dkim", "pass", "Every aligned source of some size aligns by DKIM.", "", None)
    first = on_spf[0]
    verb = "aligned source stands" if len(on_spf) == 1 else "aligned sources stand"
    evidence = f"{len(on_spf)} {verb} on SPF alone, which forwarding breaks; the largest is {first.name}."
    fix = f"Let {first.name} sign with DKIM as {case.domain}."
    state = "stop" if case.target == "reject" and not case.already else "pass"
    return Gate(
        "dkim", state, evidence.replace("1 aligned source stand ", "1 aligned source stands "), fix, first.owner
    )


def _drift(case: Case, drifts: Sequence[Drift]) -> Gate:
    kinds = {source.source_key: source for source in case.sources}
    worse = [
        drift for drift in drifts
        if is_open(drift) and drift.source_key in kinds and kinds[drift.source_key].kind in LEGITIMATE
    ]  # fmt: skip
    if not worse:
        return Gate("drift", "pass", "No known sender has lost alignment.", "", None)
    first = max(worse, key=lambda drift: (drift.messages, drift.source_key))
    return Gate(
        "drift", "stop",
        f"{first.name} went from {first.before:.1%} to {first.after:.1%} aligned on {day(first.started_on)}; "
        f"{count(len(worse), 'change')} in all.",
        "Repair the cause, and wait until the reports show it.", kinds[first.source_key].owner,
    )  # fmt: skip


def is_open(drift: Drift) -> bool:
    """Whether a drift cost DMARC alignment that has not come back: it is below half way to what it was."""
    if drift.mechanism != "dmarc" or drift.after >= drift.before:
        return False
    return drift.latest is None or drift.latest < (drift.before + drift.after) / 2


def _subdomains(case: Case) -> Gate:
    sp = case.published.sp
    if sp is None or not weaker(sp, case.published.p):
        return Gate("subdomains", "pass", "Subdomains are under the same policy as the domain.", "", None)
    return Gate(
        "subdomains", "stop",
        f"Published is p={case.published.p} with sp={sp}: mail in the name of any subdomain is under the weaker one.",
        f"Publish sp={case.target}, or leave sp out.", None,
    )  # fmt: skip


def count(number: int, noun: str) -> str:
    """A number and its noun: '1 source', '1,204 sources'."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def percent(part: int, whole: int) -> str:
    """A share for people: '0.5 %'."""
    return f"{100 * part / max(whole, 1):.1f} %"


def day(value: date) -> str:
    """A day for people: '11 Nov 2026'."""
    return f"{value.day} {value:%b %Y}"
