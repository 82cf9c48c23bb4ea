"""The answers of `whosends readiness` as text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from analysis.backtest import Backtest, Compared
from analysis.below import Below
from analysis.ledger import Entry, Ledger
from analysis.next_record import NextRecord
from analysis.outlook import GROUPS, Count
from analysis.readiness import Readiness
from analysis.wording import count
from app.below_words import RECORDS, below_headline
from app.commands.two_rules_text import GROUP_WORDS, print_rules
from app.render import Screen, clean, share

SHOWN = 20
BLANK = " "  # in a cell, where a dash would say that there is nothing
COUNTED = ("Fails", "Refused (fact)", "Let through", "Would refuse", "At least", "At most")


def print_readiness(
    screen: Screen, answer: Readiness, told: Ledger, names: Sequence[Below], step: NextRecord | None
) -> None:
    """The verdict and its gates, the ledger, the names below the domain, and the next record."""
    screen.line(f"{answer.domain}, {_way(answer)}: {answer.verdict}")
    screen.line("")
    screen.table(("State", "Gate", "Evidence"), _gates(answer))
    screen.line("")
    for sentence in headline(told):
        screen.line(sentence)
    if told.entries:
        screen.line("")
        screen.table(
            ("What", *COUNTED),
            [(GROUP_WORDS[name], *_counted(one)) for name, one in told.groups.items() if one.failing],
        )
        screen.line("")
        screen.table(
            ("Source", "Name", "Looks", "Decision", *COUNTED),
            [(one.source_key, clean(one.name), one.kind, one.decision, *_counted(one.count)) for one in _shown(told)],
        )
    if len(told.entries) > SHOWN:
        screen.note(f"The first {SHOWN} of {len(told.entries):,} sources; --json gives all.")
    for note in told.notes:
        screen.note(note)
    _print_below(screen, answer.domain, names)
    _print_names(screen, told)
    if step:
        _print_step(screen, answer.domain, step)


def _way(answer: Readiness) -> str:
    now = f"p={answer.published or 'none'}"
    return f"{now}, target p={answer.target} reached" if answer.already else f"{now} to p={answer.target}"


def _gates(answer: Readiness) -> Iterator[tuple[str, str, str]]:
    """Each gate with its evidence; below one that does not hold, what to do and who."""
    for gate in answer.gates:
        yield gate.state, gate.id, gate.evidence
        if gate.state != "pass" and gate.fix:
            yield BLANK, BLANK, f"→ {gate.step}"


def headline(told: Ledger) -> Iterator[str]:
    """What the candidate does to the mail of these days, in two sentences."""
    tried = "; DKIM alone" * told.candidate.dkim_alone
    tried += f"; without include:{clean(told.candidate.without_include)}" if told.candidate.without_include else ""
    yield f"{told.record}{tried}"
    yield (
        f"{count(told.messages, 'message')} on {count(told.days, 'day')} with reports. Refused already: "
        + ", ".join(f"{one.refused:,} {GROUP_WORDS[name]}" for name, one in told.groups.items())
        + ". Would be refused on top, nine times in ten: "
        + ", ".join(f"{_range(one)} {GROUP_WORDS[name]}" for name, one in told.groups.items())
        + "."
    )
    if told.freed:
        yield f"{count(told.freed, 'message')} that {'was' if told.freed == 1 else 'were'} refused would be delivered."


def _range(one: Count) -> str:
    return f"{one.low:,}" if one.low == one.high else f"{one.low:,} to {one.high:,}"


def _shown(told: Ledger) -> tuple[Entry, ...]:
    return tuple(one for one in told.entries if one.count.failing)[:SHOWN]


def _counted(one: Count) -> tuple[int, ...]:
    return one.failing, one.refused, one.let_through, one.expected, one.low, one.high


def _print_below(screen: Screen, domain: str, names: Sequence[Below]) -> None:
    if not names:
        return
    screen.line("")
    for sentence in below_headline(domain, names):
        screen.line(sentence)
    rows = [
        (clean(one.name), RECORDS[one.record], one.asks, one.messages, one.failing, *one.groups.values(), one.refused)
        for one in names[:SHOWN]
    ]
    groups = (GROUP_WORDS[name].capitalize() for name in GROUPS)
    screen.table(("Name", "Record", "Asks for", "Messages", "Not aligned", *groups, "Refused already"), rows)
    if len(names) > SHOWN:
        screen.note(f"The first {SHOWN} of {len(names):,} names; --json gives all.")


def _print_names(screen: Screen, told: Ledger) -> None:
    if told.two_rules:
        print_rules(screen, told.two_rules)
        if not told.two_rules.unknown:
            return
    odd = [name for name in told.deep_names if name.walk != "same"]
    if odd:
        screen.line("")
        screen.line("Names for which a receiver that follows RFC 9989 may find another record; --dns asks:")
        screen.table(
            ("Name", "Messages", "Record", "Found at"),
            [(clean(one.name), one.messages, one.walk, one.found_at and clean(one.found_at)) for one in odd[:SHOWN]],
        )


def _print_step(screen: Screen, domain: str, step: NextRecord) -> None:
    screen.line("")
    if step.record:
        screen.line(f"Next, as TXT at _dmarc.{domain}:")
        screen.line(step.record)
    else:
        drop = f", and take out {', '.join(step.drop)}" if step.drop else ""
        change = f"set {step.changes}{drop}" if step.changes else drop.removeprefix(", and ")
        screen.line(f"Next, in the TXT record at _dmarc.{domain}: {change}. Leave the rest as it is:")
        screen.line("reports do not show rua and other tags. --record with the present record gives the whole new one.")
    screen.line(step.why)
    screen.line(step.watch)


def print_backtest(screen: Screen, found: Backtest) -> None:
    """Each experiment: what was forecast, and what came."""
    if not found.experiments:
        more = f" {found.skipped} had too few days with reports around it." if found.skipped else ""
        screen.line(f"No policy turned stricter in these reports, so there is nothing to test on.{more}")
        return
    for one in found.experiments:
        screen.line(f"{one.domain}, {one.day}: {one.before} to {one.after}")
        screen.table(
            ("What", "Name", "Looks", "At least", "Expected", "At most", "Refused", "Held"),
            [_compared(each) for each in one.compared[: SHOWN + 4]],
        )
        screen.line("")
    held, error = found.held or 0.0, found.error
    screen.line(
        f"{share(held)} of {found.ranges:,} ranges held what came (nine of ten should)"
        + (
            f"; in all, {share(abs(error))} too {'much' if error > 0 else 'little'} was forecast."
            if error is not None
            else "."
        )
    )
    if found.skipped:
        screen.note(f"Changes with too few days of reports around them: {found.skipped}.")


def _compared(one: Compared) -> tuple[object, ...]:
    held = "yes" if one.held else "no"
    return one.what, clean(one.name), GROUP_WORDS[one.group], one.low, one.expected, one.high, one.actual, held
