"""Files, folders, Maildirs, mbox files and standard input, on a real file system."""

from __future__ import annotations

import gzip
import io
import os
import tempfile
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ingest.errors import UsageError
from ingest.inputs.base import Message
from ingest.inputs.files import HEAD_BYTES, FileInput
from ingest.outcome import NotAReport
from ingest.reading import read
from ingest.settings import UnpackLimits
from tests.ingest import wrap
from tests.ingest.writer import write

REPORT = write({"records": [{"source_ip": "192.0.2.1", "messages": 3, "header_from": "example.com"}]})
MAIL = wrap.common_mail(REPORT)


def fetched(*paths: str | Path, limits: UnpackLimits | None = None, stdin: bytes = b"") -> list[Message]:
    source = FileInput(paths, limits or UnpackLimits(), stdin=io.BytesIO(stdin))
    return [message for batch in source.fetch({}) for message in batch]


def origins(*paths: str | Path) -> list[str]:
    return [message.origin for message in fetched(*paths)]


def reports(messages: list[Message]) -> int:
    return sum(len(read(message, UnpackLimits()).reports) for message in messages)


def put(path: Path, data: bytes = REPORT) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def test_a_file(tmp_path: Path) -> None:
    path = put(tmp_path / "report.xml")
    os.utime(path, (1704067200, 1704067200))
    (message,) = fetched(path)
    assert message == Message(
        raw=REPORT, origin=str(path), size=len(REPORT), received_at=datetime(2024, 1, 1, tzinfo=UTC)
    )


def test_paths_are_paths_whatever_is_in_them(tmp_path: Path) -> None:
    for name in ("[Netease] *.xml", "what?.xml", "a b\n.xml", "-", "~.xml", "$HOME.xml", "%s.xml"):
        path = put(tmp_path / name)
        assert origins(path) == [str(path)]


def test_a_folder_is_read_to_its_depths_in_order(tmp_path: Path) -> None:
    for name in ("b.xml", "a/2.gz", "a/1.eml", "a/deep/er/x.zip", ".hidden.xml", ".git/config", "c/.cache/y.xml"):
        put(tmp_path / name)
    names = [Path(origin).relative_to(tmp_path).as_posix() for origin in origins(tmp_path)]
    assert names == ["a/1.eml", "a/2.gz", "a/deep/er/x.zip", "b.xml"]


def test_a_hidden_file_that_is_asked_for_is_read(tmp_path: Path) -> None:
    path = put(tmp_path / ".hidden.xml")
    assert origins(path) == [str(path)]


def test_links_that_go_round_end(tmp_path: Path) -> None:
    put(tmp_path / "a" / "1.xml")
    (tmp_path / "a" / "up").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "b").symlink_to(tmp_path / "a", target_is_directory=True)
    assert origins(tmp_path) == [str(tmp_path / "a" / "1.xml")]


def test_a_link_to_nowhere_is_told_and_does_not_stop_the_rest(tmp_path: Path) -> None:
    (tmp_path / "a.xml").symlink_to(tmp_path / "gone.xml")
    put(tmp_path / "b.xml")
    broken, whole = fetched(tmp_path)
    assert broken.fault == "It could not be read: No such file or directory."
    assert whole.raw == REPORT


def test_a_link_to_itself_is_told_and_does_not_stop_the_rest(tmp_path: Path) -> None:
    (tmp_path / "a.xml").symlink_to(tmp_path / "a.xml")
    (tmp_path / ".hidden").symlink_to(tmp_path / ".hidden")
    put(tmp_path / "b.xml")
    broken, whole = fetched(tmp_path)
    assert broken.fault == "It could not be read: Too many levels of symbolic links."
    assert whole.raw == REPORT


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may read everything")
def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    put(tmp_path / "a.xml").chmod(0)
    (message,) = fetched(tmp_path)
    assert "Permission denied" in message.fault


def test_pipes_and_sockets_in_a_folder_are_passed_over(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.xml")
    (tmp_path / "a2.xml").symlink_to(tmp_path / "a.xml")
    put(tmp_path / "b.xml")
    assert origins(tmp_path) == [str(tmp_path / "b.xml")]


def test_a_pipe_that_is_asked_for_is_read(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(gzip.compress(REPORT * 50),))
    writer.start()
    (message,) = fetched(pipe)
    writer.join()
    assert (message.origin, message.received_at, reports([message])) == (str(pipe), None, 1)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [("gone.xml", "does not exist"), ("no/such/folder.xml", "there is no folder"), ("a*.xml", "never as a pattern")],
)
def test_a_path_that_does_not_exist_is_told_before_anything_is_read(tmp_path: Path, name: str, sentence: str) -> None:
    present = put(tmp_path / "abc.xml")
    with pytest.raises(UsageError) as told:
        next(FileInput([present, tmp_path / name], UnpackLimits()).fetch({}))
    assert sentence in str(told.value)
    assert told.value.exit_code == 2


