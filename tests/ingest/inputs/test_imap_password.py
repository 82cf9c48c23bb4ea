"""Where the password comes from, and that nothing says it aloud."""

from __future__ import annotations

import shlex
import sys
import time
import traceback
from pathlib import Path

import pytest

from ingest.errors import MailboxError
from ingest.inputs.password import password
from ingest.settings import MailboxSettings


def python(code: str) -> str:
    return f"{shlex.quote(sys.executable)} -c {shlex.quote(code)}"


def of_command(command: str, seconds: float = 10) -> str:
    return password(MailboxSettings(password_command=command), seconds)


@pytest.fixture
def secret_file(tmp_path: Path) -> Path:
    path = tmp_path / "secret"
    path.touch(0o600)
    return path


def test_a_resolved_password_comes_first(secret_file: Path) -> None:
    settings = MailboxSettings(password="direct", password_file=str(secret_file), password_command="false")
    assert password(settings) == "direct"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("pass\n", "pass"),
        ("pass", "pass"),
        ("pass\r\nuser: me\r\n", "pass"),
        (" sp ace \nnext", " sp ace "),
        ("pässword\n", "pässword"),
        ("\ufeffpass\n", "pass"),
    ],
)
def test_a_file_gives_its_first_line(secret_file: Path, content: str, expected: str) -> None:
    secret_file.write_bytes(content.encode())
    assert password(MailboxSettings(password_file=str(secret_file))) == expected


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660])
def test_a_file_that_others_can_read_is_refused(secret_file: Path, mode: int) -> None:
    secret_file.write_text("pass\n")
    secret_file.chmod(mode)
    with pytest.raises(MailboxError, match="can be read by others") as caught:
        password(MailboxSettings(password_file=str(secret_file)))
    assert caught.value.hint == f"Run: chmod 600 {secret_file}"
    secret_file.chmod(0o400)
    assert password(MailboxSettings(password_file=str(secret_file))) == "pass"


@pytest.mark.parametrize("content", [b"", b"\n", b"\nsecond line\n"])
def test_an_empty_first_line_is_refused(secret_file: Path, content: bytes) -> None:
    secret_file.write_bytes(content)
    with pytest.raises(MailboxError, match="empty"):
        password(MailboxSettings(password_file=str(secret_file)))


def test_a_file_that_is_not_there_or_no_text_is_said_plainly(secret_file: Path, tmp_path: Path) -> None:
    for path in (tmp_path / "nowhere", tmp_path):
        with pytest.raises(MailboxError, match="cannot be read"):
            password(MailboxSettings(password_file=str(path)))
    secret_file.write_bytes(b"geheim\xff\n")
    with pytest.raises(MailboxError, match="not UTF-8") as caught:
        password(MailboxSettings(password_file=str(secret_file)))
    assert "geheim" not in "".join(traceback.format_exception(caught.value))


def test_no_password_at_all_is_said_plainly() -> None:
    with pytest.raises(MailboxError, match="No password is set for mailbox 'main'"):
        password(MailboxSettings())


def test_a_command_gives_its_first_line() -> None:
    assert of_command(python(r"print('pass\nuser: me')")) == "pass"
    assert of_command(python("import sys; sys.stdout.buffer.write(b'p w\\r\\n')")) == "p w"


def test_a_command_is_run_without_a_shell(tmp_path: Path) -> None:
    code = "import sys; print(sys.argv[1:])"
    assert of_command(f"{python(code)} '$HOME' ; touch {tmp_path}/x") == (f"['$HOME', ';', 'touch', '{tmp_path}/x']")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (python("import sys; sys.exit('locked')"), "ended with code 1: 'locked'"),
        (python("pass"), "empty first line"),
        (python("print()"), "empty first line"),
        (python("import sys; sys.stdout.buffer.write(b'geheim\\xff')"), "no UTF-8"),
        ("/nowhere/at-all", "cannot be run"),
        ("unfinished 'quote", "cannot be split"),
        ("   ", "blank"),
    ],
)
def test_a_command_that_fails_is_said_plainly(command: str, words: str) -> None:
    with pytest.raises(MailboxError, match=words) as caught:
        of_command(command)
    assert "geheim" not in "".join(traceback.format_exception(caught.value))


def test_a_command_that_hangs_is_ended() -> None:
    began = time.monotonic()
    with pytest.raises(MailboxError, match="gave nothing within") as caught:
        of_command(python("import time; print('ge' + 'heim', flush=True); time.sleep(30)"), 0.5)
    assert time.monotonic() - began < 5
    assert "geheim" not in "".join(traceback.format_exception(caught.value))
