"""Which source does a person mean? Its key, or an address or a name that only one of them has."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from ipaddress import ip_address

from ingest.errors import UsageError
from warehouse import reads_declared
from warehouse.connect import Connection
from warehouse.scope import Scope

LISTED = 8  # candidates in a sentence


def named(given: Sequence[str]) -> list[str]:
    """What was named on the command line, each once; '-' stands for the lines of standard input."""
    found = list[str]()
    for text in given:
        found += _lines() if text == "-" else [text]
    if not found:
        raise UsageError("Standard input names no source.", "Write one key a line.")
    return list(dict.fromkeys(found))


def _lines() -> list[str]:
    try:
        lines = [line.strip() for line in sys.stdin]
    except UnicodeDecodeError:
        raise UsageError("Standard input is not UTF-8 text.", "Write one key a line.") from None
    return [line for line in lines if line and not line.startswith("#")]


def meant_by(connection: Connection, text: str, domain: str | None) -> tuple[str, list[str]]:
    """The key of the source that is meant, and the domains it is meant for.

    Raises UsageError where no source, or more than one, is called so.
    """
    key = text
    about = reads_declared.domains_of(connection, text)
    if not about:
        key = _called(connection, text, domain)
        about = reads_declared.domains_of(connection, key)
    about = [one for one in about if domain in (None, one)]
    if not about:
        raise _nobody(text, domain)
    return key, about


def _called(connection: Connection, text: str, domain: str | None) -> str:
    found = reads_declared.called(connection, _canonical(text), Scope((domain,) if domain else ()))
    keys = found["source_key"].to_list()
    if not keys:
        raise _nobody(text, domain)
    if len(keys) > 1:
        more = f" and {len(keys) - LISTED} more" if len(keys) > LISTED else ""
        listed = f"{', '.join(keys[:LISTED])}{more}"
        raise UsageError(f"{len(keys)} sources are called {text!r}: {listed}.", "Name one of them by its key.")
    return str(keys[0])


def _nobody(text: str, domain: str | None) -> UsageError:
    where = f" for {domain}" if domain else ""
    return UsageError(
        f"No report names a source {text!r}{where}.",
        "'whosends sources --all' lists the keys; an address or a service's name will do as well.",
    )


def _canonical(text: str) -> str:
    try:
        return str(ip_address(text.strip()))
    except ValueError:
        return text.strip()