def test_a_name_that_is_no_text(tmp_path: Path) -> None:
    raw = os.fsencode(tmp_path) + b"/r\xff.xml"
    with open(raw, "wb") as out:  # noqa: PTH123 - a Path cannot hold these bytes portably
        out.write(REPORT)
    (message,) = fetched(tmp_path)
    assert message.origin.endswith("r\\udcff.xml")
    assert message.origin.encode("utf-8")
    assert FileInput([os.fsdecode(raw)], UnpackLimits()).name == message.origin


def test_a_file_of_a_year_that_no_calendar_has(tmp_path: Path) -> None:
    memory = Path("/dev/shm")  # most file systems on disk keep times within their own bounds
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else tmp_path) as folder:
        path = put(Path(folder, "a.xml"))
        os.utime(path, (10**12, 10**12))
        if path.stat().st_mtime < 10**12:
            pytest.skip("this file system has no such times")
        (message,) = fetched(path)
    assert (message.raw, message.received_at) == (REPORT, None)


# -- what is too large ------------------------------------------------------------------------------


def test_of_a_file_beyond_the_limit_only_the_head_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "large.bin"
    with path.open("wb") as out:
        out.truncate(3 * 2**20)
    (message,) = fetched(path, limits=UnpackLimits(message_bytes=2 * 2**20))
    assert (len(message.raw), message.size) == (HEAD_BYTES, 3 * 2**20)
    assert [refusal.reason for refusal in read(message, UnpackLimits()).refusals] == ["too_large"]


def test_a_file_of_just_the_limit_is_read(tmp_path: Path) -> None:
    path = put(tmp_path / "a.xml")
    (message,) = fetched(path, limits=UnpackLimits(message_bytes=len(REPORT)))
    assert message.raw == REPORT
    (message,) = fetched(path, limits=UnpackLimits(message_bytes=len(REPORT) - 1))
    assert len(message.raw) < message.size == len(REPORT)


def test_batches_are_bounded_by_bytes_and_by_number(tmp_path: Path) -> None:
    for number in range(7):
        put(tmp_path / f"{number}.xml", bytes([65 + number]) * 100)
    by_number = FileInput([tmp_path], UnpackLimits(), batch_messages=3)
    assert [len(batch) for batch in by_number.fetch({})] == [3, 3, 1]
    by_bytes = FileInput([tmp_path], UnpackLimits(), batch_bytes=250)
    assert [len(batch) for batch in by_bytes.fetch({})] == [2, 2, 2, 1]
    one_each = FileInput([tmp_path], UnpackLimits(), batch_bytes=10)
    assert [len(batch) for batch in one_each.fetch({})] == [1] * 7


def test_nothing_in_gives_nothing_out(tmp_path: Path) -> None:
    assert list(FileInput([tmp_path], UnpackLimits()).fetch({})) == []


def test_done_changes_nothing(tmp_path: Path) -> None:
    path = put(tmp_path / "a.xml")
    source = FileInput([path], UnpackLimits())
    (batch,) = source.fetch({})
    source.done([(message, NotAReport("x")) for message in batch])
    assert path.read_bytes() == REPORT


# -- Maildir ----------------------------------------------------------------------------------------


def test_a_maildir(tmp_path: Path) -> None:
    box = tmp_path / "Maildir"
    (box / "tmp").mkdir(parents=True)
    for name in (
        "cur/1704067200.M1P1.host:2,S",
        "new/1704067300.M2P1.host",
        "tmp/1704067400.M3P1.host",
        "dovecot.index.log",
        ".Archive/cur/1704067100.M0P1.host:2,",
        ".Archive/new/.keep",
        ".Archive/dovecot-uidlist",
        ".notmuch/xapian",
    ):
        put(box / name, MAIL)
    (box / ".Archive" / "tmp").mkdir()
    names = [Path(origin).relative_to(box).as_posix() for origin in origins(box)]
    assert names == [
        ".Archive/cur/1704067100.M0P1.host:2,",
        "cur/1704067200.M1P1.host:2,S",
        "new/1704067300.M2P1.host",
    ]
    assert origins(tmp_path) == origins(box)
    assert reports(fetched(box)) == 3


