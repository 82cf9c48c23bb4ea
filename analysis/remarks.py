"""What receivers remark on signatures that fail: an expired signature, a key too short, withdrawn or missing.

Remarks stand in the comments of override reasons, which are stored, and in `human_result`, which is read in a few
documents: only for the few changes that failing signatures explain and nothing else does.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Final

import polars as pl

from analysis.around import NO_REMARKS, Seen, Window
from analysis.change import Change
from warehouse import reads_remarks
from warehouse.connect import Connection
from warehouse.scope import Scope

MOST: Final = 12  # changes whose documents are looked into, those that touch most mail
FAILING: Final = 0.3  # share of a change from which signatures that stay and fail are worth asking about

STRETCHES: Final = {"domain": pl.String, "source_key": pl.String, "since": pl.Date, "until": pl.Date}

# What verifiers write beside a result: OpenDKIM, Mail::DKIM, dkimpy, rspamd and the large mailbox providers have
# words of their own for the same few things.
MEANINGS: Final = {
    "signature_expired": (
        re.compile(r"expired|x=\s*(?:tag\s*)?in the past|past (?:its )?expir", re.IGNORECASE),
        "Receivers remark that signatures had expired when they were checked",
    ),
    "key_too_short": (
        re.compile(
            r"key[\W_]*(?:is\s*)?(?:too[\s_-]*(?:short|small|weak)|size|length)|(?:short|small|weak|insecure)"
            r"[\s_-]*key|\b(?:384|512|768|1024)[\s-]*bits?\b",
            re.IGNORECASE,
        ),
        "Receivers remark that the key is too short",
    ),
    "key_revoked": (re.compile(r"revoked|empty p=", re.IGNORECASE), "Receivers remark that the key was withdrawn"),
    "key_missing": (
        re.compile(
            r"no[\s_-]*(?:public[\s_-]*)?key|key[\s_-]*(?:not[\s_-]*found|unavailable|missing|does not exist)|nxdomain"
            r"|key[\s_-]*(?:retrieval|query|lookup)[\s_-]*fail",
            re.IGNORECASE,
        ),
        "Receivers remark that there is no key under this name",
    ),
    "body_altered": (
        re.compile(r"body[\s_-]*(?:hash|has been altered|was altered)", re.IGNORECASE),
        "Receivers remark that the message had been altered after it was signed",
    ),
}


def meaning(text: str) -> str:
    """What a remark is about, as one of MEANINGS; "" where it is about none of them."""
    return next((code for code, (pattern, _) in MEANINGS.items() if pattern.search(text)), "")


def remarked(session: Connection, scope: Scope, changes: Sequence[Change], seen: Seen) -> pl.DataFrame:
    """What is remarked on the sources whose signatures are there and fail, with the columns of NO_REMARKS."""
    failing = [change for change in changes if _fails(change, seen)]
    kept = {(one.domain, one.source_key): one for one in sorted(failing, key=lambda one: one.messages)[-MOST:]}
    if not kept:
        return NO_REMARKS.clear()
    asked = [(*source, *days) for source, change in kept.items() for days in _stretches(change, seen)]
    near = replace(scope, since=min(since for *_, since, _ in asked), until=max(until for *_, until in asked))
    stretches = pl.DataFrame(asked, schema=STRETCHES, orient="row")
    read = reads_remarks.reason_remarks, reads_remarks.signature_remarks
    return coded(pl.concat([one(session, near, stretches) for one in read]))


def coded(rows: pl.DataFrame) -> pl.DataFrame:
    """Remarks (domain, source_key, day, remark, messages) with what they are about, with the columns of NO_REMARKS."""
    codes = {text: meaning(text) for text in rows["remark"].unique()}
    code = pl.col("remark").replace_strict(codes, return_dtype=pl.String)
    return rows.with_columns(code=code).select(NO_REMARKS.columns)


def _fails(change: Change, seen: Seen) -> bool:
    """Whether the domain's own signatures stayed while fewer of them were valid."""
    seen = seen.of(change)
    window = Window.of(change, seen)
    if "dkim" not in window.mechanisms or not change.loss or not window.total_before or not window.total_after:
        return False
    mine = window.shares(seen.signatures.filter("own"))
    failing = (mine.after - mine.passing_after) - (mine.before - mine.passing_before)
    return window.explains(failing) >= FAILING


def _stretches(change: Change, seen: Seen) -> tuple[tuple[date, date], tuple[date, date]]:
    window = Window.of(change, seen.of(change))
    return window.before, window.after
