"""What must hold before a stricter policy is safe: one function for each condition."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from math import ceil

from analysis.drift import Drift
from analysis.policy import Published, weaker
from analysis.settings import ReadinessSettings
from analysis.sources import Source
from analysis.unseen import saw_turn, unseen
from analysis.wording import count, day, percent, share
from ingest.catalogue.catalogue import catalogue

LEGITIMATE = ("aligned", "misaligned")
BY_DKIM = 0.5  # share of a source's mail that DKIM must align; below it stands on SPF, which forwarding breaks


@dataclass(frozen=True, slots=True)
class Gate:
    """One condition: state pass, stop or unknown, the evidence as a sentence, the fix, the owner."""

    id: str
    state: str
    evidence: str
    fix: str = ""
    owner: str | None = None

    @property
    def step(self) -> str:
        """What to do, and who is to do it; of what stops it is said, too, that nobody is known yet."""
        who = self.owner or ("nobody yet" if self.state == "stop" else "")
        return f"{self.fix} ({who})" if who else self.fix


@dataclass(frozen=True, slots=True)
class Case:
    """A domain's case for a policy. `days` have reports; `newest` is its last day with any, None without.

    `reported` are all days of the last quarter with reports.
    """

    domain: str
    target: str
    published: Published
    newest: date | None
    today: date
    days: int
    reporters: int
    sources: tuple[Source, ...]
    reported: frozenset[date] = frozenset()

    @property
    def already(self) -> bool:
        """Whether the published policy is the target or stricter, and meant for all mail."""
        return not weaker(self.published.p, self.target) and self.published.whole

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
        _month_end(case),
        _unseen(case),
        _authorised(case, settings),
    )
    if not case.days:
        rest = tuple(Gate(gate.id, "unknown", "There is nothing to judge by.") for gate in rest)
    elif any(gate.state == "unknown" for gate in data):
        rest = tuple(replace(gate, state="unknown") for gate in rest)
    return data + rest


def _fresh(case: Case, settings: ReadinessSettings) -> Gate:
    if case.newest is None:
        fix = "Publish a DMARC record with a rua address, and ingest what arrives there."
        return Gate("fresh", "unknown", "There are no reports for this domain.", fix)
    age = (case.today - case.newest).days
    evidence = f"The newest report is of {day(case.newest)}" + (f", {count(age, 'day')} ago." if age > 0 else ".")
    if age <= settings.stale_days:
        return Gate("fresh", "pass", evidence)
    return Gate("fresh", "unknown", evidence, "Fetch the latest reports; if there are none, check the rua address.")


def _days(case: Case, settings: ReadinessSettings) -> Gate:
    evidence = f"{case.days} of the last {settings.days} days have reports; {settings.enough_days} are needed."
    if case.days >= settings.enough_days:
        return Gate("enough_days", "pass", evidence)
    return Gate("enough_days", "unknown", evidence, "Wait for more reports, or ingest older ones.")


def _reporters(case: Case, settings: ReadinessSettings) -> Gate:
    evidence = f"{count(case.reporters, 'reporter')} wrote; {settings.enough_reporters} are needed."
    if case.reporters >= settings.enough_reporters:
        return Gate("enough_reporters", "pass", evidence)
    fix = "Check that the DMARC record's rua address receives the reports of all receivers."
    return Gate("enough_reporters", "unknown", evidence, fix)


def _policy(case: Case) -> Gate:
    p = case.published.p
    said = f"Published is p={p}" if p else "No report shows a published policy"
    if p and not case.published.whole:
        said += ", for a part of the mail only (pct or t=y)"
    if case.already:
        return Gate("policy", "pass", f"{said}: the domain is at p={case.target} or beyond already.")
    if not weaker(p, case.target):
        return Gate("policy", "pass", f"{said}; p={case.target} is to hold for all of it.")
    return Gate("policy", "pass", f"{said}; p={case.target} would be stricter.")


def _legitimate(case: Case, losses: Mapping[str, int], settings: ReadinessSettings) -> Gate:
    mine = [source for source in case.sources if source.kind in LEGITIMATE]
    total = sum(source.messages for source in mine)
    if not total:
        evidence = "No mail of a known sender was reported."
        return Gate("legitimate_mail", "unknown", evidence, "Decide which sources are yours.")
    lost = sum(losses.get(source.source_key, 0) for source in mine)
    verb = "are blocked" if case.already else "would have been blocked"
    evidence = f"{lost:,} of {total:,} legitimate messages ({percent(lost, total)}) {verb}"
    if lost <= settings.legitimate_share * total:
        return Gate("legitimate_mail", "pass", f"{evidence}.")
    worst = max(mine, key=lambda source: (losses.get(source.source_key, 0), source.source_key))
    evidence = f"{evidence}, {losses[worst.source_key]:,} of them from {worst.name}."
    return Gate("legitimate_mail", "stop", evidence, how(worst), worst.owner)


def _decided(case: Case, settings: ReadinessSettings) -> Gate:
    waiting = undecided(case.sources, case.target, settings)
    said = f"{share(settings.decided_share)} of the mail"
    if not waiting:
        return Gate("decided", "pass", f"Every source with more than {said} that needs a decision has one.")
    total = sum(source.messages for source in waiting)
    verb = "has" if len(waiting) == 1 else "have"
    evidence = f"{count(len(waiting), 'source')} with more than {said} {verb} no decision ({total:,} messages)."
    if case.already:
        return Gate("decided", "pass", f"{evidence[:-1]}; the policy holds already.")
    fix = f"Approve each as yours, or mark it as forwarder or spoof; begin with {waiting[0].name}."
    return Gate("decided", "stop", evidence, fix, waiting[0].owner)


def undecided(found: Sequence[Source], target: str, settings: ReadinessSettings) -> list[Source]:
    """The sources of one domain that need a person's decision before `target`, in the order given.

    Aligned mail loses nothing. For quarantine a confident judgement will do; reject cannot be undone.
    """
    least = worth(found, settings)
    return [
        source
        for source in found
        if source.messages >= least and not source.decided and not _clear(source, target, settings)
    ]


def sureness(source: Source) -> float:
    """How sure it is whose mail this is. Where it is ours, whether it aligns is another question, and may turn."""
    if source.kind not in LEGITIMATE or not source.probabilities:
        return source.confidence
    return sum(source.probabilities[kind] for kind in LEGITIMATE)


def _clear(source: Source, target: str, settings: ReadinessSettings) -> bool:
    if sureness(source) < settings.sure:
        return False
    return source.kind == "aligned" or (target == "quarantine" and source.kind in ("forwarded", "spoofing"))


def worth(found: Sequence[Source], settings: ReadinessSettings) -> float:
    """Messages from which one of a domain's sources is worth a person's time."""
    return max(settings.decided_share * sum(source.messages for source in found), settings.decided_messages)


def spf_alone(found: Sequence[Source], settings: ReadinessSettings) -> list[Source]:
    """Aligned sources of one domain whose mail DKIM does not align: each forwarded message of theirs fails."""
    least = worth(found, settings)
    return [
        source
        for source in found
        if source.kind == "aligned"
        and source.decided != "retired"
        and source.messages >= least
        and source.dkim_aligned < BY_DKIM * source.messages
    ]


def _dkim(case: Case, settings: ReadinessSettings) -> Gate:
    found = spf_alone(case.sources, settings)
    if not found:
        return Gate("dkim", "pass", "Every aligned source of some size aligns by DKIM.")
    verb = "aligned source stands" if len(found) == 1 else "aligned sources stand"
    evidence = f"{len(found)} {verb} on SPF alone, which forwarding breaks; the largest is {found[0].name}."
    state = "stop" if case.target == "reject" and not case.already else "pass"
    return Gate("dkim", state, evidence, how(found[0]), found[0].owner)


def repair(source: Source) -> str:
    """The one step that makes a sender align: DKIM first, since it survives forwarding."""
    if source.recent_aligned and source.dkim_aligned >= BY_DKIM * source.messages:
        return f"Give {source.name} a return path under {source.domain}, so that SPF aligns where DKIM fails."
    return f"Let {source.name} sign with DKIM as {source.domain}."


def how(source: Source) -> str:
    """The same, with the words of the service's own instructions where the catalogue has them."""
    step = repair(source)
    known = next((one for one in catalogue().services if source.service and one.name == source.service), None)
    if known is None:
        return step
    return f"{step} There: {known.fix_spf if 'return path' in step else known.fix_dkim}"


