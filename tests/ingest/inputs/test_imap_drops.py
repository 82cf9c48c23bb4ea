"""Connections that break, stall and come back: nothing is lost, doubled or left hanging."""

from __future__ import annotations

import random
import signal
import threading
import time
from dataclasses import replace

import pytest

from ingest.errors import MailboxError, MailboxUnreachable
from ingest.inputs.base import Message
from ingest.inputs.imap import ImapInput
from ingest.inputs.imap_link import Retry
from ingest.outcome import Stored
from ingest.settings import MailboxSettings, UnpackLimits
from tests.ingest.inputs.imap_boxes import (
    AT_ONCE,
    BODY,
    QUICK,
    everything,
    mailbox,
    mails,
    settings_for,
    uids,
)
from tests.servers.dovecot import free_port
from tests.servers.scripted_imap import Folder, ScriptedImap, cut, say, stall

pytestmark = pytest.mark.server


@pytest.mark.parametrize("command", ["EXAMINE", "UID SEARCH", r"UID FETCH .*SIZE", BODY])
@pytest.mark.parametrize("length", [0, 1, 30, 100])
def test_a_drop_anywhere_loses_and_doubles_nothing(command: str, length: int) -> None:
    with ScriptedImap(mails(10)) as server:
        server.on(command, cut(length), times=2)
        read = everything(mailbox(server, batch_messages=4).fetch({}))
        assert [message.raw for message in read] == list(mails(10).values())
        assert server.count("AUTHENTICATE") >= 2


def test_a_drop_in_the_login_is_tried_again() -> None:
    with ScriptedImap(mails(1)) as server:
        server.on("AUTHENTICATE", say("", hang_up=True))
        assert len(everything(mailbox(server).fetch({}))) == 1


def test_a_line_that_always_breaks_is_given_up_after_some_tries() -> None:
    with ScriptedImap(mails(10)) as server:
        server.on(BODY, cut(70), times=100)
        with pytest.raises(MailboxUnreachable, match="dropped the connection"):
            everything(mailbox(server).fetch({}))
        assert server.count("AUTHENTICATE") == QUICK.tries


def test_progress_renews_the_patience() -> None:
    """A line that breaks at every second batch still delivers the whole mailbox."""
    with ScriptedImap(mails(40)) as server:
        box = mailbox(server, batch_messages=2)
        read: list[Message] = []
        for batch in box.fetch({}):
            read += batch
            server.on(BODY, cut(20))
        assert uids(read) == list(range(1, 41))


def test_batches_shrink_where_the_line_does_not_last() -> None:
    """The line breaks after 20 kB, then after 10; batches of 64 kB would never get through."""
    with ScriptedImap(mails(16, 4_000)) as server:
        server.on(BODY, cut(20_000), times=1)
        server.on(BODY, cut(10_000), times=1)
        sizes = [len(batch) for batch in mailbox(server, batch_bytes=64_000).fetch({})]
        assert sizes[0] == 1
        assert sum(sizes) == 16


@pytest.mark.parametrize("length", [0, 60])
def test_a_server_that_falls_silent_is_left_in_time(length: int) -> None:
    with ScriptedImap(mails(3)) as server:
        server.on(BODY, stall(length))
        began = time.monotonic()
        assert uids(everything(mailbox(server, timeout=0.5).fetch({}))) == [1, 2, 3]
        assert time.monotonic() - began < AT_ONCE


def test_a_server_that_never_greets_is_left_in_time() -> None:
    with ScriptedImap(greeting=None) as server:
        began = time.monotonic()
        with pytest.raises(MailboxUnreachable):
            list(mailbox(server, timeout=0.2).fetch({}))
        assert time.monotonic() - began < AT_ONCE


@pytest.mark.parametrize(
    "answer",
    [
        "* BYE server shutting down",
        "* BYE Too many connections (\r\n",
        "* 1 FETCH (UID 1 BODY[] {999999999999}",
        "* 1 FETCH (UID 1 BODY[] (((",
        '* 1 FETCH (UID x "unfinished',
        "* gibberish",
        "complete nonsense",
        "{tag} NO [UNAVAILABLE] try later",
        "{tag} NO [INUSE] busy",
        "{tag} BAD Request is throttled. Suggested Backoff Time: 299 milliseconds",
    ],
)
def test_trouble_that_passes_is_waited_for(answer: str) -> None:
    with ScriptedImap(mails(3)) as server:
        server.on(BODY, say(answer, hang_up=True))
        assert uids(everything(mailbox(server).fetch({}))) == [1, 2, 3]


def test_nobody_there_is_said_plainly() -> None:
    settings = MailboxSettings(host="127.0.0.1", port=free_port(), security="plain", user="u", password="p")
    with pytest.raises(MailboxUnreachable, match="refused the connection"):
        list(ImapInput(settings, UnpackLimits(), retry=QUICK).fetch({}))


def test_an_unknown_host_is_said_plainly() -> None:
    settings = MailboxSettings(host="imap.invalid", user="u", password="p")
    with pytest.raises(MailboxUnreachable, match="cannot be resolved"):
        list(ImapInput(settings, UnpackLimits(), retry=replace(QUICK, tries=1)).fetch({}))


@pytest.mark.parametrize("greeting", ["+OK POP3 ready", "220 mail ESMTP", "HTTP/1.1 400 Bad Request"])
def test_another_kind_of_server_is_said_plainly(greeting: str) -> None:
    with ScriptedImap(greeting=greeting) as server, pytest.raises(MailboxError, match="no IMAP server") as caught:
        list(mailbox(server).fetch({}))
    assert not isinstance(caught.value, MailboxUnreachable)


