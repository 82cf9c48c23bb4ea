"""Where the password comes from, and that nothing says it aloud."""

from __future__ import annotations

import os
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


# -- files that a service manager mounts ------------------------------------------------------------


@pytest.fixture
def mounted(tmp_path: Path) -> Path:
    """A folder as Docker and Kubernetes make it: files of mode 0444, behind links that are swapped at once."""
    folder = tmp_path / "secrets"
    (folder / "..data").mkdir(parents=True)
    (folder / "..data" / "imap").write_text("pass\n")
    (folder / "..data" / "imap").chmod(0o444)
    (folder / "imap").symlink_to("..data/imap")
    for place in (folder, folder / "..data"):
        place.chmod(0o755)
    return folder


def of_file(path: Path, *folders: Path) -> str:
    return password(MailboxSettings(password_file=str(path), secrets_folders=tuple(map(str, folders))))


def test_a_mounted_secret_may_be_readable_by_others(mounted: Path) -> None:
    assert of_file(mounted / "imap", mounted) == "pass"
    (mounted / "..data" / "imap").chmod(0o440)  # systemd, where it gives access by an ACL
    assert of_file(mounted / "imap", mounted) == "pass"


def test_the_same_file_elsewhere_may_not(mounted: Path, tmp_path: Path) -> None:
    for folders in ((), (tmp_path / "other",), (Path("/run/secrets"),), (Path(),)):
        with pytest.raises(MailboxError, match="can be read by others"):
            of_file(mounted / "imap", *folders)


def test_a_link_out_of_the_folder_leads_to_the_usual_rule(mounted: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text("pass\n")
    outside.chmod(0o644)
    (mounted / "out").symlink_to(outside)
    for name in ("out", "../outside"):
        with pytest.raises(MailboxError, match="can be read by others"):
            of_file(mounted / name, mounted)
    outside.chmod(0o600)
    assert of_file(mounted / "out", mounted) == "pass"


@pytest.mark.parametrize("mode", [0o464, 0o446, 0o666])
def test_a_mounted_secret_that_others_can_change_is_refused(mounted: Path, mode: int) -> None:
    (mounted / "..data" / "imap").chmod(mode)
    with pytest.raises(MailboxError, match="can be read by others"):
        of_file(mounted / "imap", mounted)


@pytest.mark.parametrize("mode", [0o777, 0o1777, 0o775])
def test_a_mounted_secret_that_others_can_replace_is_refused(mounted: Path, mode: int) -> None:
    (mounted / "..data").chmod(mode)
    with pytest.raises(MailboxError, match="can be read by others"):
        of_file(mounted / "imap", mounted)


@pytest.mark.skipif(os.geteuid() != 0, reason="only the superuser can give files away")
def test_a_mounted_secret_of_somebody_else_is_refused(mounted: Path) -> None:
    os.chown(mounted / "..data" / "imap", 12345, 12345)
    with pytest.raises(MailboxError, match="can be read by others"):
        of_file(mounted / "imap", mounted)