def _drift(case: Case, drifts: Sequence[Drift]) -> Gate:
    known = {source.source_key: source for source in case.sources if source.kind in LEGITIMATE}
    worse = [drift for drift in drifts if is_open(drift) and drift.source_key in known]
    if not worse:
        return Gate("drift", "pass", "No known sender has lost alignment.")
    first = max(worse, key=lambda drift: (drift.messages, drift.source_key))
    change = f"{first.name} went from {share(first.before)} to {share(first.after)} aligned on {day(first.started_on)}"
    more = f"; {count(len(worse) - 1, 'other')} lost alignment too" if len(worse) > 1 else ""
    fix = "Repair the cause, and wait until the reports show it."
    return Gate("drift", "stop", f"{change}{more}.", fix, known[first.source_key].owner)


def is_open(drift: Drift) -> bool:
    """Whether a drift cost DMARC alignment that has not come back: it is below half way to what it was."""
    if drift.mechanism != "dmarc" or drift.after >= drift.before:
        return False
    return drift.latest is None or drift.latest < (drift.before + drift.after) / 2


def _subdomains(case: Case) -> Gate:
    p = case.published.p
    for tag, policy, whose in (
        ("sp", case.published.sp, "any subdomain"),
        ("np", case.published.np, "subdomains that do not exist"),
    ):
        if policy is not None and weaker(policy, p):
            evidence = f"Published is p={p} with {tag}={policy}: mail in the name of {whose} is under the weaker one."
            return Gate("subdomains", "stop", evidence, f"Publish {tag}={case.target}, or leave {tag} out.")
    stricter = any(weaker(p, policy) for policy in (case.published.sp, case.published.np) if policy is not None)
    how_strict = "a stricter policy than" if stricter else "the same policy as"
    return Gate("subdomains", "pass", f"Subdomains are under {how_strict} the domain.")


