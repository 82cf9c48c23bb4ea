"""What became of the way that mail takes: envelope senders, what SPF says of them, addresses, and networks."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from ipaddress import ip_address, ip_network
from typing import Final

import polars as pl

from analysis.around import Seen, Window, messages, within
from analysis.cause import Clue, clue, commonest, day_name, from_to, outranking, percent

FRESH: Final = timedelta(days=4)  # before the change: a new machine warms up, and some reporters see it first
MOVED: Final = 0.6  # share of the mail from another operator's addresses from which a source has moved, not grown
COLUMNS: Final = {"dkim": "dkim_aligned", "spf": "spf_aligned", "dmarc": "aligned"}


def envelopes(window: Window, seen: Seen) -> Iterator[Clue]:
    """What became of the envelope senders: other domains, or the same ones that SPF does not pass as before."""
    if "spf" not in window.mechanisms:
        return
    change, rows = window.change, seen.envelopes
    mine, at = window.shares(rows.filter("own")), day_name(change.started_on)
    moved = mine.before - mine.after
    now = within(rows, window.after)
    yield clue(
        "envelope_changed",
        window.explains(moved if change.loss else -moved),
        f"Mail with an envelope sender in the domain itself went {from_to(mine.before, mine.after)} since {at}.",
        commonest(now.filter(pl.col("own") != change.loss), "spf_domain"),
    )
    failing = (mine.after - mine.passing_after) - (mine.before - mine.passing_before)
    errors = window.shares(rows.filter(pl.col("own") & pl.col("result").is_in(["permerror", "temperror"])))
    weight = window.explains(failing if change.loss else -failing)
    subject = commonest(now.filter("own"), "spf_domain")
    same = "Envelope senders are as before, but"
    if change.loss and errors.after - errors.before > failing / 2:
        sentence = f"{same} mail for which SPF ends in an error went {from_to(errors.before, errors.after)} since {at}."
        yield clue("spf_error", weight, sentence, subject)
    else:
        code = "spf_fails" if change.loss else "spf_passes_again"
        passing = from_to(mine.passing_before, mine.passing_after)
        yield clue(code, weight, f"{same} mail for which SPF passes went {passing} since {at}.", subject)


def addresses(window: Window, seen: Seen) -> Iterator[Clue]:
    """Whether the change came with addresses that the source had not used before, or with another network."""
    change, rows = window.change, seen.addresses
    is_new = pl.col("first_seen") >= change.started_on - FRESH
    new, old = rows.filter(is_new), rows.filter(~is_new)
    if new.is_empty() or old.is_empty():
        return
    column = COLUMNS[change.mechanism]
    told = seen.messages.filter(pl.col("day") >= change.started_on)
    since, good = messages(told), messages(told, column)
    share, rate = min(1.0, messages(new) / max(1, since)), messages(new, column) / max(1, messages(new))
    better = (change.before - rate) if change.loss else (rate - change.before)
    # Where the old addresses fare as they did, it is the new ones alone; else they only came at the same time.
    left, change_by = since - messages(new), abs(change.after - change.before)
    stays = left <= 0 or abs((good - messages(new, column)) / left - change.before) < change_by / 3
    code, who, subject = _named(new, old, since)
    explained = window.explains(share * better)
    yield clue(
        code,
        outranking(explained, 1.02) if stays else 0.97 * explained,
        f"{who} not used before send {percent(share)} of the mail since "
        f"{day_name(change.started_on)}; {percent(rate)} of theirs are aligned.",
        subject,
    )


def _named(new: pl.DataFrame, old: pl.DataFrame, since: int) -> tuple[str, str, str]:
    """What is new about the new addresses: the code, its word, and the network with most mail among them."""
    largest = new.sort("messages", "source_ip", descending=[True, False]).row(0, named=True)
    network = _network(str(largest["source_ip"]))
    foreign = new.filter(~pl.col("asn").is_in(old["asn"].drop_nulls().to_list()))  # none where it is not known
    if old["asn"].count() and messages(foreign) >= MOVED * since:
        return "as_moved", "Addresses of another operator", f"AS{largest['asn']} {largest['as_name'] or ''} {network}"
    if {_network(ip) for ip in new["source_ip"]} <= {_network(ip) for ip in old["source_ip"]}:
        return "new_addresses", "Addresses", network
    return "new_networks", "Networks", network


def _network(text: str) -> str:
    """The block that an address is in, as they are handed out: /24 for IPv4, /48 for IPv6."""
    try:
        address = ip_address(text)
    except ValueError:
        return ""
    return str(ip_network((address, 24 if address.version == 4 else 48), strict=False))
