"""Kill -9 after the commit, at each step of what is owed to a mailbox: the next run does it, and nothing twice.

Steps are what is sent while the input acts (the server still carries it out, and nobody hears the
answer), what the ledger of an API mailbox notes, and each commit. The servers live on in the test's
own process, as servers do.
"""

from __future__ import annotations

import shutil
import signal
import socket
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, Final

import pytest

from ingest.inputs.boxes import box
from ingest.settings import MailboxSettings, UnpackLimits
from tests.ingest.inputs.oauth_mailbox import consented
from tests.servers.mail_api import MailApi
from tests.servers.oauth_server import OAuthServer
from tests.servers.scripted_imap import ScriptedImap
from tests.warehouse.build import loader, one, row, torn, warehouse, xml
from tests.warehouse.test_crash_walk import dying, in_a_process, is_connection, prepare
from warehouse.load import load

pytestmark = pytest.mark.server

WIRE: Final = {"send", "sendall"}
REPORTS: Final = [xml(row(count=10), report_id=f"r{number}") for number in range(4)]
BROKEN: Final = torn()
MAILS: Final = [*REPORTS[:3], BROKEN, REPORTS[3]]

Look = Callable[[], tuple[list[bytes], list[bytes]]]
"""What is still to be acted on in the mailbox, and what was."""


def run(folder: Path, settings: MailboxSettings, step: int, told: Any) -> None:
    """Poll the mailbox, and die at that step; without one, send which steps there were."""
    source = box(settings, UnpackLimits())
    target = loader(warehouse(folder))
    told.send(dying(lambda: load(source, target), step, _done, most=8))


def _done(frame: FrameType, event: str, argument: Any) -> str:
    return str(argument.__name__) if event == "c_return" and _changes(argument, frame) else ""


def _changes(function: Any, frame: FrameType) -> bool:
    owner = getattr(function, "__self__", None)
    if isinstance(owner, socket.socket):
        return function.__name__ in WIRE and _acting(frame)
    if isinstance(owner, sqlite3.Connection):
        return function.__name__ == "executemany"
    return function.__name__ == "commit" and is_connection(function)


def _acting(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_name in ("done", "redo"):
            return True
        frame = frame.f_back
    return False


@contextmanager
def imap(folder: Path, after: str, capabilities: str) -> Iterator[tuple[MailboxSettings, Look]]:
    """An IMAP server of that kind."""
    with ScriptedImap(dict(enumerate(MAILS, 1)), capabilities=capabilities) as server:

        def look() -> tuple[list[bytes], list[bytes]]:
            inbox, done = server.inbox, server.folders.get("Done")
            if after == "seen":
                seen = {uid for uid, flags in inbox.flags.items() if "\\Seen" in flags}
                return [r for u, r in inbox.messages.items() if u not in seen], [inbox.messages[uid] for uid in seen]
            return list(inbox.messages.values()), list(done.messages.values()) if done else []

        yield (
            MailboxSettings(
                host="127.0.0.1", port=server.port, security="plain", user="u", password="s3cret",
                timeout=5, after=after, batch_messages=3,
            ),
            look,
        )  # fmt: skip


@contextmanager
def api(folder: Path, after: str, kind: str) -> Iterator[tuple[MailboxSettings, Look]]:
    """Gmail or Graph, with the ledger in the folder."""
    with OAuthServer() as oauth, MailApi(oauth) as server:
        for number, raw in enumerate(MAILS):
            server.deliver(raw, time.time() - 3600 + number)

        def look() -> tuple[list[bytes], list[bytes]]:
            if after == "seen":
                acted = {key for key, mail in server.mails.items() if mail.seen}
            else:
                acted = {k for k, m in server.mails.items() if m.folders == {server.folders.get("Done")}}
            mails = server.mails
            return [m.raw for k, m in mails.items() if k not in acted], [mails[key].raw for key in acted]

        settings = consented(
            oauth, folder, kind=kind, oauth_device_url="", api_url=server.url, ledger_file=str(folder / "ledger"),
            after=after, batch_messages=3,
        )  # fmt: skip
        yield settings, look


MAILBOXES: Final = {
    "imap, seen": (imap, "seen", "IMAP4rev1 AUTH=PLAIN"),
    "imap, MOVE": (imap, "move:Done", "IMAP4rev1 MOVE UIDPLUS AUTH=PLAIN"),
    "imap, COPY": (imap, "move:Done", "IMAP4rev1 UIDPLUS AUTH=PLAIN"),
    "gmail": (api, "move:Done", "gmail"),
    "graph": (api, "move:Done", "graph"),
}


@pytest.mark.parametrize("kind", MAILBOXES)
def test_killed_while_it_acts_nothing_is_lost_or_doubled_and_the_next_run_does_it(tmp_path: Path, kind: str) -> None:
    serve, after, how = MAILBOXES[kind]
    prepared = tmp_path / "prepared"
    assert in_a_process(prepare, prepared) == (0, True)
    with serve(Path(shutil.copytree(prepared, tmp_path / "whole")), after, how) as (settings, look):
        code, whole = in_a_process(run, tmp_path / "whole", settings, -1)
        assert code == 0
        assert ended(tmp_path / "whole", look)
    last = sorted({step: number for number, step in enumerate(whole)}.values())
    assert sum(whole[number].what in WIRE for number in last) >= 2  # SELECT and STORE at least
    for step in last:
        folder = Path(shutil.copytree(prepared, tmp_path / str(step)))
        with serve(folder, after, how) as (settings, look):
            code, _ = in_a_process(run, folder, settings, step)
            assert code == -signal.SIGKILL, whole[step]
            left, acted = look()
            stored = one(warehouse(folder), "SELECT count(*) FROM aggregate_report")
            assert len(set(acted)) <= int(str(stored)), whole[step]
            assert {*left, *acted} == set(MAILS), whole[step]
            code, _ = in_a_process(run, folder, settings, -1)
            assert code == 0
            assert ended(folder, look), whole[step]
        shutil.rmtree(folder)


def ended(folder: Path, look: Look) -> bool:
    """Each report stored once, acted on once; the broken one kept, and left where it is; nothing owed."""
    left, acted = look()
    assert (left, sorted(acted)) == ([BROKEN], sorted(REPORTS))
    sql = """
        SELECT (SELECT count(*) FROM aggregate_report), (SELECT sum(messages)::BIGINT FROM daily),
               (SELECT count(*) FROM quarantine), (SELECT count(*) FROM mailbox_action), (SELECT count(*) FROM message)
    """
    return one(warehouse(folder), sql) == (4, 40, 1, 0, 5)