def _month_end(case: Case) -> Gate:
    if not saw_turn(case.reported, range(1, 13)):
        evidence = "No month's end was reported on: invoices, payroll and statements may not have been sent yet."
        return Gate(
            "month_end", "unknown", evidence, "Wait until the reports of three days after a month's end are in."
        )
    quarter = "" if saw_turn(case.reported, (3, 6, 9, 12)) else "; what is sent once a quarter may still be missing"
    return Gate("month_end", "pass", f"The end of a month was reported on{quarter}.")


def _unseen(case: Case) -> Gate:
    mine = [source.days for source in case.sources if source.kind in LEGITIMATE and source.decided != "retired"]
    if not mine and not any(source.kind in LEGITIMATE for source in case.sources):
        return Gate("unseen", "unknown", "No sender of yours was seen, so nothing tells how many there are.")
    if not mine:
        return Gate("unseen", "pass", "All senders of yours are retired.")
    found = unseen(mine, case.days, case.reported)
    evidence = f"{count(found.seen, 'sender')} of yours sent on these days"
    if found.expected < 1:
        return Gate("unseen", "pass", f"{evidence}, hardly any of them on one day only: few can be missing.")
    evidence += f"; at least {found.expected:.0f} more are likely ({ceil(found.low)} to {ceil(found.high)})."
    if found.low < 1 or case.target != "reject" or case.already:
        return Gate("unseen", "pass", evidence)
    more = f"about {count(found.more_days, 'day')}" if found.more_days else "another month"
    return Gate(
        "unseen", "unknown", evidence, f"Wait {more} more, or ask who sends seldom: tax, alumni, events, audits."
    )


def _authorised(case: Case, settings: ReadinessSettings) -> Gate:
    fix = (
        "If rua names an address in another domain, a TXT record v=DMARC1 must stand at "
        f"{case.domain}._report._dmarc. followed by that domain; "
        "whoever takes the reports publishes it."
    )
    if case.reporters >= settings.enough_reporters:
        evidence = (
            f"By evidence, not by DNS: reports of {count(case.reporters, 'receiver')} arrive. Each receiver looks "
            "whether an address takes reports (RFC 9990), so for these it does. Of others, and of further addresses "
            "in rua, only DNS tells: readiness --dns asks it."
        )
        return Gate("authorised", "pass", evidence, fix)
    evidence = f"Reports of only {count(case.reporters, 'receiver')} arrive: whether others may send theirs DNS tells."
    return Gate("authorised", "unknown", evidence, fix)
