"""Reading a mailbox of a real Dovecot: what comes, in what portions, and what does not change there."""

from __future__ import annotations

import tracemalloc
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from ingest.errors import MailboxError, UsageError
from ingest.inputs.base import Input, Message, Position
from ingest.inputs.imap import ImapInput
from ingest.outcome import Duplicate, NotAReport, Outcome, Quarantined, Reason, Stored
from ingest.settings import UnpackLimits
from tests.ingest.inputs.imap_boxes import (
    everything,
    fill,
    mail,
    mailbox,
    settings_for,
    uids,
)
from tests.servers.dovecot import Account

pytestmark = pytest.mark.server

SEEN = frozenset({b"\\Seen"})
NOTHING: frozenset[bytes] = frozenset()


def cursor(messages: Sequence[Message]) -> dict[tuple[str, str], tuple[int, int]]:
    found: dict[tuple[str, str], tuple[int, int]] = {}
    for message in messages:
        assert message.position is not None
        at = message.position
        found[at.mailbox, at.folder] = max((at.uidvalidity, at.uid), found.get((at.mailbox, at.folder), (0, 0)))
    return found


def test_it_is_an_input(dovecot: Account) -> None:
    box: Input = mailbox(dovecot, name="reports", after="seen")
    assert (box.name, box.acts) == ("reports", True)
    assert not mailbox(dovecot).acts


def test_messages_come_whole_with_their_place_and_time(dovecot: Account) -> None:
    arrived = datetime(2026, 3, 29, 1, 30, tzinfo=timezone(timedelta(hours=2)))
    dovecot.deliver(mail(1, 500), received_at=arrived)
    dovecot.deliver(b"")
    first, second = everything(mailbox(dovecot, name="reports").fetch({}))
    assert first.raw == mail(1, 500)
    assert first.size == len(first.raw)
    assert first.received_at == arrived
    assert first.received_at is not None
    assert first.received_at.tzinfo is UTC
    assert first.origin == "reports/INBOX/1"
    assert first.position is not None
    assert first.position.uidvalidity > 0
    assert first.position == Position("reports", "INBOX", first.position.uidvalidity, 1)
    assert (second.raw, second.size, second.fault) == (b"", 0, "")


def test_an_empty_mailbox_gives_nothing(dovecot: Account) -> None:
    assert list(mailbox(dovecot).fetch({})) == []


def test_reading_changes_nothing_there(dovecot: Account) -> None:
    fill(dovecot, 5)
    big = mail(6, 3_000)
    dovecot.deliver(big)
    files = sorted(path.name for path in (dovecot.maildir / "new").iterdir())
    box = mailbox(dovecot, UnpackLimits(message_bytes=2_000))
    read = everything(box.fetch({}))
    box.done([(message, Stored(1)) for message in read])
    assert len(read) == 6
    # Not even \Recent is taken away: a mail program still finds them as new.
    assert sorted(path.name for path in (dovecot.maildir / "new").iterdir()) == files
    assert set(dovecot.state().values()) == {NOTHING}


def test_the_cursor_says_where_to_go_on(dovecot: Account) -> None:
    fill(dovecot, 4)
    box = mailbox(dovecot)
    first = everything(box.fetch({}))
    assert everything(box.fetch(cursor(first))) == []
    assert uids(everything(box.fetch(cursor(first[:2])))) == [3, 4]
    dovecot.deliver(mail(5))
    assert [message.raw for message in everything(box.fetch(cursor(first)))] == [mail(5)]


def test_cursors_of_other_mailboxes_and_folders_do_not_count(dovecot: Account) -> None:
    fill(dovecot, 2)
    box = mailbox(dovecot)
    (_, at), *_ = cursor(everything(box.fetch({}))).items()
    assert len(everything(box.fetch({("other", "INBOX"): at, ("main", "Junk"): at}))) == 2


def test_a_changed_uidvalidity_reads_everything_again(dovecot: Account) -> None:
    raws = fill(dovecot, 3)
    box = mailbox(dovecot)
    before = everything(box.fetch({}))
    dovecot.change_uidvalidity()
    after = everything(box.fetch(cursor(before)))
    assert sorted(message.raw for message in after) == sorted(raws)
    assert before[0].position is not None
    assert after[0].position is not None
    assert before[0].position.uidvalidity != after[0].position.uidvalidity


