"""Servers that drop, stall, lie, refuse and lack things; nothing may be lost, doubled or hang."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import pytest

from ingest.errors import MailboxError, MailboxUnreachable
from ingest.inputs.base import Message
from ingest.inputs.imap import ImapInput
from ingest.inputs.imap_link import Retry
from ingest.inputs.imap_uids import ranges
from ingest.outcome import Stored
from ingest.settings import MailboxSettings, UnpackLimits
from tests.servers.dovecot import free_port
from tests.servers.scripted_imap import Folder, ScriptedImap, cut, say, stall

pytestmark = pytest.mark.server

QUICK = Retry(tries=4, first=0.01, cap=0.05)
BODY = r"UID FETCH .*BODY"


def mailbox(server: ScriptedImap, limits: UnpackLimits | None = None, **changes: object) -> ImapInput:
    settings = MailboxSettings(
        host="127.0.0.1", port=server.port, security="plain", user="u", password="s3cret", timeout=5
    )
    settings = replace(settings, **changes)  # type: ignore[arg-type]
    return ImapInput(settings, limits or UnpackLimits(), retry=QUICK)


def mails(count: int, size: int = 40) -> dict[int, bytes]:
    return {uid: b"Subject: %d\r\n\r\n" % uid + b"x" * size for uid in range(1, count + 1)}


def everything(batches: Iterator[Sequence[Message]]) -> list[Message]:
    return [message for batch in batches for message in batch]


def uids(messages: Sequence[Message]) -> list[int]:
    return [message.position.uid for message in messages if message.position is not None]


# Connections that break


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
        read = []
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
        assert time.monotonic() - began < 3


def test_a_server_that_never_greets_is_left_in_time() -> None:
    with ScriptedImap(greeting=None) as server:
        began = time.monotonic()
        with pytest.raises(MailboxUnreachable):
            list(mailbox(server, timeout=0.2).fetch({}))
        assert time.monotonic() - began < 4


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


# Servers that lie and refuse


def test_a_wrong_size_does_not_cut_or_skip() -> None:
    with ScriptedImap(mails(3)) as server:
        server.inbox.sizes = {1: 1, 2: 0, 3: 5_000}
        read = everything(mailbox(server).fetch({}))
        assert [(message.raw, message.size) for message in read] == [(raw, len(raw)) for raw in mails(3).values()]


def test_a_message_larger_than_announced_is_cut_at_the_limit() -> None:
    large = b"Subject: large\r\n\r\n" + b"x" * 3_000_000
    with ScriptedImap({1: large, 2: large}) as server:
        server.inbox.sizes = {1: 100}
        read = everything(mailbox(server, UnpackLimits(message_bytes=2_000_000)).fetch({}))
        assert [(message.raw == large[: 2**20], message.size) for message in read] == [(True, len(large))] * 2


def test_one_message_that_cannot_be_had_does_not_stop_the_others() -> None:
    with ScriptedImap(mails(9)) as server:
        refusal = say("{tag} NO [SERVERBUG] Internal error")
        for pattern in ("1,2,3,4,5,6,7,8,9", "5,6,7,8,9", "5,6", "5"):
            server.on(rf"UID FETCH {pattern} \(BODY", refusal)
        server.on(r"UID FETCH [1-9,]*\b5\b[1-9,]* \(BODY", refusal, times=20)
        read = everything(mailbox(server).fetch({}))
        assert uids(read) == list(range(1, 10))
        faults = {message.position.uid: message.fault for message in read if message.position and message.fault}
        assert list(faults) == [5]
        assert "Internal error" in faults[5]


def test_a_message_left_out_of_an_ok_answer_is_not_taken_for_vanished() -> None:
    with ScriptedImap(mails(2)) as server:
        server.on(BODY, say("* 1 FETCH (UID 1 BODY[] {1}\r\nx)\r\n* 2 FETCH (UID 2 BODY[] NIL)\r\n{tag} OK done"))
        read = everything(mailbox(server).fetch({}))
        assert [(message.raw, bool(message.fault)) for message in read] == [(b"x", False), (b"", True)]


def test_a_server_that_delivers_nothing_at_all_is_an_error_and_skips_nothing() -> None:
    with ScriptedImap(mails(5)) as server:
        server.on(BODY, say("{tag} NO [SERVERBUG] storage is down"), times=1000)
        with pytest.raises(MailboxUnreachable, match="storage is down") as caught:
            everything(mailbox(server).fetch({}))
        assert "Nothing was skipped" in caught.value.hint


def test_a_message_without_a_size_is_fetched_all_the_same() -> None:
    with ScriptedImap(mails(3)) as server:
        server.on(r"UID FETCH [1-9,]*\b2\b[1-9,]* \(RFC822", say("{tag} NO index is broken"), times=5)
        read = everything(mailbox(server).fetch({}))
        assert [message.raw for message in read] == list(mails(3).values())
        assert [message.received_at is None for message in read] == [False, True, False]


def test_the_last_message_alone_is_not_blamed_without_proof() -> None:
    with ScriptedImap(mails(3)) as server:
        server.on(r"UID FETCH 3 \(BODY\.PEEK\[\]\)", say("{tag} NO broken"))
        (only,) = everything(mailbox(server).fetch({("main", "INBOX"): (7, 2)}))
        assert "broken" in only.fault  # message 1 could be had, so it is message 3 that is broken


def test_star_names_the_last_message_even_below_the_cursor() -> None:
    with ScriptedImap(mails(3)) as server:
        assert everything(mailbox(server).fetch({("main", "INBOX"): (7, 3)})) == []
        assert server.count(BODY) == 0


def test_a_folder_without_uidvalidity_is_refused() -> None:
    with ScriptedImap(mails(1)) as server:
        server.on("EXAMINE", say("* 1 EXISTS\r\n{tag} OK [READ-ONLY] done"))
        with pytest.raises(MailboxError, match="UIDVALIDITY"):
            everything(mailbox(server).fetch({}))


def test_a_folder_of_many_messages_is_listed_in_windows() -> None:
    with ScriptedImap({uid: b"x" for uid in range(3, 120_003)}) as server:
        batches = mailbox(server, batch_messages=3).fetch({("main", "INBOX"): (7, 60_000)})
        assert uids(next(batches)) == [60_001, 60_002, 60_003]
        assert server.count("UID SEARCH") == 3
        assert max(len(command) for command in server.commands) < 8192
        batches.close()  # type: ignore[attr-defined]


def test_uids_are_packed_into_ranges() -> None:
    assert ranges([5, 1, 2, 3, 3, 9, 8]) == [range(1, 4), range(5, 6), range(8, 10)]
    assert ranges([]) == []


def test_a_limit_below_a_mebibyte_is_kept_too() -> None:
    with ScriptedImap(mails(2, 3_000)) as server:
        server.inbox.sizes = {1: 10}
        read = everything(mailbox(server, UnpackLimits(message_bytes=1_000)).fetch({}))
        assert [(len(message.raw), message.size) for message in read] == [(1_000, len(mails(2, 3_000)[1]))] * 2


def test_a_reader_that_stops_in_the_middle_hangs_up_without_waiting() -> None:
    with ScriptedImap(mails(4)) as server:
        server.on("LOGOUT", stall())
        batches = mailbox(server, batch_messages=1).fetch({})
        next(batches)
        began = time.monotonic()
        batches.close()  # type: ignore[attr-defined]
        assert time.monotonic() - began < 4


# Servers that lack things


def act(server: ScriptedImap, after: str, owed: Sequence[int] = (1, 2)) -> None:
    box = mailbox(server, after=after)
    read = everything(box.fetch({}))
    box.done([(message, Stored(1)) for message in read if message.position and message.position.uid in owed])


def test_without_move_it_is_copy_and_expunge_of_these_alone() -> None:
    with ScriptedImap(mails(4), capabilities="IMAP4rev1 UIDPLUS") as server:
        server.folders["Done"] = Folder()
        server.inbox.flags = {4: {"\\Deleted"}}  # another program's business
        act(server, "move:Done")
        assert server.inbox.uids() == [3, 4]
        assert list(server.folders["Done"].messages.values()) == [mails(2)[1], mails(2)[2]]
        assert server.count("UID EXPUNGE") == 1
        assert server.count("EXPUNGE") == 0


def test_a_missing_target_is_made() -> None:
    with ScriptedImap(mails(2)) as server:
        act(server, "move:Done")
        assert server.inbox.uids() == []
        assert len(server.folders["Done"].messages) == 2


def test_without_move_and_uidplus_nothing_is_touched() -> None:
    with ScriptedImap(mails(4), capabilities="IMAP4rev1") as server:
        server.folders["Done"] = Folder()
        with pytest.raises(MailboxError, match="nothing was moved"):
            act(server, "move:Done")
        assert server.inbox.uids() == [1, 2, 3, 4]
        assert not server.inbox.flags
        assert server.count("(UID )?(COPY|EXPUNGE|STORE)") == 0


def test_a_folder_that_may_only_be_read_is_said_plainly() -> None:
    with ScriptedImap(mails(2)) as server:
        server.on("SELECT", say("* 2 EXISTS\r\n* OK [UIDVALIDITY 7] ok\r\n{tag} OK [READ-ONLY] done"))
        with pytest.raises(MailboxError, match="only read"):
            act(server, "seen")


@pytest.mark.parametrize("broken", ["UID MOVE", "SELECT"])
def test_an_action_that_was_cut_off_is_repeated(broken: str) -> None:
    with ScriptedImap(mails(3)) as server:
        server.folders["Done"] = Folder()
        server.on(broken, cut(0))
        act(server, "move:Done")
        assert server.inbox.uids() == [3]
        assert len(server.folders["Done"].messages) == 2


def test_an_action_that_fails_says_so_after_the_commit() -> None:
    with ScriptedImap(mails(2)) as server:
        server.on("SELECT", cut(0), times=50)
        with pytest.raises(MailboxUnreachable):
            act(server, "seen")
    with ScriptedImap(mails(2)) as server:
        server.on("UID STORE", say("{tag} NO [NOPERM] you may not"))
        with pytest.raises(MailboxError, match="you may not"):
            act(server, "seen")


# Logging in


def test_without_auth_plain_it_is_login_with_quotes_where_needed() -> None:
    with ScriptedImap(mails(1), capabilities="IMAP4rev1") as server:
        everything(mailbox(server, user='a "b"', password='c\\d"e').fetch({}))
        assert server.count(r'LOGIN "a \\"b\\"" "c\\\\d\\"e"') == 1


@pytest.mark.parametrize(("user", "password"), [("u", "a\r\nA1 DELETE INBOX"), ("u\n", "p"), ("ü", "p")])
def test_login_cannot_smuggle_a_second_command(user: str, password: str) -> None:
    with ScriptedImap(mails(1), capabilities="IMAP4rev1") as server:
        with pytest.raises(MailboxError, match="printable ASCII"):
            everything(mailbox(server, user=user, password=password).fetch({}))
        assert server.count("LOGIN|DELETE") == 0


def test_a_server_without_passwords_is_said_plainly() -> None:
    with ScriptedImap(capabilities="IMAP4rev1 LOGINDISABLED AUTH=XOAUTH2") as server:
        with pytest.raises(MailboxError, match="no login with a password"):
            everything(mailbox(server).fetch({}))
        assert server.count("LOGIN|AUTHENTICATE") == 0


@pytest.mark.parametrize(
    ("answer", "passes"),
    [
        ("{tag} NO [AUTHENTICATIONFAILED] Invalid credentials", False),
        ("{tag} NO [ALERT] Application-specific password required", False),
        ("{tag} BAD bad s3cret password", False),
        ("{tag} NO [AUTHENTICATIONFAILED] Too many failed logins, try again later", False),
        ("{tag} NO [UNAVAILABLE] Temporary authentication failure", True),
        ("{tag} NO [ALERT] Too many simultaneous connections. (Failure)", True),
        ("* BYE overloaded", True),
    ],
)
def test_a_refused_login_is_not_repeated_and_a_busy_server_is(answer: str, passes: bool) -> None:
    with ScriptedImap(mails(1)) as server:
        server.on("AUTHENTICATE", say(answer, hang_up=True), times=50)
        with pytest.raises(MailboxError) as caught:
            everything(mailbox(server).fetch({}))
        assert isinstance(caught.value, MailboxUnreachable) == passes
        assert server.count("AUTHENTICATE") == (QUICK.tries if passes else 1)
        assert "s3cret" not in str(caught.value)


def test_what_a_server_says_cannot_forge_a_log_line() -> None:
    evil = "{tag} NO \x1b[31mred\u202e \x00" + "long " * 500
    with ScriptedImap(mails(1)) as server:
        server.on("AUTHENTICATE", say(evil))
        with pytest.raises(MailboxError) as caught:
            everything(mailbox(server).fetch({}))
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize("capabilities", ["IMAP4rev1", "IMAP4rev1 AUTH=PLAIN"])
def test_the_password_is_in_no_log(capabilities: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with ScriptedImap(mails(2), capabilities=capabilities) as server:
        server.on(BODY, cut(10))
        everything(mailbox(server).fetch({}))
    assert "mailbox.connected" in caplog.text
    assert "s3cret" not in caplog.text
    assert "AHUAczNjcmV0" not in caplog.text  # the same in base64, as AUTHENTICATE sends it


# Watching


class Watcher:
    """Collects what `watch` yields, in a thread of its own."""

    def __init__(self, box: ImapInput) -> None:
        self.stop = threading.Event()
        self.read: list[int] = []
        self._thread = threading.Thread(target=self._run, args=(box,))
        self._thread.start()

    def _run(self, box: ImapInput) -> None:
        for batch in box.watch({}, self.stop):
            self.read += uids(batch)

    def wait_until(self, condition: Callable[[], bool], seconds: float = 5) -> None:
        until = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < until, self.read
            time.sleep(0.01)

    def end(self) -> float:
        began = time.monotonic()
        self.stop.set()
        self._thread.join(10)
        assert not self._thread.is_alive()
        return time.monotonic() - began


def test_a_server_without_idle_is_polled() -> None:
    with ScriptedImap(mails(1), capabilities="IMAP4rev1") as server:
        watcher = Watcher(mailbox(server, interval=0.3))
        watcher.wait_until(lambda: watcher.read == [1])
        server.push(2, b"new")
        watcher.wait_until(lambda: watcher.read == [1, 2])
        assert watcher.end() < 2
        assert server.count("IDLE") == 0


def test_a_server_that_refuses_idle_is_polled() -> None:
    with ScriptedImap(mails(1)) as server:
        server.on("IDLE", say("{tag} NO not here"))
        watcher = Watcher(mailbox(server, interval=0.3))
        watcher.wait_until(lambda: watcher.read == [1])
        server.push(2, b"new")
        watcher.wait_until(lambda: watcher.read == [1, 2])
        watcher.end()
        assert server.count("IDLE") == 1
        assert server.count("AUTHENTICATE") == 1


def test_an_idle_that_stays_silent_is_checked_at_the_interval() -> None:
    with ScriptedImap(mails(1)) as server:
        watcher = Watcher(mailbox(server, interval=0.5))
        watcher.wait_until(lambda: server.count("IDLE") > 0)
        server.inbox.messages[2] = b"nobody was told"
        watcher.wait_until(lambda: watcher.read == [1, 2])
        watcher.end()


@pytest.mark.parametrize(
    "answer",
    ["+ idling\r\n* 2 EXISTS", "* 2 EXISTS\r\n+ idling", "+ idling\r\n* 2 EX"],
    ids=["with the plus", "before the plus", "in halves"],
)
def test_news_in_an_odd_place_is_heard_at_once(answer: str) -> None:
    """A client that only polls the socket would sleep until the interval ends."""
    with ScriptedImap(mails(1)) as server:

        def odd(connection: object, tag: str, _: Callable[[], bytes]) -> None:
            server.inbox.messages[2] = b"new"
            connection.send(answer.encode() + b"\r\n"[: 0 if answer.endswith("EX") else 2])  # type: ignore[attr-defined]
            if answer.endswith("EX"):
                time.sleep(0.2)
                connection.send(b"ISTS\r\n")  # type: ignore[attr-defined]
            connection._lines.readline()  # type: ignore[attr-defined]
            connection.send(f"{tag} OK done\r\n".encode())  # type: ignore[attr-defined]

        server.on("IDLE", odd)
        watcher = Watcher(mailbox(server, interval=300))
        watcher.wait_until(lambda: watcher.read == [1, 2])
        assert watcher.end() < 2


def test_a_dead_idle_is_noticed() -> None:
    with ScriptedImap(mails(1)) as server:
        server.on("IDLE", say("+ idling", hang_up=True), times=3)
        watcher = Watcher(mailbox(server, interval=300))
        watcher.wait_until(lambda: server.count("IDLE") == 4)
        server.push(2, b"new")
        watcher.wait_until(lambda: watcher.read == [1, 2])
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
        assert watcher.end() < 2


def test_a_watch_ends_at_once_while_it_waits_to_reconnect() -> None:
    with ScriptedImap(greeting="* BYE overloaded") as server:
        settings = MailboxSettings(host="127.0.0.1", port=server.port, security="plain", user="u", password="p")
        box = ImapInput(settings, UnpackLimits(), retry=Retry(first=60, cap=60))
        watcher = Watcher(box)
        time.sleep(0.3)
        assert watcher.end() < 2


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
