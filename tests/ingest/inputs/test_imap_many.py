"""A mailbox of 100,000 messages on a real Dovecot: read to its end, in memory that does not grow."""

from __future__ import annotations

import multiprocessing
import os
import re
from pathlib import Path
from typing import Any

import pytest

from ingest.inputs.imap import ImapInput
from ingest.settings import MailboxSettings, UnpackLimits
from tests.ingest.inputs.imap_boxes import mail, settings_for
from tests.servers.dovecot import Account

pytestmark = pytest.mark.server

MESSAGES = 100_000
MEGABYTES = 20
FORK = multiprocessing.get_context("forkserver")


def most_memory() -> int:
    """The most memory that this process has held since it was last reset, in kB."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found
    return int(found[1])


def read(settings: MailboxSettings, told: Any) -> None:
    """Read the mailbox; send how many messages and bytes there were, and the memory it took above idle, in kB."""
    box = ImapInput(settings, UnpackLimits())
    batches = box.fetch({})
    count, size = 0, 0
    idle = 0
    for batch in batches:
        count += len(batch)
        size += sum(message.size for message in batch)
        if not idle:  # connected, and the first batch is here: from now on nothing may add up
            Path("/proc/self/clear_refs").write_text("5")
            idle = most_memory()
    told.send((count, size, most_memory() - idle))


def fill(account: Account) -> int:
    """Deliver them: few files, each under many names. Returns the size of all."""
    new = account.maildir / "new"
    for part in ("tmp", "new", "cur"):
        (account.maildir / part).mkdir()
    raws = [mail(number, 3_000) for number in range(10)]
    for number, raw in enumerate(raws):
        first = new / f"0.{number}.test"
        first.write_bytes(raw)
        for other in range(1, MESSAGES // len(raws)):
            os.link(first, new / f"{other}.{number}.test")
    account.server.own(account.maildir, *(account.maildir / part for part in ("tmp", "new", "cur")), *new.iterdir())
    return sum(map(len, raws)) * MESSAGES // len(raws)


def test_a_hundred_thousand_messages_are_read_in_flat_memory(dovecot: Account) -> None:
    total = fill(dovecot)
    here, there = FORK.Pipe(duplex=False)
    process = FORK.Process(target=read, args=(settings_for(dovecot), there))
    process.start()
    there.close()
    count, size, grown = here.recv()
    process.join(60)
    assert (count, size) == (MESSAGES, total)
    assert grown < MEGABYTES * 1024
