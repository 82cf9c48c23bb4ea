"""From what was sent to what is reported: who received it, what they made of it, and in which report they tell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from benchmarks.worlds.addresses import places
from benchmarks.worlds.chance import pick
from benchmarks.worlds.draft import Draft
from benchmarks.worlds.evaluation import Row, judged
from benchmarks.worlds.mail import Mail, Sent, Stream
from benchmarks.worlds.organisation import Domain, Policy
from benchmarks.worlds.reporters import AUDIENCES, Reporter


class Slot(NamedTuple):
    """One report: its reporter, the domain whose record was found, its first day, and which part of it."""

    reporter: int
    domain: str
    day: int
    part: int


class Told(NamedTuple):
    """What truth there is about some reported messages: a key of the truth table."""

    domain: str
    source_ip: str
    day: int
    stream: str
    aligned: bool


@dataclass(slots=True)
class Reporting:
    """All reports of a world, and the truth about every message in them."""

    draft: Draft
    rng: np.random.Generator
    reporters: tuple[Reporter, ...]
    reports: dict[Slot, Counter[Row]] = field(default_factory=dict)
    truth: Counter[Told] = field(default_factory=Counter)
    gateways: dict[int, str] = field(default_factory=dict)
    lost: dict[Slot, bool] = field(default_factory=dict)

    def tell(self) -> None:
        """Hand all that was sent to its receivers, and let them report it."""
        shares = {audience: self._shares(table) for audience, table in AUDIENCES.items()}
        for sent in self.draft.sent:
            received = self.rng.multinomial(sent.messages, shares[sent.audience])[:-1]
            for index in np.flatnonzero(received).tolist():
                reporter = self.reporters[index]
                if reporter.alive[0] <= sent.day <= reporter.alive[1]:
                    self._receive(index, reporter, sent, int(received[index]))

    def _shares(self, table: dict[str, float]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        # The small ones share what the table gives them. Who does not report has the rest.
        small = table.get("small", 0.0) / 3
        each = [
            (small if reporter.small else table.get(reporter.name, 0.0)) * reporter.size for reporter in self.reporters
        ]
        weights = np.array([*each, max(1 - sum(each), 0.05)])
        return np.asarray(weights / weights.sum())

    def _receive(self, index: int, reporter: Reporter, sent: Sent, messages: int) -> None:
        domain = self.draft.organisation.governing(sent.mail.header_from)
        policy = domain.policy(sent.day)
        through = int(self.rng.binomial(messages, reporter.gateway)) if reporter.gateway else 0
        if through:
            self._record(index, reporter, self._behind(index, reporter, sent), (domain, policy), through)
        direct = messages - through
        faulty = int(self.rng.binomial(direct, reporter.fault)) if reporter.fault and sent.mail.signatures else 0
        if faulty:
            wrong = tuple(signature._replace(result="temperror") for signature in sent.mail.signatures)
            blamed = sent._replace(mail=sent.mail._replace(signatures=wrong))
            self._record(index, reporter, blamed, (domain, policy), faulty)
        if direct - faulty:
            self._record(index, reporter, sent, (domain, policy), direct - faulty)

    def _behind(self, index: int, reporter: Reporter, sent: Sent) -> Sent:
        """The same mail as the reporter's mailbox server sees it, behind its own filter: from that one's address."""
        if index not in self.gateways:
            place = pick(self.rng, places("hosting"))
            self.gateways[index] = self.draft.book.host(place.networks, f"filter#.{reporter.email.rpartition('@')[2]}")
        key = f"via {reporter.name}'s own filter"
        mail = sent.mail
        if mail.spf_result in ("pass", "softfail", "fail"):
            mail = mail._replace(spf_result=self.draft.organisation.elsewhere(mail.spf_domain) or "softfail")
        if not self.draft.streams[sent.stream].legitimate:
            return sent._replace(ip=self.gateways[index], mail=mail)
        self.draft.streams.setdefault(key, Stream(key, "forwarder", "deliver", reporter.name, True))
        return sent._replace(stream=key, ip=self.gateways[index], mail=mail)

    def _record(self, index: int, reporter: Reporter, sent: Sent, under: tuple[Domain, Policy], messages: int) -> None:
        domain, policy = under
        row = judged(sent.mail, policy, reporter, sent.mail.header_from != domain.name)
        if reporter.only_failures and row.aligned:
            return
        for shown, count in self._disposed(row, reporter, sent.mail, messages):
            slot = self._slot(index, reporter, domain.name, sent.day)
            if self.lost.setdefault(slot, bool(self.rng.random() < reporter.loses)):
                continue
            told = count * reporter.inflates
            self.reports.setdefault(slot, Counter())[shown._replace(source_ip=sent.ip)] += told
            self.truth[Told(domain.name, sent.ip, sent.day, sent.stream, row.aligned)] += told

    def _disposed(self, row: Row, reporter: Reporter, mail: Mail, messages: int) -> Iterator[tuple[Row, int]]:
        """The record with its dispositions and reasons: a receiver does not always do what the policy asks."""
        if row.aligned:
            yield row, messages
            return
        kind, comment, share = reporter.arc if mail.sealed else reporter.lists if mail.via_list else ("", "", 0.0)
        excused = int(self.rng.binomial(messages, share)) if share else 0
        if excused:
            yield row._replace(disposition="none", reason=(kind, comment)), excused
        rest = messages - excused
        kept = int(self.rng.binomial(rest, 1 - reporter.honours)) if row.disposition != "none" else 0
        if kept:
            yield row._replace(disposition="none", reason=("local_policy", "")), kept
        if rest - kept:
            yield row, rest - kept

    def _slot(self, index: int, reporter: Reporter, domain: str, day: int) -> Slot:
        part = int(self.rng.integers(reporter.parts)) if reporter.parts > 1 else 0
        return Slot(index, domain, day - day % reporter.span, part)
