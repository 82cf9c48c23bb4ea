"""Asks DNS for many names at once, and only for what is not known already. Bounded in number and in time."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from ingest.probes.answer import Answer, Status
from ingest.probes.resolver import Resolver

_LOG = logging.getLogger(__name__)
MOST: Final = 1_000  # questions of one run: whoever writes reports can invent any number of names
WORKERS: Final = 16

Question = tuple[str, str]


class Asking:
    """One run: what is known is not asked for again. `found` is what DNS said now; failures are not among it.

    What was asked in vain is not asked again in the run, and is in `unanswered`.
    """

    def __init__(self, known: Mapping[Question, Answer], resolver: Resolver, most: int = MOST) -> None:
        self.found: dict[Question, Answer] = {}
        self.unanswered: set[Question] = set()
        self._known = known
        self._resolver = resolver
        self._left = most

    def __call__(self, name: str, rdtype: str) -> Answer:
        """The answer to one question."""
        question = name, rdtype
        known = self._known.get(question) or self.found.get(question)
        if known:
            return known
        if question not in self.unanswered:
            self.all([question])
        return self.found.get(question) or Answer(name, rdtype, Status.TIMEOUT)

    def all(self, questions: Iterable[Question]) -> None:
        """Ask all these at once, as far as they are not known. Past the resolver's lifetime none is answered."""
        new = [one for one in dict.fromkeys(questions) if one not in self._known and one not in self.found]
        new = [one for one in new if one not in self.unanswered]
        asked, left = new[: self._left], new[self._left :]
        self._left -= len(asked)
        with ThreadPoolExecutor(min(WORKERS, len(asked) or 1), thread_name_prefix="asking") as pool:
            told = list(pool.map(lambda one: self._resolver.lookup(*one), asked))
        self.found |= {(one.name, one.rdtype): one for one in told if one.answered}
        self.unanswered |= {(one.name, one.rdtype) for one in told if not one.answered} | set(left)
        if asked:
            _LOG.info("dns.asked questions=%d unanswered=%d left_out=%d", len(new), len(self.unanswered), len(left))
