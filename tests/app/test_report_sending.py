"""The weekly summary, sent through a real server and read back: once, to each its part, or told of."""

from __future__ import annotations

import hashlib
import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic, sleep

import pytest

from analysis.period import last_complete_week
from tests.app.conftest import Ran, Whosends, write_misaligned, write_month
from tests.servers.smtp import PASSWORD, USER, Mailroom, mailroom
from warehouse.connect import Warehouse
from warehouse.settings import WarehouseSettings

pytestmark = pytest.mark.server

COMMAND = str(Path(sys.executable).with_name("whosends"))
CONFIG = """
[smtp]
host = "localhost"
port = {port}
security = "{security}"
ca_file = "{ca}"
user = "{user}"
password_command = "echo '{password}'"
sender = "whosends <dmarc@example.com>"
timeout = 10
pause = 0.01

[report]
owner = "Post Office"

[[domain]]
name = "example.com"
owner = "Ada"
client = "Acme"

[[client]]
name = "Acme"

[[recipient]]
name = "boss"
to = ["boss@example.com", "deputy@example.com"]

[[recipient]]
name = "acme"
client = "Acme"
to = ["it@acme.example"]
"""


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Mailroom]:
    with mailroom(tmp_path) as room:
        yield room


@pytest.fixture
def path(whosends: Whosends, home: Path) -> Path:
    """A month about two domains, one of which has a sender that does not align."""
    folder, path = write_month(home / "month"), home / "two.duckdb"
    write_month(folder, "second.example")
    write_misaligned(folder)
    assert whosends("ingest", folder, "--warehouse", path).code == 0
    return path


def config(room: Mailroom, home: Path, **more: str) -> Path:
    file = home / "send.toml"
    values = {"port": str(room.port), "security": "starttls", "ca": str(room.ca), "user": USER, "password": PASSWORD}
    file.write_text(CONFIG.format(**(values | more)), "utf-8")
    return file


@pytest.fixture
def send(whosends: Whosends, home: Path, room: Mailroom, path: Path) -> Whosends:
    file = config(room, home)

    def run(*more: object) -> Ran:
        return whosends("report", "weekly", "--send", "--warehouse", path, "--config", file, "--json", *more)

    return run


def states(ran: Ran) -> list[tuple[str, str]]:
    return [(one["recipient"], one["state"]) for one in ran.document["sent"]]


def test_each_recipient_gets_its_part_once_and_never_again(send: Whosends, room: Mailroom) -> None:
    first = send()
    assert first.code == 0, first.out
    assert states(first) == [
        ("boss@example.com", "sent"), ("deputy@example.com", "sent"), ("it@acme.example", "sent")
    ]  # fmt: skip
    assert room.to == [["boss@example.com"], ["deputy@example.com"], ["it@acme.example"]]
    again = send()
    assert (again.code, {state for _, state in states(again)}) == (0, {"already"})
    assert len(room.mails) == 3
    assert send("--resend", "--to", "acme").code == 0
    assert len(room.mails) == 4
    whole, acme = room.mails[0], room.mails[2]
    assert "2 domains" in whole["Subject"]
    assert "example.com" in acme["Subject"]
    assert "second.example" not in acme.as_string()
    week = last_complete_week(datetime.now(UTC).date())
    assert whole["Subject"].startswith(("[Stop]", "[Unknown]", "[Go]"))
    assert whole["Message-ID"] != room.mails[1]["Message-ID"]
    assert week in whole["Message-ID"]


def test_the_mail_is_text_then_html_with_one_picture_inside(send: Whosends, room: Mailroom) -> None:
    send("--to", "acme")
    [mail] = room.mails
    kinds = [part.get_content_type() for part in mail.walk()]
    assert kinds == ["multipart/alternative", "text/plain", "multipart/related", "text/html", "image/png"]
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None
    assert html is not None
    assert "Ada" in text.get_content()
    assert html.get_content().count("<img ") == 1
    picture = next(part for part in mail.walk() if part.get_content_type() == "image/png")
    assert f'src="cid:{picture["Content-ID"].strip("<>")}"' in html.get_content()
    assert picture.get_content().startswith(b"\x89PNG")
    assert max(len(line) for line in mail.as_bytes().splitlines()) <= 998


