"""What a source is in one word, from whose mail it is and the facts; and what to ask whom about it.

No text from reports stands in a question: names are those of the databases of networks and services.
"""

from __future__ import annotations

from analysis.facts import Facts, listed

# What a source can be called, and what that means.
VERDICTS = {
    "own": "the domain's own machines, aligned",
    "aligned": "a service that sends for the domain, aligned",
    "fixable": "the domain's own mail, not aligned; it can be made to align",
    "unfixable": "the domain's own mail, not aligned; this service cannot align",
    "forwarder": "passes other people's mail on",
    "list": "passes on what the members of a mailing list write",
    "unknown": "not enough to tell",
    "spoofing": "looks forged",
}

QUESTIONS = {
    "own": "Ask who runs the mail servers: is {name} one of theirs? Then nothing is to be done.",
    "aligned": "Ask who gave {name} the domain's key or a place in its SPF record: is it still needed?",
    "fixable": "Ask who set up {name}: may it sign as the domain, or use a return path below it? {fix}",
    "unfixable": "Ask who uses {name}: can it send from another domain? It cannot align with this one. {fix}",
    "forwarder": "Nobody need be asked: {name} passes mail on. What is signed as the domain survives that.",
    "list": "Ask who of you writes to lists at {name}: can the list rewrite From, or leave messages as they are?",
    "unknown": "Ask IT and whoever rents servers or buys mail services: does anybody know {name}?",
    "spoofing": "Ask IT once whether anybody knows {name}; if not, a policy of reject will stop it.",
}


def verdict(kind: str, facts: Facts, source_key: str) -> str:
    """A key of VERDICTS."""
    if kind == "aligned":
        return "aligned" if facts.service_id or source_key.startswith("as:") else "own"
    if kind == "misaligned":
        service = listed(source_key)
        return "unfixable" if service and service.aligns_spf == service.aligns_dkim == "no" else "fixable"
    if kind == "forwarded":
        return "list" if 2 * facts.path.through_list > facts.path.passed_on else "forwarder"
    return kind


def question(word: str, name: str, source_key: str) -> str:
    """One sentence: whom to ask about a source, and what; with the service's own way to align, where it is listed."""
    service = listed(source_key)
    fix = ""
    if service:
        fix = service.fix_dkim if service.aligns_dkim != "no" else service.fix_spf
    return QUESTIONS[word].format(name=name, fix=fix).strip()
