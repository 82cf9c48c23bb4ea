"""A zip file of mails is read mail by mail; one that holds a report, or a bomb, stays what it is."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from ingest.inputs.base import Message
from ingest.inputs.files import FileInput
from ingest.outcome import Reason
from ingest.reading import read
from ingest.settings import UnpackLimits
from tests.ingest import wrap
from tests.ingest.hostile import REPORT, overlapping_zip
from tests.ingest.hostile_packing import patched

MAIL = wrap.common_mail(REPORT)


def fetched(path: Path, raw: bytes, limits: UnpackLimits | None = None) -> list[Message]:
    path.write_bytes(raw)
    return [message for batch in FileInput([path], limits or UnpackLimits()).fetch({}) for message in batch]


def exported(count: int) -> bytes:
    others = [("INBOX/", b""), ("__MACOSX/INBOX/._0.eml", b"\0\5"), ("INBOX/note.txt", b"hello")]
    return wrap.zipped(*((f"INBOX/{n}.eml", MAIL.replace(b"a1b2c3", b"%d" % n)) for n in range(count)), *others)


def test_each_mail_is_a_message_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "export.zip"
    messages = fetched(path, exported(300))  # more than one message may have parts
    assert [m.origin for m in messages] == [*(f"{path}#INBOX/{n}.eml" for n in range(300)), f"{path}#INBOX/note.txt"]
    found = [read(message, UnpackLimits()) for message in messages]
    assert sum(len(reading.reports) for reading in found) == 300
    assert found[-1].sentence == "It is no report."


@pytest.mark.parametrize(
    "raw",
    [
        wrap.zipped((wrap.FILE_NAME, REPORT)),
        wrap.zipped(("a.eml", bytes(30 * 2**20))),
        overlapping_zip(90).replace(b"a.xml", b"a.eml"),
        exported(3)[:-30],
        exported(3)[:40],
        wrap.zipped(),
        patched(exported(3), b"PK\x05\x06", 12, b"\xff\xff\xff\xff"),
    ],
    ids=["a report", "a bomb", "overlapping", "cut off", "only a start", "empty", "a directory of 4 GiB"],
)
def test_anything_else_is_one_file(tmp_path: Path, raw: bytes) -> None:
    (message,) = fetched(tmp_path / "a.zip", raw)
    assert message.raw == raw


def test_a_member_that_is_too_large_or_damaged_does_not_stop_the_others(tmp_path: Path) -> None:
    noise = bytes(range(256)) * 40
    raw = wrap.zipped(("0.eml", MAIL), ("1.eml", MAIL + noise), ("2.eml", MAIL), method=zipfile.ZIP_STORED)
    at = raw.rindex(b"Report", 0, raw.index(b"PK\x01\x02"))
    damaged = raw[:at] + b"r" + raw[at + 1 :]
    found = fetched(tmp_path / "a.zip", damaged, UnpackLimits(message_bytes=len(MAIL) + 100))
    reasons = [[r.reason for r in read(message, UnpackLimits()).refusals] for message in found]
    assert reasons == [[], [Reason.TOO_LARGE], [Reason.UNREADABLE]]


def test_an_encrypted_member_is_told(tmp_path: Path) -> None:
    (message,) = fetched(tmp_path / "a.zip", wrap.encrypted_zip("a.eml"))
    assert message.fault.startswith("It could not be read from the zip file")