def test_uidvalidity_that_changes_under_way_reads_everything_again(dovecot: Account) -> None:
    raws = fill(dovecot, 6)
    batches = mailbox(dovecot, batch_messages=2).fetch({})
    next(batches)
    dovecot.change_uidvalidity()
    assert sorted(message.raw for message in everything(batches)) == sorted(raws)


def test_batches_end_by_count(dovecot: Account) -> None:
    fill(dovecot, 7)
    assert [len(batch) for batch in mailbox(dovecot, batch_messages=3).fetch({})] == [3, 3, 1]


def test_batches_end_by_bytes_and_a_message_is_never_split(dovecot: Account) -> None:
    for size in (4_000, 4_000, 4_000, 30_000, 100, 100):
        dovecot.deliver(mail(1, size))
    sizes = [[message.size // 1000 for message in batch] for batch in mailbox(dovecot, batch_bytes=10_000).fetch({})]
    assert sizes == [[4, 4], [4], [30], [0, 0]]


def test_an_oversized_message_comes_as_its_beginning(dovecot: Account) -> None:
    big = mail(2, 3 * 2**20)
    for raw in (mail(1), big, mail(3)):
        dovecot.deliver(raw)
    box = mailbox(dovecot, UnpackLimits(message_bytes=2 * 2**20))
    small, cut, last = everything(box.fetch({}))
    assert (cut.size, cut.raw) == (len(big), big[: 2**20])
    assert (small.raw, last.raw) == (mail(1), mail(3))


def test_the_list_of_a_folder_is_made_once(dovecot: Account) -> None:
    fill(dovecot, 3)
    batches = mailbox(dovecot, batch_messages=1).fetch({})
    read = list(next(batches))
    dovecot.deliver(mail(4))  # for the next run
    read += everything(batches)
    assert uids(read) == [1, 2, 3]


def test_several_folders_with_any_name(dovecot: Account) -> None:
    fill(dovecot, 1)
    with dovecot.imap() as client:
        for name in ('"Berichte/M&AOQ-rz"', '"a b"'):
            client.create(name)
            client.append(name, None, None, mail(2))
    read = everything(mailbox(dovecot, folders=("INBOX", "Berichte/März", "a b")).fetch({}))
    assert [message.origin for message in read] == ["main/INBOX/1", "main/Berichte/März/1", "main/a b/1"]


def test_a_missing_folder_is_named_beside_those_that_exist(dovecot: Account) -> None:
    with dovecot.imap() as client:
        client.create("Reports")
    with pytest.raises(MailboxError, match="'Report'") as caught:
        list(mailbox(dovecot, folders=("Report",)).fetch({}))
    assert "INBOX" in caught.value.hint
    assert "Reports" in caught.value.hint


def test_messages_that_vanish_under_way_are_passed_over(dovecot: Account) -> None:
    fill(dovecot, 6)
    batches = mailbox(dovecot, batch_messages=2).fetch({})
    read = list(next(batches))
    with dovecot.imap() as client:
        client.select("INBOX")
        client.uid("STORE", "3:5", "+FLAGS", "(\\Deleted)")
        client.expunge()
    read += everything(batches)
    assert uids(read) == [1, 2, 6]
    assert not any(message.fault for message in read)


def test_a_dropped_connection_is_taken_up_again(dovecot: Account) -> None:
    raws = fill(dovecot, 9)
    batches = mailbox(dovecot, batch_messages=2).fetch({})
    read: list[Message] = []
    for batch in batches:
        read += batch
        assert dovecot.server.kill_connections() > 0
    assert uids(read) == list(range(1, 10))
    assert sorted(message.raw for message in read) == sorted(raws)


def test_a_long_pause_of_the_reader_ends_in_a_fresh_connection(dovecot: Account) -> None:
    fill(dovecot, 4)
    now = [0.0]
    slept: list[float] = []
    box = ImapInput(
        replace(settings_for(dovecot), batch_messages=2),
        UnpackLimits(),
        sleep=slept.append,
        clock=lambda: now[0],
    )
    batches = box.fetch({})
    read = list(next(batches))
    now[0] = 1000.0
    read += next(batches)
    assert uids(read) == [1, 2, 3, 4]
    assert slept == []
    batches.close()  # type: ignore[attr-defined]


def settle(messages: Sequence[Message]) -> list[tuple[Message, Outcome]]:
    outcomes: list[Outcome] = [
        Stored(1),
        Duplicate(1),
        NotAReport("a greeting card"),
        Quarantined(Reason.XML_BROKEN, "broken"),
        Quarantined(Reason.XML_BROKEN, "broken in one part", reports=1),
    ]
    return list(zip(messages, outcomes, strict=True))


def test_after_seen_marks_what_is_stored_and_only_that(dovecot: Account) -> None:
    fill(dovecot, 5)
    box = mailbox(dovecot, after="seen")
    read = everything(box.fetch({}))
    assert set(dovecot.state().values()) == {NOTHING}
    for _ in range(2):
        box.done(settle(read))
        assert dovecot.state() == {1: SEEN, 2: SEEN, 3: NOTHING, 4: NOTHING, 5: NOTHING}


def test_after_move_moves_what_is_stored_and_only_that(dovecot: Account) -> None:
    fill(dovecot, 5)
    with dovecot.imap() as client:  # somebody else's deleted mail must stay where it is
        client.select("INBOX")
        client.uid("STORE", "4", "+FLAGS", "(\\Deleted)")
    box = mailbox(dovecot, after='move:Gelesen/März "24"')
    read = everything(box.fetch({}))
    assert len(dovecot.state()) == 5
    for _ in range(2):
        box.done(settle(read))
        assert list(dovecot.state()) == [3, 4, 5]
        assert list(dovecot.state('Gelesen/M&AOQ-rz \\"24\\"')) == [1, 2]


def test_acting_between_batches_does_not_disturb_the_reading(dovecot: Account) -> None:
    raws = fill(dovecot, 7)
    box = mailbox(dovecot, after="move:Done", batch_messages=2)
    read: list[Message] = []
    for batch in box.fetch({}):
        read += batch
        box.done([(message, Stored(1)) for message in batch])
    assert [message.raw for message in read] == raws
    assert dovecot.state() == {}
    assert len(dovecot.state("Done")) == 7


def test_what_a_crash_left_undone_is_done_by_redo(dovecot: Account) -> None:
    fill(dovecot, 3)
    read = everything(mailbox(dovecot).fetch({}))
    owed = [message.position for message in read if message.position is not None]
    gone = replace(owed[0], uid=99)
    elsewhere = replace(owed[0], mailbox="other")
    for _ in range(2):
        mailbox(dovecot, after="move:Done").redo([*owed[:2], gone, elsewhere])
        assert list(dovecot.state()) == [3]
        assert len(dovecot.state("Done")) == 2


def test_renumbered_messages_are_left_alone(dovecot: Account) -> None:
    fill(dovecot, 3)
    read = everything(mailbox(dovecot).fetch({}))
    dovecot.change_uidvalidity()
    mailbox(dovecot, after="move:Done").done([(message, Stored(1)) for message in read])
    mailbox(dovecot, after="seen").done([(message, Stored(1)) for message in read])
    assert set(dovecot.state().values()) == {NOTHING}
    assert len(dovecot.state()) == 3


def test_a_connection_lost_while_storing_does_not_stop_the_action(dovecot: Account) -> None:
    fill(dovecot, 2)
    box = mailbox(dovecot, after="seen")
    for batch in box.fetch({}):
        dovecot.server.kill_connections()
        box.done([(message, Stored(1)) for message in batch])
    assert set(dovecot.state().values()) == {SEEN}


@pytest.mark.parametrize("after", ["", "delete", "move", "move:", "seen:x", "leave:now"])
def test_an_unknown_action_is_refused_at_once(dovecot: Account, after: str) -> None:
    with pytest.raises(UsageError, match="after"):
        mailbox(dovecot, after=after)


def test_moving_into_a_folder_that_is_read_is_refused(dovecot: Account) -> None:
    with pytest.raises(UsageError, match="without end"):
        mailbox(dovecot, after="move:inbox")


def test_memory_stays_flat_over_two_thousand_messages(dovecot: Account) -> None:
    for number in range(2000):
        dovecot.deliver(mail(number, 20_000))
    box = mailbox(dovecot, batch_bytes=2**20)
    tracemalloc.start()
    try:
        count = total = 0
        for batch in box.fetch({}):
            count += len(batch)
            total += sum(message.size for message in batch)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert count == 2000
    assert total > 38 * 2**20
    assert peak < 6 * 2**20
