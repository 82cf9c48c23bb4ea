"""Seeded draws: the few distributions that mail volumes need, on top of `random.Random`."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

_LARGE = 40.0


class Chance(random.Random):
    """A stream of its own per process and day: changing one sender leaves all others as they were."""

    @classmethod
    def of(cls, seed: int, *names: object) -> Chance:
        """The stream that belongs to these names."""
        return cls("/".join(str(name) for name in (seed, *names)))

    def poisson(self, mean: float) -> int:
        """A count with this mean."""
        if mean <= 0:
            return 0
        if mean > _LARGE:
            return max(0, round(self.gauss(mean, math.sqrt(mean))))
        limit, product, count = math.exp(-mean), self.random(), 0
        while product > limit:
            product *= self.random()
            count += 1
        return count

    def binomial(self, n: int, p: float) -> int:
        """How many of n trials succeed."""
        if n <= 0 or p <= 0:
            return 0
        if p >= 1:
            return n
        if p > 0.5:
            return n - self.binomial(n, 1 - p)
        if n * p > _LARGE:
            return min(n, max(0, round(self.gauss(n * p, math.sqrt(n * p * (1 - p))))))
        # Jump from success to success: cheap when p is small, which it usually is here.
        per_failure, trials, successes = math.log(1 - p), 0, 0
        while True:
            trials += int(math.log(1 - self.random()) / per_failure) + 1
            if trials > n:
                return successes
            successes += 1

    def split(self, n: int, weights: Sequence[float]) -> list[int]:
        """Share n out by weight; the parts add up to n."""
        left, weight_left, parts = n, sum(weights), []
        for weight in weights:
            part = self.binomial(left, weight / weight_left) if weight_left > 1e-12 else left
            parts.append(part)
            left -= part
            weight_left -= weight
        if left:
            parts[-1] += left
        return parts

    def volume(self, mean: float, noise: float) -> int:
        """A day's count: Poisson around a mean that itself varies (log-normal), so over-dispersed."""
        if mean <= 0:
            return 0
        return self.poisson(mean * self.lognormvariate(-noise * noise / 2, noise))

    def rate(self, rate: float, noise: float = 0.35) -> float:
        """A share that varies a little from day to day, on the logit scale."""
        if not 0 < rate < 1:
            return rate
        logit = math.log(rate / (1 - rate)) + self.gauss(0, noise)
        return 1 / (1 + math.exp(-logit))

    def digits(self, length: int) -> str:
        """A number of this many digits that does not begin with 0."""
        return str(self.randint(10 ** (length - 1), 10**length - 1))

    def hexadecimal(self, length: int) -> str:
        """So many lower-case hexadecimal digits."""
        return f"{self.getrandbits(4 * length):0{length}x}"