def test_a_server_that_asks_to_come_back_is_asked_again(send: Whosends, room: Mailroom) -> None:
    room.answers = ["451 4.7.1 greylisted", "451 4.7.1 greylisted"]
    assert send("--to", "acme").code == 0
    assert len(room.mails) == 1


def test_a_refusal_is_told_in_the_servers_words_and_tried_again_next_time(send: Whosends, room: Mailroom) -> None:
    room.answers = ["554 5.7.1 no \x1b[31mthanks"]
    ran = send("--to", "acme")
    assert ran.code == 75
    assert ran.document["sent"][0]["state"] == "failed"
    assert "554 5.7.1 no thanks" in ran.document["sent"][0]["detail"]
    assert states(send("--to", "acme")) == [("it@acme.example", "sent")]


def test_a_lost_answer_is_unknown_and_no_second_mail(send: Whosends, room: Mailroom) -> None:
    room.cut = True
    ran = send("--to", "acme")
    assert (ran.code, states(ran)) == (3, [("it@acme.example", "unknown")])
    room.cut = False
    ran = send("--to", "acme")
    assert (ran.code, states(ran)) == (3, [("it@acme.example", "unknown")])
    assert "--resend" in ran.document["sent"][0]["detail"]
    assert len(room.mails) == 1


def test_killed_between_the_mail_and_its_note_it_sends_no_second_one(
    send: Whosends, room: Mailroom, home: Path, path: Path
) -> None:
    room.hold = True
    words = [COMMAND, "report", "weekly", "--send", "--to", "acme", "--warehouse", str(path)]
    process = subprocess.Popen([*words, "--config", str(home / "send.toml")], stderr=subprocess.PIPE)
    until = monotonic() + 60
    while not room.mails and process.poll() is None and monotonic() < until:
        sleep(0.05)
    process.send_signal(signal.SIGKILL)
    _, errors = process.communicate()
    room.hold = False
    assert len(room.mails) == 1, errors
    assert states(send("--to", "acme")) == [("it@acme.example", "already")]
    with Warehouse(path, WarehouseSettings()).writing() as connection:
        connection.execute("UPDATE sending SET started_at = started_at - INTERVAL 1 HOUR")
    ran = send("--to", "acme")
    assert (ran.code, states(ran)) == (3, [("it@acme.example", "unknown")])
    assert len(room.mails) == 1


def test_a_crash_in_the_middle_is_unknown_too(send: Whosends, room: Mailroom, path: Path) -> None:
    send("--to", "acme")
    with Warehouse(path, WarehouseSettings()).writing() as connection:
        connection.execute("UPDATE sending SET state = 'sending', ended_at = NULL")
    # Another process may be at it this very moment; a quarter of an hour later it is not.
    assert states(send("--to", "acme")) == [("it@acme.example", "already")]
    with Warehouse(path, WarehouseSettings()).writing() as connection:
        connection.execute("UPDATE sending SET started_at = started_at - INTERVAL 1 HOUR")
    assert states(send("--to", "acme")) == [("it@acme.example", "unknown")]
    assert len(room.mails) == 1


def test_implicit_tls_and_what_cannot_work(whosends: Whosends, home: Path, path: Path, tmp_path: Path) -> None:
    words = ("report", "weekly", "--send", "--to", "acme", "--warehouse", path, "--config")
    with mailroom(tmp_path, implicit=True) as room:
        assert whosends(*words, config(room, home, security="tls")).code == 0
        assert len(room.mails) == 1
    with mailroom(tmp_path) as room:
        for more, said in (
            ({"password": "wrong"}, "refuses the login"),
            ({"ca": ""}, "No protected connection"),
            ({"security": "plain"}, "lacks something"),
        ):
            ran = whosends(*words, config(room, home, **more), "--resend")
            assert ran.code == 75, more
            assert said in ran.out
            assert PASSWORD not in ran.out + ran.err
        assert not room.mails
    ran = whosends(*words, config(room, home), "--resend")
    assert (ran.code, "was not reached" in ran.out) == (75, True)


