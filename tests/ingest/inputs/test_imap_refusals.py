"""Servers that lie, refuse and lack things; and what they are told when we log in."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Sequence

import pytest

from ingest.errors import MailboxError, MailboxUnreachable
from ingest.inputs.imap_link import Retry
from ingest.inputs.imap_uids import ranges
from ingest.outcome import Stored
from ingest.settings import UnpackLimits
from tests.ingest.inputs.imap_boxes import (
    AT_ONCE,
    BODY,
    QUICK,
    everything,
    mail,
    mailbox,
    mails,
    uids,
)
from tests.servers.scripted_imap import Folder, ScriptedImap, cut, say, stall

pytestmark = pytest.mark.server


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
        assert time.monotonic() - began < AT_ONCE


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


@pytest.mark.parametrize("capabilities", ["IMAP4rev1 MOVE", "IMAP4rev1 UIDPLUS"])
def test_a_full_mailbox_is_said_plainly_and_what_is_owed_stays(capabilities: str) -> None:
    with ScriptedImap(mails(3), capabilities=capabilities) as server:
        server.folders["Done"] = Folder()
        server.on("UID (MOVE|COPY)", say("{tag} NO [OVERQUOTA] Quota exceeded"), times=9)
        with pytest.raises(MailboxError, match="Quota exceeded"):
            act(server, "move:Done")
        assert server.inbox.uids() == [1, 2, 3]
        assert not server.inbox.flags
        assert not server.folders["Done"].messages


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


@pytest.mark.parametrize("broken", ["UID COPY", "UID STORE", "UID EXPUNGE"])
@pytest.mark.parametrize("carried_out", [False, True])
def test_without_move_a_cut_off_copy_is_not_made_twice(broken: str, carried_out: bool) -> None:
    # Cut off before the command was carried out, or after; in one run, and between two.
    raws = {1: mail(1), 2: mail(2), 3: mail(1)}
    for tries in (1, 4):
        with ScriptedImap(raws, capabilities="IMAP4rev1 UIDPLUS") as server:
            server.folders["Done"] = Folder({4: mail(7), 9: mail(8)})
            box = mailbox(server, after="move:Done", retry=Retry(tries, 0.01, 0.01))
            read = everything(box.fetch({}))
            server.on(broken, cut(0) if carried_out else say("", hang_up=True))
            with contextlib.nullcontext() if tries > 1 else pytest.raises(MailboxUnreachable):
                box.done([(message, Stored(1)) for message in read])
            box.redo([message.position for message in read if message.position])
            assert server.inbox.uids() == []
            assert sorted(server.folders["Done"].messages.values()) == sorted([*raws.values(), mail(7), mail(8)])


def test_without_move_a_copy_is_found_however_much_came_after_it() -> None:
    with ScriptedImap(mails(3), capabilities="IMAP4rev1 UIDPLUS") as server:
        box = mailbox(server, after="move:Done")
        read = everything(box.fetch({}))
        others = {uid: mail(uid) for uid in range(100, 4_600)}
        # The copies of two, below more than one window of mail that others have moved there meanwhile.
        server.folders["Done"] = Folder({1: mail(1), 2: mail(2), **others})
        box.redo([message.position for message in read if message.position])
        assert server.inbox.uids() == []
        assert sorted(server.folders["Done"].messages.values()) == sorted([*mails(3).values(), *others.values()])
        assert server.count(r"UID COPY 3 ") == server.count("UID COPY") == 1


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
