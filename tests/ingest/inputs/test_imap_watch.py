"""Watching: new mail is heard of at once, drops are survived, and the end comes when told."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from ingest.errors import MailboxError, MailboxUnreachable
from ingest.inputs.imap import ImapInput
from ingest.inputs.imap_link import Retry
from ingest.outcome import Stored
from ingest.settings import MailboxSettings, UnpackLimits
from tests.ingest.inputs.imap_boxes import (
    AT_ONCE,
    BODY,
    Watcher,
    fill,
    mail,
    mailbox,
    mails,
)
from tests.servers.dovecot import Account
from tests.servers.scripted_imap import Connection, ScriptedImap, cut, idling, say, stall

pytestmark = pytest.mark.server


def test_watch_hears_of_new_mail_and_ends_when_told(dovecot: Account) -> None:
    fill(dovecot, 2)
    watcher = Watcher(mailbox(dovecot, interval=300))
    watcher.wait_for(2)
    for number in (3, 4):
        time.sleep(0.3)
        dovecot.deliver(mail(number))
        assert watcher.wait_for(number) < AT_ONCE
    assert watcher.end() < AT_ONCE
    assert watcher.read == [mail(1), mail(2), mail(3), mail(4)]
    assert set(dovecot.state().values()) == {frozenset()}


def test_watch_goes_on_after_drops_and_restarts(dovecot: Account) -> None:
    watcher = Watcher(mailbox(dovecot, interval=300))
    for number in range(1, 4):
        dovecot.deliver(mail(number))
        watcher.wait_for(number)
        time.sleep(0.2)
        assert dovecot.server.kill_connections() > 0
    dovecot.server.restart()
    dovecot.deliver(mail(4))
    watcher.wait_for(4)
    assert watcher.end() < AT_ONCE
    assert watcher.read == [mail(number) for number in range(1, 5)]


def test_watch_looks_into_the_other_folders_too(dovecot: Account) -> None:
    with dovecot.imap() as client:
        client.create("Second")
    watcher = Watcher(mailbox(dovecot, folders=("INBOX", "Second"), interval=0.5))
    dovecot.deliver(mail(1))
    watcher.wait_for(1)
    with dovecot.imap() as client:
        client.append("Second", None, None, mail(2))
    watcher.wait_for(2)
    watcher.end()
    assert watcher.read == [mail(1), mail(2)]


def test_watch_and_move_leave_nothing_behind(dovecot: Account) -> None:
    watcher = Watcher(mailbox(dovecot, after="move:Done", interval=300), acting=True)
    for number in range(1, 4):
        dovecot.deliver(mail(number))
        watcher.wait_for(number)
    watcher.end()
    assert dovecot.state() == {}
    assert len(dovecot.state("Done")) == 3


def test_mail_that_comes_while_a_batch_is_stored_is_not_left_for_the_next_poll(dovecot: Account) -> None:
    dovecot.deliver(mail(1))
    stop = threading.Event()
    batches = mailbox(dovecot, interval=300).watch({}, stop)
    next(batches)
    dovecot.deliver(mail(2))  # no IDLE is under way, so nobody tells of it
    began = time.monotonic()
    assert [message.raw for message in next(filter(None, batches))] == [mail(2)]
    assert time.monotonic() - began < AT_ONCE
    stop.set()
    assert list(batches) == []


def test_a_refused_login_ends_the_watch(dovecot: Account) -> None:
    with pytest.raises(MailboxError, match="refused the login"):
        list(mailbox(dovecot, password="wrong").watch({}, threading.Event()))


# The scripted server


def test_a_server_without_idle_is_polled() -> None:
    with ScriptedImap(mails(1), capabilities="IMAP4rev1") as server:
        watcher = Watcher(mailbox(server, interval=0.3))
        watcher.wait_until(lambda: len(watcher.read) == 1)
        server.push(2, b"new")
        watcher.wait_until(lambda: len(watcher.read) == 2)
        assert watcher.end() < AT_ONCE
        assert server.count("IDLE") == 0


def test_a_server_that_refuses_idle_is_polled() -> None:
    with ScriptedImap(mails(1)) as server:
        server.on("IDLE", say("{tag} NO not here"))
        watcher = Watcher(mailbox(server, interval=0.3))
        watcher.wait_until(lambda: len(watcher.read) == 1)
        server.push(2, b"new")
        watcher.wait_until(lambda: len(watcher.read) == 2)
        watcher.end()
        assert server.count("IDLE") == 1
        assert server.count("AUTHENTICATE") == 1


def test_an_idle_that_stays_silent_is_checked_at_the_interval() -> None:
    with ScriptedImap(mails(1)) as server:
        server.on("IDLE", idling("+ idling\r\n"), times=9)
        watcher = Watcher(mailbox(server, interval=0.5))
        watcher.wait_until(lambda: server.count("IDLE") > 0)
        server.inbox.messages[2] = b"nobody was told"
        watcher.wait_for(2)
        watcher.end()
        assert server.count("AUTHENTICATE") == 1


@pytest.mark.parametrize(
    "pieces",
    [
        ("+ idling\r\n* 2 EXISTS\r\n",),
        ("* 2 EXISTS\r\n+ idling\r\n",),
        ("+ idling\r\n* 2 EX", "ISTS\r\n"),
        ("+ idling\r\n", "* OK Still here\r\n", "* 2 EXISTS\r\n"),
    ],
    ids=["with the plus", "before the plus", "in halves", "after a sign of life"],
)
def test_news_in_an_odd_place_is_heard_at_once(pieces: tuple[str, ...]) -> None:
    """A client that only polls the socket would sleep until the interval ends."""
    with ScriptedImap(mails(1)) as server:
        tell = idling(*pieces)

        def arrive(connection: Connection, tag: str, answer: Callable[[], bytes]) -> None:
            server.inbox.messages[2] = b"new"
            tell(connection, tag, answer)

        server.on("IDLE", arrive)
        watcher = Watcher(mailbox(server, interval=300))
        watcher.wait_for(2)
        assert watcher.end() < AT_ONCE


def test_a_dead_idle_is_noticed() -> None:
    with ScriptedImap(mails(1)) as server:
        server.on("IDLE", say("+ idling", hang_up=True), times=3)
        watcher = Watcher(mailbox(server, interval=300))
        watcher.wait_until(lambda: server.count("IDLE") == 4)
        server.push(2, b"new")
        watcher.wait_until(lambda: len(watcher.read) == 2)
        watcher.end()


def test_a_server_that_cuts_every_idle_short_is_not_hammered() -> None:
    with ScriptedImap(mails(1)) as server:
        for _ in range(200):
            server.on("IDLE", say("+ idling\r\n* 1 EXISTS\r\n{tag} OK done"))
        watcher = Watcher(mailbox(server, interval=300))
        time.sleep(1.5)
        watcher.end()
        assert server.count("IDLE") < 10


@pytest.mark.parametrize("command", ["EXAMINE", BODY, "IDLE", "AUTHENTICATE"])
def test_a_watch_ends_at_once_even_when_the_server_is_silent(command: str) -> None:
    with ScriptedImap(mails(3)) as server:
        server.on(command, stall(5))
        watcher = Watcher(mailbox(server, timeout=60))
        watcher.wait_until(lambda: server.count(command) == 1)
        time.sleep(0.1)
        assert watcher.end() < AT_ONCE


def test_a_watch_ends_at_once_while_it_waits_to_reconnect() -> None:
    with ScriptedImap(greeting="* BYE overloaded") as server:
        settings = MailboxSettings(host="127.0.0.1", port=server.port, security="plain", user="u", password="p")
        box = ImapInput(settings, UnpackLimits(), retry=Retry(first=60, cap=60))
        watcher = Watcher(box)
        time.sleep(0.3)
        assert watcher.end() < AT_ONCE


def test_what_was_committed_is_acted_on_even_when_the_watch_has_been_ended() -> None:
    with ScriptedImap(mails(3)) as server:
        box = mailbox(server, after="move:Done")
        stop = threading.Event()
        for batch in box.watch({}, stop):
            stop.set()
            time.sleep(0.7)
            box.done([(message, Stored(1)) for message in batch])
        assert server.inbox.uids() == []
        assert len(server.folders["Done"].messages) == 3


def test_an_action_in_a_watch_outlasts_a_server_that_is_down() -> None:
    with ScriptedImap(mails(2)) as server:
        server.on("SELECT", cut(0), times=20)  # far more than a single run would bear
        watcher = Watcher(mailbox(server, after="move:Done"), acting=True)
        watcher.wait_for(2)
        watcher.end()
        assert server.inbox.uids() == []
        assert len(server.folders["Done"].messages) == 2


def test_an_action_that_cannot_be_done_does_not_hold_up_the_end() -> None:
    with ScriptedImap(mails(2)) as server:
        server.on("SELECT", cut(0), times=1000)
        watcher = Watcher(mailbox(server, after="seen", retry=Retry(first=30)), acting=True)
        watcher.wait_until(lambda: server.count("SELECT") == 1)
        began = time.monotonic()
        watcher.stop.set()
        watcher.join()
        assert time.monotonic() - began < AT_ONCE
        assert isinstance(watcher.fault, MailboxUnreachable)  # owed, and done by the next run
