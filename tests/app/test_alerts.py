"""Alerts: one message a cause, to a real webhook, a real mail server and a chat; nothing twice, nothing that acts."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from time import monotonic, sleep

import pytest

from app.alerts.due import due, is_quiet
from app.alerts.run import run
from app.alerts.words import inert
from app.commands.base import Run
from app.commands.telling import Teller
from app.config import Config
from app.render import Screen
from app.settings import AlertSettings, SmtpSettings
from app.tracking import Tracked, recorded
from tests.analysis.world import NOW, OURS, TODAY, World, unaligned
from tests.app.conftest import Whosends
from tests.app.weeks import HOSTILE
from tests.servers.smtp import PASSWORD, USER, mailroom
from tests.servers.webhook import Hook, webhook
from warehouse import findings as states
from warehouse import sendings
from warehouse.findings import FindingRecord

pytestmark = [
    pytest.mark.server,
    # Apprise asks for it while its plugins are loaded, and does without it where it is gone.
    pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning"),
]

AT = NOW.replace(tzinfo=None)


@pytest.fixture
def hook() -> Iterator[Hook]:
    with webhook() as hook:
        yield hook


@pytest.fixture
def world(tmp_path: Path) -> World:
    return unaligned(tmp_path)


def channel(hook: Hook, **more: object) -> AlertSettings:
    return replace(AlertSettings("ops", url=hook.url, kinds=("alignment",)), **more)  # type: ignore[arg-type]


def tell(world: World, one: AlertSettings, config: Config | None = None) -> list[str]:
    return [sent.state for sent in run(world.warehouse, TODAY, config or Config(), [one])]


def record(**more: object) -> FindingRecord:
    day = date(2026, 11, 23)
    base = FindingRecord(
        "alignment-aaaaaaaa", "alignment", "misaligned", OURS, "as:x", "high", 9.0, 9, day, "T", "W", "F", "sources",
        None, "open", "", day, day, day, found=True,
    )  # fmt: skip
    return replace(base, **more)  # type: ignore[arg-type]


def seen(**more: object) -> Tracked:
    return Tracked(record(**more), "Ada", 3, snoozed=False, progress="")


def test_a_finding_is_told_of_once_and_when_it_is_resolved(world: World, hook: Hook) -> None:
    one = channel(hook, cooldown=0.0)
    assert tell(world, one) == ["sent"]
    assert tell(world, one) == []
    world.decide("as:crm.test", "spoof")
    assert tell(world, one) == ["sent"]
    assert tell(world, one) == []
    opened, resolved = hook.posted
    assert (opened["event"], resolved["event"]) == ("opened", "resolved")
    assert opened["finding"]["id"] == resolved["finding"]["id"]
    assert resolved["finding"]["state"] == "closed"
    assert opened["finding"]["title"] == "CRM sends as example.com without aligning"
    world.undo("as:crm.test")
    assert tell(world, one) == ["sent"]
    assert (hook.posted[-1]["event"], hook.posted[-1]["finding"]["reopened"]) == ("opened", 1)


def test_reports_that_may_not_be_sent_are_told_of_until_dns_shows_that_they_may(world: World, hook: Hook) -> None:
    one = channel(hook, kinds=("not_authorised",), cooldown=0.0)
    assert tell(world, one) == []
    world.dns(takes=False)
    assert [tell(world, one), tell(world, one)] == [["sent"], []]
    world.dns(takes=True, at=NOW + timedelta(days=1))
    assert [tell(world, one), tell(world, one)] == [["sent"], []]
    assert [one["event"] for one in hook.posted] == ["opened", "resolved"]
    assert hook.posted[0]["text"] == "New (high): Reports about example.com do not find their way"


def test_two_processes_at_once_tell_it_once(world: World, hook: Hook) -> None:
    recorded(world.warehouse, TODAY, Config(), NOW)
    threads = [threading.Thread(target=tell, args=(world, channel(hook))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(hook.posted) == 1


def test_a_lost_answer_is_not_told_again_and_a_refusal_is(world: World, hook: Hook) -> None:
    hook.answers = [503, 307]
    assert tell(world, channel(hook)) == ["failed"]
    assert tell(world, channel(hook)) == ["failed"]  # a redirect is not followed
    hook.answers = [0]
    assert tell(world, channel(hook)) == ["unknown"]
    assert tell(world, channel(hook)) == []
    assert len(hook.posted) == 1


def test_a_crash_after_the_claim_tells_nothing_twice(world: World, hook: Hook) -> None:
    [finding] = [one for one in recorded(world.warehouse, TODAY, Config(), NOW).findings if one.waiting][:1]
    [(_, parcel)] = list(due(channel(hook, kinds=()), [finding], [], AT))
    with world.warehouse.writing() as connection:
        sendings.begin(connection, parcel, AT)  # and then the power went
    tell(world, channel(hook))
    assert parcel.purpose.split()[0] not in [posted["finding"]["id"] for posted in hook.posted]


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("json://{}/x", "/x"),
        ("mmost://{}/abcdefgh12345678ijklmnop00", "/hooks/abcdefgh12345678ijklmnop00"),  # Mattermost, as Slack's hooks
        ("rocket://aaaaaaaaaaaaaaaaaaaaaaaa/bbbbbbbbbbbbbbbbbbbbbbbb@{}/%23ops", None),
        ("ntfy://{}/topic", "/"),
        ("gotify://{}/tokentoken", "/message"),
    ],
)
def test_chats_get_it_by_name_and_are_asked_again_only_where_they_have_nothing(
    world: World, hook: Hook, url: str, path: str | None
) -> None:
    chat = AlertSettings("chat", "chat", url.format(hook.url.removeprefix("http://")), kinds=("alignment",))
    hook.answers = [500]
    assert tell(world, chat) == ["failed"]
    hook.answers = [403]
    assert tell(world, chat) == ["failed"]
    assert tell(world, chat) == ["sent"]
    assert tell(world, chat) == []
    [posted] = hook.raw
    assert b"CRM sends as" in posted
    assert path is None or hook.paths == [path]
    assert b"githubusercontent" not in posted
    assert b"github.com" not in posted


def test_a_chat_that_is_gone_is_asked_again_and_one_that_never_answers_is_not(world: World, hook: Hook) -> None:
    gone = AlertSettings("chat", "chat", "json://127.0.0.1:9/x", kinds=("alignment",))
    assert tell(world, gone) == ["failed"]
    cut = replace(gone, url=hook.url.replace("http", "json"))
    hook.answers = [0]
    assert tell(world, cut) == ["unknown"]
    assert tell(world, cut) == []
    assert len(hook.raw) == 1


COMMAND = str(Path(sys.executable).with_name("whosends"))


def config_of(world: World, hook: Hook, folder: Path, kind: str = "webhook") -> Path:
    """A configuration for a process of its own."""
    url = hook.url if kind == "webhook" else hook.url.replace("http", "json")
    path = folder / "ops.toml"
    path.write_text(
        f'[warehouse]\npath = "{world.warehouse.path}"\n[[alert]]\nname = "ops"\nkind = "{kind}"\nurl = "{url}"\n'
        'kinds = ["alignment"]\ntimeout = 60.0\ncooldown = 0.0\n'
    )
    path.chmod(0o600)
    return path


@pytest.mark.parametrize("kind", ["webhook", "chat"])
def test_killed_between_the_message_and_its_note_it_tells_nothing_twice(
    world: World, hook: Hook, tmp_path: Path, kind: str
) -> None:
    words = [COMMAND, "--config", str(config_of(world, hook, tmp_path, kind)), "alert", "run"]
    hook.open.clear()
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    until = monotonic() + 60
    while not hook.raw and process.poll() is None and monotonic() < until:
        sleep(0.05)
    process.send_signal(signal.SIGKILL)
    _, errors = process.communicate()
    hook.open.set()
    assert len(hook.raw) == 1, errors
    again = subprocess.run(words, capture_output=True, text=True, check=False, timeout=120)
    assert again.returncode == 0, again.stderr
    assert len(hook.raw) == 1
    with world.warehouse.reading() as connection:
        assert [one.state for one in sendings.of_channel(connection, "ops")] == ["sending"]


def test_a_watch_tries_again_what_failed_and_rests_otherwise(world: World, hook: Hook, tmp_path: Path) -> None:
    file, stop, run_of = config_of(world, hook, tmp_path), threading.Event(), Run({})
    run_of.options["config"] = str(file)
    teller = Teller(run_of, Screen(run_of), stop)
    teller.step()
    assert not hook.posted  # the first moment is for the mailbox
    hook.answers = [503]
    teller.due_at, begun = 0.0, monotonic()
    teller.step()
    # A minute, or ten times as long as the round took on a busy machine.
    assert 50 < teller.due_at - monotonic() <= max(60, 10 * (monotonic() - begun))
    stop.set()
    teller.due_at = 0.0
    teller.step()
    assert not hook.posted
    stop.clear()
    teller.due_at, begun = 0.0, monotonic()
    teller.step()
    assert len(hook.posted) == 1
    assert teller.due_at - monotonic() > 800
    teller.stored()
    assert 50 < teller.due_at - monotonic() <= max(60, 10 * (monotonic() - begun))


def test_snoozed_findings_and_other_kinds_are_not_told_of(world: World, hook: Hook) -> None:
    key = next(one.record.finding_key for one in recorded(world.warehouse, TODAY, Config(), NOW).findings)
    with world.warehouse.writing() as connection:
        states.change(connection, key, "finding.snooze", "ada", AT, snoozed_until=TODAY)
    assert tell(world, channel(hook)) == []
    assert tell(world, channel(hook, kinds=("spoofing",))) == []
    assert tell(world, channel(hook, domains=("other.example",))) == []


@pytest.mark.parametrize(
    ("more", "severity", "hour", "told"),
    [
        ({}, "high", 23, True),
        ({"quiet": "21:00-06:00"}, "high", 23, False),
        ({"quiet": "21:00-06:00"}, "high", 7, True),
        ({"quiet": "21:00-06:00"}, "critical", 23, True),
        ({"severity": "critical"}, "high", 7, False),
        ({"severity": "medium"}, "high", 7, True),
        ({"owner": "Bob"}, "high", 7, False),
        ({"owner": "Ada"}, "high", 7, True),
    ],
)
def test_who_is_told_when(more: dict[str, object], severity: str, hour: int, told: bool) -> None:
    one = replace(AlertSettings("ops", url="x"), **more)  # type: ignore[arg-type]
    at = datetime(2026, 11, 23, hour)  # noqa: DTZ001 - naive UTC, as the warehouse has it
    assert bool(list(due(one, [seen(severity=severity)], [], at))) is told


def sending(purpose: str, hours: float, severity: str = "high", state: str = "sent") -> sendings.Sending:
    return sendings.Sending(1, "ops", "ops", purpose, "", severity, state, AT - timedelta(hours=hours), AT, None)


def test_the_cool_down_keeps_what_flutters_quiet_but_not_what_is_worse() -> None:
    one = AlertSettings("ops", url="x", cooldown=24)
    opened = f"{record().finding_key} opened 0"
    assert not list(due(one, [seen(reopened=1)], [sending(opened, 2)], AT))
    assert [alert.event for alert, _ in due(one, [seen(reopened=1)], [sending(opened, 25)], AT)] == ["opened"]
    worse = list(due(one, [seen(severity="critical")], [sending(opened, 2)], AT))
    assert [alert.event for alert, _ in worse] == ["worse"]
    told = [sending(opened, 3), sending(worse[0][1].purpose, 1, "critical")]
    assert not list(due(one, [seen(severity="critical")], told, AT))
    # What was never told of is not told to be over.
    assert not list(due(one, [seen(state="closed")], [sending(opened, 30, state="failed")], AT))


@pytest.mark.parametrize(("span", "at", "quiet"), [
    ("", "03:00", False), ("21:00-06:00", "21:00", True), ("21:00-06:00", "06:00", False),
    ("12:00-13:00", "12:30", True), ("12:00-13:00", "13:00", False),
])  # fmt: skip
def test_quiet_hours(span: str, at: str, quiet: bool) -> None:
    assert is_quiet(span, time.fromisoformat(at)) is quiet


def test_hostile_text_is_inert_in_every_medium(world: World, hook: Hook, tmp_path: Path) -> None:
    hostile = HOSTILE + " @everyone <!channel> <@U123> :smile: \r\nBcc: eve@evil.example"
    with world.warehouse.writing() as connection:
        for at in range(2):
            made = record(finding_key=f"test-{at}", title=hostile, why=hostile, fix=hostile, domain="gone.example")
            states.keep(connection, states.Move("finding.open", made), "ada", AT)
    with mailroom(tmp_path) as room:
        smtp = SmtpSettings(
            "localhost", room.port, ca_file=str(room.ca), user=USER, password=PASSWORD, sender="w@a.example"
        )
        chat = AlertSettings("chat", "chat", hook.url.replace("http", "json"))
        mail = AlertSettings("mail", "mail", to=("ops@a.example", "b@a.example"))
        config = Config(smtp=smtp)
        assert set(tell(world, mail, config)) == {"sent"}
        assert set(tell(world, chat, config)) == {"sent"}
        for message in room.mails:
            assert message["Bcc"] is None
            assert message["To"] == "ops@a.example, b@a.example"
            assert message.get_content_type() == "text/plain"
            assert "\x1b" not in message.get_content()
            assert "\u202e" not in message.get_content()
    assert room.to[:2] == [["ops@a.example"], ["b@a.example"]]
    told = [str(posted["title"]) + str(posted["message"]) for posted in hook.posted]
    assert any("evil" in text for text in told)
    for text in told:
        assert not set(text) & set("<>*_`|[]{}@#&\\")
        assert "://" not in text
        assert "www." not in text
    assert inert(":smile: https://a.example") == "∶smile: https:／／a.example"


@pytest.mark.parametrize("one", [
    AlertSettings("a", url=""), AlertSettings("a", url="http://hook.example/"), AlertSettings("a", url="file:///etc"),
    AlertSettings("a", "mail"), AlertSettings("a", "mail", to=("x\nBcc: y@z.example",)),
    AlertSettings("a", "chat", url="nothing://x"), AlertSettings("a", url="http://127.0.0.1:9/"),
    AlertSettings("a", url="https://[bad"), AlertSettings("a", url="http://127.0.0.1:port/"),
    AlertSettings("a", url="http://127.0.0.1/\x07"), AlertSettings("a", "chat", url="json://[bad"),
    AlertSettings("a", "mail", to=("jürgen@example.com",)),
])  # fmt: skip
def test_a_channel_that_cannot_be_used_is_told_and_keeps_nobody(world: World, hook: Hook, one: AlertSettings) -> None:
    made = run(world.warehouse, TODAY, Config(), [one, channel(hook)])
    assert [(sent.recipient, sent.state) for sent in made] == [("a", "failed"), ("ops", "sent")]
    assert made[0].detail.count("..") == 0


def test_a_test_message_goes_out_and_its_exit_code_says_whether_to_try_again(
    whosends: Whosends, hook: Hook, home: Path
) -> None:
    file = home / "alerts.toml"
    file.write_text(f'[[alert]]\nname = "ops"\nurl = "{hook.url}"\n', "utf-8")
    file.chmod(0o600)
    words = ("alert", "test", "--config", file)
    assert whosends(*words).out == "ops: test: sent.\n"
    assert hook.posted[0]["text"] == "New (info): This is a test of whosends"
    hook.answers[:] = [503, 403]
    assert [whosends(*words).code for _ in range(2)] == [75, 4]
    file.write_text('[[alert]]\nname = "ops"\nurl = "http://127.0.0.1:1/"\n', "utf-8")
    ran = whosends(*words, "--json")
    assert (ran.code, ran.document["sent"][0]["state"]) == (75, "failed")
