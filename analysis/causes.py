"""Why did it change? What else changed at that time, in the reports or in DNS, the likeliest cause first.

Each kind of clue is looked for in a file of its own: signatures, paths (envelopes, addresses, networks), and
records (what the domain's owner publishes). A clue weighs what share of the change it explains.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from analysis import clues_paths, clues_records, clues_signatures
from analysis.around import Seen, Window
from analysis.cause import NONE_SEEN, Cause, Clue
from analysis.change import Change

WORTH: Final = 0.3  # share of the change that a cause must explain to be named

FINDERS: Final[tuple[Callable[[Window, Seen], Iterator[Clue]], ...]] = (
    clues_records.modes,
    clues_records.edits,
    clues_signatures.remarks,
    clues_signatures.selectors,
    clues_signatures.signers,
    clues_paths.envelopes,
    clues_paths.addresses,
)


def causes(change: Change, seen: Seen) -> tuple[Cause, ...]:
    """Every cause that explains a good part of the change, the likeliest first; `none_seen` where none does.

    What is no cause but belongs beside it comes last: an edit of the policy, a single witness.
    """
    seen = seen.of(change)
    window = Window.of(change, seen)
    clues = list[Clue]()
    if window.total_before and window.total_after:
        clues = [clue for find in FINDERS for clue in find(window, seen)]
    likely = sorted((clue for clue in clues if clue.weight >= WORTH), key=lambda clue: -clue.weight)
    return (*([clue.cause for clue in likely] or [NONE_SEEN]), *clues_records.beside(change, seen))
