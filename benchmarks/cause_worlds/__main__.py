"""`python -m benchmarks.cause_worlds [FIRST [COUNT]]`: precision and recall by the first cause told."""

from __future__ import annotations

import sys
from collections import Counter
from datetime import timedelta

from analysis.around import Seen, with_own
from analysis.cause import Cause
from analysis.causes import causes
from analysis.dns_edits import dns_edits
from analysis.drift import detect
from analysis.history import policy_history
from analysis.remarks import coded
from analysis.settings import DriftSettings
from benchmarks.cause_worlds.reasons import DAYS, REASONS
from benchmarks.cause_worlds.world import FIRST, World, world

SLACK = 3  # days that the first day may be off
# Two names for one thing: where a part of the servers ceases to sign, their selector fades and mail is unsigned.
ALSO = {
    "selector_vanished": {"unsigned", "selector_fading"},
    "selector_new": {"selector_vanished"},
    "new_addresses": {"new_networks"},
}


def told(made: World) -> tuple[Cause, ...]:
    """The causes that the product tells of the loss that was planted; nothing where it does not find it."""
    newest = FIRST + timedelta(days=DAYS - 1)
    planted = FIRST + timedelta(days=made.start)
    seen = Seen(
        made.days,
        with_own(made.signatures, "signing_domain"),
        with_own(made.envelopes, "spf_domain"),
        made.addresses,
        policy_history(made.policies),
        dns_edits(made.answers),
        coded(made.remarks),
    )
    for change in detect(made.days, DriftSettings(), newest):
        near = abs((change.started_on - planted).days) <= SLACK
        if change.mechanism == made.mechanism and change.loss and near:
            return causes(change, seen)
    return ()


def right(reason: str, code: str) -> bool:
    """Whether a cause names the reason."""
    return code == reason or code in ALSO.get(reason, ())


def score(first: int, count: int) -> tuple[Counter[str], Counter[str], Counter[str], list[str]]:
    """By reason: worlds whose break was found, those whose first cause is right, those with it anywhere; and errors."""
    found, hit, named, lines = Counter[str](), Counter[str](), Counter[str](), list[str]()
    for seed in range(first, first + count):
        made = world(seed)
        if why := told(made):
            codes = [one.code for one in why]
            found[made.reason] += 1
            hit[made.reason] += right(made.reason, codes[0])
            named[made.reason] += any(right(made.reason, code) for code in codes)
            if not right(made.reason, codes[0]):
                lines.append(f"{seed} {made.reason} called {codes}")
    return found, hit, named, lines


def main(first: str = "8200", count: str = "320", *more: str) -> None:
    """Print the scores, and with a third argument every error."""
    found, hit, named, lines = score(int(first), int(count))
    wrong = Counter(line.split("['")[1].split("'")[0] for line in lines)
    print(f"causes (worlds {first} to {int(first) + int(count) - 1}; {found.total()} breaks found)")
    for reason in [reason for reason, _, _ in REASONS]:
        total, said = max(1, found[reason]), hit[reason] + wrong[reason]
        print(
            f"  {reason:<24} first {hit[reason] / total:6.1%} of {total:>3}, named {named[reason] / total:6.1%}; "
            f"precision {hit[reason] / max(1, said):6.1%} of {said:>3}"
        )
    print(f"  all: first {hit.total() / max(1, found.total()):.1%}, named {named.total() / max(1, found.total()):.1%}")
    if more:
        print("\n".join(lines))


if __name__ == "__main__":
    main(*sys.argv[1:])