def test_a_folder_that_only_looks_half_like_a_maildir_is_a_folder(tmp_path: Path) -> None:
    put(tmp_path / "cur" / "1.xml")
    put(tmp_path / "tmp" / "2.xml")
    put(tmp_path / "3.xml")
    assert len(origins(tmp_path)) == 3


# -- mbox -------------------------------------------------------------------------------------------

FROM = b"From noreply@mail.example.net Mon Jan  1 10:00:00 2024\n"


def mbox(*mails: bytes) -> bytes:
    return b"".join(FROM + mail.replace(b"\nFrom ", b"\n>From ") + b"\n" for mail in mails)


def test_an_mbox_file(tmp_path: Path) -> None:
    plain = b"From: a@b.example\n\nFrom here on\n>From quoted\nend\n"
    path = put(tmp_path / "box", mbox(MAIL, plain, MAIL))
    messages = fetched(path)
    assert [message.origin for message in messages] == [f"{path}#1", f"{path}#2", f"{path}#3"]
    assert messages[0].raw == MAIL + b"\n"
    assert messages[1].raw.startswith(b"From: a@b.example\n\nFrom here on\nFrom quoted\nend\n")
    assert messages[0].received_at == datetime(2024, 1, 1, 10, tzinfo=UTC)
    assert all(len(message.raw) == message.size for message in messages)
    assert reports(messages) == 2


def test_a_paragraph_that_begins_with_from_does_not_cut_a_mail(tmp_path: Path) -> None:
    path = put(
        tmp_path / "box", FROM + b"Subject: x\n\nHello\n\nFrom all of us, thanks.\n\n" + FROM + b"Subject: y\n\n"
    )
    assert len(fetched(path)) == 2


def test_an_mbox_file_with_crlf(tmp_path: Path) -> None:
    path = put(tmp_path / "box", mbox(MAIL, MAIL).replace(b"\n", b"\r\n"))
    assert reports(fetched(path)) == 2


def test_one_mail_of_an_mbox_file_is_too_large(tmp_path: Path) -> None:
    large = b"Subject: large\n\n" + b"x" * 70 + b"\n" + b"y" * 3 * 2**20 + b"\n"
    path = put(tmp_path / "box", mbox(MAIL, large, MAIL))
    messages = fetched(path, limits=UnpackLimits(message_bytes=2**16))
    assert [len(message.raw) < message.size for message in messages] == [False, True, False]
    assert messages[1].size == len(large) + 1
    assert len(messages[1].raw) <= 2**16
    assert reports([messages[0], messages[2]]) == 2


def test_an_mbox_file_may_be_larger_than_a_message_may(tmp_path: Path) -> None:
    path = put(tmp_path / "box", mbox(*[MAIL] * 100))
    assert reports(fetched(path, limits=UnpackLimits(message_bytes=2 * len(MAIL)))) == 100


@pytest.mark.parametrize("cut", [4090, 4096, 4100, 5000])
def test_an_mbox_file_is_the_same_wherever_reading_pauses(tmp_path: Path, cut: int) -> None:
    filler = b"Subject: filler\n\n" + b"x" * (cut - len(FROM) - 19) + b"\n"
    path = put(tmp_path / "box", mbox(filler, MAIL))
    assert [message.raw for message in fetched(path)] == [filler + b"\n", MAIL + b"\n"]


# -- standard input ---------------------------------------------------------------------------------


@pytest.mark.parametrize("raw", [REPORT, gzip.compress(REPORT), wrap.zipped(("a.xml", REPORT)), MAIL])
def test_standard_input(raw: bytes) -> None:
    (message,) = fetched("-", stdin=raw)
    assert (message.origin, message.size, message.received_at) == ("stdin", len(raw), None)
    assert reports([message]) == 1


def test_an_mbox_on_standard_input() -> None:
    messages = fetched("-", stdin=mbox(MAIL, MAIL))
    assert [message.origin for message in messages] == ["stdin#1", "stdin#2"]
    assert reports(messages) == 2


def test_endless_standard_input_costs_only_its_head() -> None:
    (message,) = fetched("-", stdin=bytes(5 * 2**20), limits=UnpackLimits(message_bytes=2**21))
    assert (len(message.raw), message.size) == (HEAD_BYTES, 5 * 2**20)
