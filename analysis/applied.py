"""Which record applies to a name, and which names are aligned with it: by the Public Suffix List, and by the tree walk.

A candidate is held against DNS as it stands, with the candidate in place of the domain's own record: its psd counts.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

from analysis.candidate import Candidate, read
from analysis.tree import Tree
from ingest.discovery import RULES, Discovered, Rule, discover, is_at_or_below, tags


class Applied:
    """What each rule makes of the names of a domain's mail, if the domain published the candidate."""

    def __init__(self, tree: Tree, candidate: Candidate) -> None:
        self.tree = tree
        self._domain = tree.names.domain
        self._record = candidate.record
        self._records_at = tree.records_at
        self._found: dict[tuple[Rule, str], Discovered] = {}

    def found(self, rule: Rule, name: str) -> Discovered:
        """What a receiver finds for a name that follows this rule."""
        key = rule, name
        if key not in self._found:
            self._found[key] = discover(rule, name, self._at)
        return self._found[key]

    def _at(self, name: str) -> tuple[str, ...] | None:
        return (self._record,) if name == self._domain else self._records_at(name)

    def ends(self, name: str) -> bool:
        """Whether the walk ends at a name because its record, or the one above it, says so (psd)."""
        own, above = (self._at(at) or ("",) for at in (name, name.partition(".")[2]))
        return tags(own[0]).get("psd", "").lower() == "n" or tags(above[0]).get("psd", "").lower() == "y"

    def asks(self, rule: Rule, name: str) -> str | None:
        """What the record that applies to a name asks for; None where nobody knows which that is."""
        told = self.found(rule, name)
        if told.found_at is None:
            return None
        exists = self.tree.exists(name) is not False
        return read(told.record).asks(below=name != told.found_at, exists=exists) if told.found_at else "none"

    def others(self, rule: Rule) -> dict[str, Candidate]:
        """Names to which another record applies than the candidate, with what it asks of them."""
        told = {name: self.found(rule, name) for name in self.tree.names.authors}
        found = {}
        for name, one in told.items():
            if one.found_at not in (None, self._domain):
                said = read(one.record) if one.found_at else Candidate("none")
                policy = self.asks(rule, name) or "none"
                found[name] = Candidate(policy, adkim=said.adkim, aspf=said.aspf, testing=said.testing)
        return found

    def aligned(self, rule: Rule, name: str, passed: Iterable[str]) -> bool | None:
        """Whether any of the domains that passed is aligned with a name, relaxed; None where nobody knows."""
        ours, unknown = self.found(rule, name).organization, False
        if ours is None:
            return None
        for one in filter(None, (each.rstrip(".") for each in passed)):
            # What stands outside of an organization cannot belong to it.
            theirs = self.found(rule, one).organization if is_at_or_below(one, ours) else ""
            if theirs == ours:
                return True
            unknown = unknown or theirs is None
        return None if unknown else False

    @cached_property
    def matters(self) -> bool:
        """Whether the two rules, or another record than the candidate, can make a difference to this mail."""
        authors = self.tree.names.authors
        if not self.tree.found:
            return False
        if any(self.others(rule) for rule in RULES):
            return True
        tops = {self.found(rule, name).organization for rule in RULES for name in authors}
        return len(tops - {None}) > 1 or any(
            is_at_or_below(name, top) and self.found("treewalk", name).organization not in (None, top)
            for name in self.tree.names.authenticated
            for top in tops - {None}
            if top
        )