def test_addresses_that_servers_may_not_take_are_refused_before_anything_is_claimed(
    send: Whosends, home: Path, room: Mailroom
) -> None:
    file = home / "send.toml"
    text = file.read_text("utf-8")
    to, sender = text.replace("it@acme", "jürgen@acme"), re.sub("sender = .*", 'sender = "jürgen@x.example"', text)
    for wrong, said in ((to, "acme"), (sender, "sender")):
        assert wrong != text
        file.write_text(wrong, "utf-8")
        ran = send()
        assert (ran.code, said in ran.err) == (2, True), ran.err
    assert not room.mails
    file.write_text(text, "utf-8")
    assert {state for _, state in states(send())} == {"sent"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--to", "nobody"), "There is no recipient 'nobody'"),
        (("--domain", "example.com"), "recipients of the configuration"),
        (("--known-at", "soon"), "is no time"),
    ],
)
def test_what_cannot_be_asked_is_told(send: Whosends, words: tuple[str, ...], said: str) -> None:
    ran = send(*words)
    assert ran.code == 2
    assert said in ran.err


@pytest.mark.parametrize("words", [("--to", "nobody"), ("--resend",)])
def test_who_means_a_mail_is_told_that_none_is_sent(whosends: Whosends, path: Path, words: tuple[str, ...]) -> None:
    ran = whosends("report", "weekly", "--warehouse", path, *words)
    assert ran.code == 2
    assert "Add --send" in ran.err


def test_the_same_week_known_at_the_same_time_gives_the_same_bytes(whosends: Whosends, home: Path, path: Path) -> None:
    then = datetime.now(UTC).replace(tzinfo=None) - timedelta(hours=1)
    with Warehouse(path, WarehouseSettings()).writing() as connection:
        connection.execute("UPDATE aggregate_report SET stored_at = ?", [then - timedelta(days=1)])
    forms = [word for form in ("html", "csv", "json", "md", "parquet", "pdf", "eml") for word in ("--format", form)]

    def made(folder: str) -> dict[str, str]:
        out = home / folder
        ran = whosends(
            "report", "weekly", *forms, "--out", out, "--warehouse", path, "--known-at", then.isoformat(), "--json"
        )  # fmt: skip
        assert ran.code == 0, ran.err
        files = {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(out.iterdir())}
        [name] = [name for name in files if name.endswith("manifest.json")]
        manifest = json.loads((out / name).read_text("utf-8"))
        assert {name: one["sha256"] for name, one in manifest["files"].items()} == {
            key: value for key, value in files.items() if key != name
        }
        return files

    before = made("before")
    # Late reports, and a finding that somebody closes: neither was known then.
    late = write_month(home / "late", "example.com")
    for file in late.iterdir():
        file.write_bytes(file.read_bytes().replace(b"<report_id>", b"<report_id>late-").replace(b"google.com", b"Late"))
    assert whosends("ingest", late, "--warehouse", path).code == 0
    key = whosends("findings", "--warehouse", path, "--json").document["findings"][0]["id"]
    assert whosends("findings", "close", key, "--warehouse", path).code == 0
    now = whosends("report", "weekly", "--format", "csv", "--warehouse", path).out
    assert made("after") == before
    [csv] = (home / "before").glob("*.csv")
    assert now != csv.read_text("utf-8")


def test_a_manifest_tells_of_all_forms_that_are_still_as_it_says(whosends: Whosends, home: Path, path: Path) -> None:
    def wrote(form: str, *more: object) -> set[str]:
        wish = ("report", "weekly", "--format", form, "--out", home / "out", "--warehouse", path)
        assert whosends(*wish, *more).code == 0
        [manifest] = (home / "out").glob("*.manifest.json")
        return {name.rpartition(".")[2] for name in json.loads(manifest.read_text("utf-8"))["files"]}

    assert wrote("html") == {"html"}
    assert wrote("csv") == {"html", "csv"}
    [csv] = (home / "out").glob("*.csv")
    csv.write_text("Somebody's own numbers.")
    assert wrote("md") == {"html", "md"}
    known = datetime.now(UTC).replace(tzinfo=None).isoformat()
    assert wrote("md", "--known-at", known) == {"md"}  # evidence of another time
    [manifest] = (home / "out").glob("*.manifest.json")
    manifest.write_text("[]")
    assert wrote("md") == {"md"}


