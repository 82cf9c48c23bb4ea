"""How likely is this by chance? Tail probabilities and the correction for asking many times."""

from __future__ import annotations

import math
from collections.abc import Sequence


def student(t: float, freedom: float) -> float:
    """Two-sided tail of Student's t with `freedom` degrees, by Wallace's normal approximation (1959).

    Good to a few per cent near by; far out it is too large by up to a factor of two, the safe side.
    """
    if freedom <= 0:
        return 1.0
    scale = (8 * freedom + 1) / (8 * freedom + 3)
    return normal(scale * math.sqrt(freedom * math.log1p(t * t / freedom)))


def normal(z: float) -> float:
    """Two-sided tail of the normal distribution."""
    return math.erfc(abs(z) / math.sqrt(2))


def hypergeometric(drawn_marked: int, drawn: int, marked: int, total: int) -> float:
    """Chance that at least `drawn_marked` of `drawn` are marked, when `marked` of `total` are (Fisher, 1934)."""
    most = min(drawn, marked)
    whole = _log_choose(total, drawn)
    return min(
        1.0,
        sum(
            math.exp(_log_choose(marked, hit) + _log_choose(total - marked, drawn - hit) - whole)
            for hit in range(max(drawn_marked, drawn + marked - total), most + 1)
        ),
    )


def _log_choose(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)


def discoveries(p_values: Sequence[float], asked: int, share: float) -> float:
    """The largest p-value that counts when `asked` questions were put and `share` of the finds may be chance.

    Benjamini and Hochberg (1995). `p_values` are those of the finds; questions without one count as 1.
    """
    bound = 0.0
    for rank, p in enumerate(sorted(p_values), start=1):
        if p <= share * rank / max(asked, len(p_values)):
            bound = p
    return bound