def test_waits_grow_to_a_cap_and_differ() -> None:
    retry = Retry(first=1, cap=60)
    waits = [[retry.wait(failures) for _ in range(50)] for failures in (1, 2, 3, 10, 1000)]
    for some, full in zip(waits, (1, 2, 4, 60, 60), strict=True):
        assert full / 2 <= min(some) < max(some) <= full


def test_the_waits_are_slept() -> None:
    slept: list[float] = []
    settings = MailboxSettings(host="127.0.0.1", port=free_port(), security="plain", user="u", password="p")
    with pytest.raises(MailboxUnreachable):
        list(ImapInput(settings, UnpackLimits(), retry=Retry(tries=4), sleep=slept.append).fetch({}))
    assert len(slept) == 3
    assert slept[0] <= 1 < slept[2] <= 4


@pytest.mark.parametrize(
    ("answer", "least", "most"),
    [
        ("{tag} BAD Request is throttled. Suggested Backoff Time: 92415 milliseconds", 92.415, 92.415),
        ("{tag} NO Request is throttled. Suggested Backoff Time: 299910 milliseconds", 299.91, 299.91),
        ("{tag} NO Request is throttled. Suggested Backoff Time: 999999999 milliseconds", 600, 600),
        ("{tag} NO Request is throttled. Suggested Backoff Time: 9999999999999 milliseconds", 0, 0.01),
        ("{tag} NO Request is throttled. Suggested Backoff Time: -1 milliseconds", 0, 0.01),
        ("{tag} NO [UNAVAILABLE] try later", 0, 0.01),
    ],
)
@pytest.mark.parametrize("command", [BODY, "AUTHENTICATE"])
def test_a_server_that_says_when_to_come_back_is_believed_within_bounds(
    command: str, answer: str, least: float, most: float
) -> None:
    slept: list[float] = []
    with ScriptedImap(mails(3)) as server:
        server.on(command, say(answer, hang_up=True))
        box = ImapInput(settings_for(server), UnpackLimits(), retry=QUICK, sleep=slept.append)
        assert uids(everything(box.fetch({}))) == [1, 2, 3]
    assert len(slept) == 1
    assert least <= slept[0] <= most


def test_exchanges_one_sentence_for_two_things_is_explained() -> None:
    with ScriptedImap(mails(1)) as server:
        server.on("EXAMINE", say("{tag} BAD User is authenticated but not connected."), times=9)
        with pytest.raises(MailboxUnreachable) as caught:
            list(mailbox(server).fetch({}))
    assert "Add-MailboxPermission" in caught.value.hint


def test_a_connection_not_used_for_minutes_is_not_trusted() -> None:
    with ScriptedImap(mails(4)) as server:
        now = [0.0]
        settings = MailboxSettings(
            host="127.0.0.1", port=server.port, security="plain", user="u", password="p", batch_messages=2
        )
        batches = ImapInput(settings, UnpackLimits(), retry=QUICK, clock=lambda: now[0]).fetch({})
        read = list(next(batches))
        now[0] = 600
        read += everything(batches)
        assert uids(read) == [1, 2, 3, 4]
        assert server.count("AUTHENTICATE") == 2
        assert server.count("UID SEARCH") == 1


@pytest.mark.parametrize("seed", range(25))
def test_whatever_breaks_each_message_is_read_once_and_moved_once(seed: int) -> None:
    """Cuts at random commands and places, with moves between the batches and mail still arriving."""
    chance = random.Random(seed)
    mailed = mails(30, 200)
    with ScriptedImap(mailed) as server:
        server.folders["Done"] = Folder()
        patient = replace(QUICK, tries=100)
        box = mailbox(server, retry=patient, after="move:Done", batch_messages=chance.choice([1, 4, 30]))
        commands = ["EXAMINE", "SELECT", "UID SEARCH", "UID FETCH", BODY, "CAPABILITY", "LOGOUT", ""]
        cursors: dict[tuple[str, str], tuple[int, int]] = {}
        read: list[int] = []
        for run in range(3):
            for batch in box.fetch(cursors):
                read += uids(batch)
                cursors["main", "INBOX"] = (7, read[-1])
                server.on(chance.choice(commands), cut(chance.randrange(400)), times=chance.randrange(3))
                if chance.random() < 0.3 and run < 2:
                    late = len(mailed) + 1
                    mailed[late] = server.inbox.messages[late] = b"late %d" % late
                box.done([(message, Stored(1)) for message in batch])
        assert read == sorted(mailed)
        assert server.inbox.messages == {}
        assert sorted(server.folders["Done"].messages.values()) == sorted(mailed.values())


def test_an_interrupt_in_mid_answer_does_not_wait_for_the_rest() -> None:
    """Ctrl-C while the server is silent: no LOGOUT whose reply would have to be waited for."""

    class InterruptError(Exception):
        pass

    def interrupt(*_: object) -> None:
        raise InterruptError

    before = signal.signal(signal.SIGUSR1, interrupt)
    try:
        with ScriptedImap(mails(3)) as server:
            server.on(BODY, stall(40))
            box = mailbox(server, timeout=60)

            def once_asked() -> None:
                while not server.count(BODY):
                    time.sleep(0.01)
                signal.pthread_kill(threading.main_thread().ident, signal.SIGUSR1)

            threading.Thread(target=once_asked, daemon=True).start()
            began = time.monotonic()
            with pytest.raises(InterruptError):
                everything(box.fetch({}))
            assert time.monotonic() - began < AT_ONCE
            assert server.count("LOGOUT") == 0
            assert uids(everything(box.fetch({}))) == [1, 2, 3]
    finally:
        signal.signal(signal.SIGUSR1, before)