def test_the_bytes_are_the_same_in_every_time_zone_and_process(home: Path, path: Path) -> None:
    # In spring and autumn the picture's four weeks hold a day on which clocks change.
    words = [COMMAND, "report", "weekly", "--warehouse", str(path), "--known-at", f"{datetime.now(UTC):%Y-%m-%d}"]
    made = []
    for zone in ("America/Los_Angeles", "Pacific/Auckland"):
        out, given = home / zone.replace("/", "-"), ["env", f"TZ={zone}", f"PYTHONHASHSEED={len(made)}"]
        forms = [word for form in ("eml", "html", "csv", "json", "parquet") for word in ("--format", form)]
        subprocess.run([*given, *words, *forms, "--out", str(out)], check=True, capture_output=True, timeout=120)
        made.append({file.name: file.read_bytes() for file in out.iterdir()})
    assert len(made[0]) == 6
    assert made[0] == made[1]


def test_binary_forms_do_not_go_to_a_terminal(whosends: Whosends, path: Path) -> None:
    ran = whosends("report", "weekly", "--format", "pdf", "--warehouse", path)
    assert (ran.code, "--out DIR" in ran.err) == (2, True)


def test_parts_by_client_and_owner(whosends: Whosends, home: Path, room: Mailroom, path: Path) -> None:
    words = ("report", "weekly", "--warehouse", path, "--config", config(room, home), "--json")
    assert [one["domain"] for one in whosends(*words, "--client", "Acme").document["domains"]] == ["example.com"]
    mine = whosends(*words, "--owner", "Ada").document
    assert {one["owner"] for one in mine["findings"]} == {"Ada"}
    ran = whosends(*words, "--client", "Acmee")
    assert (ran.code, "Did you mean 'Acme'?" in ran.err) == (2, True)


def test_whoever_a_finding_was_given_to_has_a_week(whosends: Whosends, path: Path) -> None:
    words = ("report", "weekly", "--warehouse", path, "--json")
    nobody = whosends(*words, "--owner", "Zoe")
    assert (nobody.code, "Nobody is named as an owner yet" in nobody.err) == (2, True)
    assert "No [[domain]] of the configuration names a client" in whosends(*words, "--client", "Acme").err
    key = whosends("findings", "--warehouse", path, "--json").document["findings"][0]["id"]
    assert whosends("findings", "assign", key, "Zoe", "--warehouse", path).code == 0
    mine = whosends(*words, "--owner", "Zoe").document["findings"]
    assert {one["owner"] for one in mine} == {"Zoe"}
    wrong = whosends(*words, "--owner", "Zoé")
    assert (wrong.code, "Known are: Zoe." in wrong.err) == (2, True)


def test_a_week_before_anything_was_known_says_so(whosends: Whosends, path: Path) -> None:
    ran = whosends("report", "weekly", "--warehouse", path, "--week", "2020-W10", "--known-at", "2020-03-09")
    assert "Nothing was known by then: the first report was stored on" in ran.err


def test_an_owner_gets_the_findings_of_other_domains_too(whosends: Whosends, home: Path, path: Path) -> None:
    file = home / "owners.toml"
    file.write_text('[[domain]]\nname = "second.example"\nowner = "Zoe"\n', "utf-8")
    words = ("--warehouse", path, "--config", file)
    found = whosends("findings", *words, "--json").document["findings"]
    key = next(one["id"] for one in found if one["domain"] == "example.com")
    assert whosends("findings", "assign", key, "Zoe", *words).code == 0
    week = whosends("report", "weekly", "--owner", "Zoe", *words, "--json").document
    assert {one["domain"] for one in week["domains"]} == {"example.com", "second.example"}
    assert [(one["domain"], one["owner"]) for one in week["findings"]] == [("example.com", "Zoe")]
