"""Gmail and Microsoft 365 through their APIs, at a server that speaks both on loopback."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from ingest.errors import MailboxError, MailboxUnreachable, UsageError
from ingest.inputs.api import ApiInput
from ingest.inputs.base import Message, Position
from ingest.inputs.boxes import api as service
from ingest.inputs.boxes import box, is_local
from ingest.inputs.imap_link import Retry
from ingest.inputs.ledger import Ledger, Listed
from ingest.outcome import Duplicate, NotAReport, Outcome, Quarantined, Reason, Stored
from ingest.settings import MailboxSettings, UnpackLimits
from tests.ingest.inputs.imap_boxes import everything
from tests.ingest.inputs.oauth_mailbox import person
from tests.servers.mail_api import MailApi
from tests.servers.oauth_server import OAuthServer

pytestmark = pytest.mark.server
DAY = 86400.0
NOW = 1_800_000_000.0
ODD = b"Subject: odd\r\nContent-Transfer-Encoding: 8bit\r\n\r\n\x1f\x8b\x00\xff\xfe\r\n"


@pytest.fixture
def oauth() -> Iterator[OAuthServer]:
    with OAuthServer() as found:
        yield found


@pytest.fixture
def api(oauth: OAuthServer) -> Iterator[MailApi]:
    with MailApi(oauth) as found:
        yield found


@pytest.fixture(params=["gmail", "graph"])
def settings(request: pytest.FixtureRequest, api: MailApi, oauth: OAuthServer, tmp_path: Path) -> MailboxSettings:
    return person(
        oauth,
        tmp_path,
        kind=request.param,
        oauth_device_url="",
        api_url=api.url,
        ledger_file=str(tmp_path / "ledger"),
    )


class Box(ApiInput):
    """An input whose time stands still, and which does not sleep."""

    def __init__(self, settings: MailboxSettings, now: float = NOW, **limits: Any) -> None:
        self.slept: list[float] = []
        super().__init__(
            settings,
            UnpackLimits(**limits),
            service(settings),
            retry=Retry(3, 0.01, 0.01),
            sleep=self.slept.append,
            now=lambda: now,
        )


def changed(settings: MailboxSettings, **changes: Any) -> MailboxSettings:
    from dataclasses import replace  # noqa: PLC0415 - reads better beside its one use

    return replace(settings, **changes)


def reached(messages: Sequence[Message]) -> dict[tuple[str, str], tuple[int, int]]:
    """The cursors that the warehouse would hold."""
    found: dict[tuple[str, str], tuple[int, int]] = {}
    for at in (message.position for message in messages):
        assert at is not None
        found[at.mailbox, at.folder] = (at.uidvalidity, at.uid)
    return found


def test_everything_is_read_once_byte_by_byte_oldest_first(api: MailApi, settings: MailboxSettings) -> None:
    raws = [b"Subject: %d\r\n\r\n" % number for number in range(6)] + [ODD]
    for number, raw in enumerate(raws):
        api.deliver(raw, NOW - 9 * DAY + number)
    read = everything(Box(settings).fetch({}))
    assert [message.raw for message in read] == raws
    at = reached(read)
    assert everything(Box(settings).fetch(at)) == []
    api.deliver(b"Subject: new\r\n\r\n", NOW)
    (new,) = everything(Box(settings).fetch(at))
    assert new.raw == b"Subject: new\r\n\r\n"
    assert api.count("GET .*(raw|value|/messages/)") == 8
    assert not any(mail.seen for mail in api.mails.values())
    assert api.count("POST|PATCH|DELETE") == 0


def test_messages_of_one_instant_and_late_ones_are_not_missed(api: MailApi, settings: MailboxSettings) -> None:
    first = [api.deliver(b"Subject: %d\r\n\r\n" % number, NOW) for number in range(3)]
    read = everything(Box(settings).fetch({}))
    assert len(read) == len(first)
    api.deliver(b"Subject: same instant\r\n\r\n", NOW)
    api.deliver(b"Subject: a day late\r\n\r\n", NOW - DAY)
    more = everything(Box(settings).fetch(reached(read)))
    assert {message.raw for message in more} == {b"Subject: same instant\r\n\r\n", b"Subject: a day late\r\n\r\n"}
    assert everything(Box(settings).fetch(reached([*read, *more]))) == []


def test_mail_that_is_moved_in_with_an_old_date_is_found_within_a_day(api: MailApi, settings: MailboxSettings) -> None:
    api.deliver(b"Subject: 1\r\n\r\n", NOW)
    at = reached(everything(Box(settings).fetch({})))
    api.deliver(b"Subject: old\r\n\r\n", NOW - 300 * DAY)
    assert everything(Box(settings, NOW + 60).fetch(at)) == []
    (found,) = everything(Box(settings, NOW + DAY + 60).fetch(at))
    assert found.raw == b"Subject: old\r\n\r\n"


def test_what_was_not_committed_is_read_again(api: MailApi, settings: MailboxSettings) -> None:
    for number in range(5):
        api.deliver(b"Subject: %d\r\n\r\n" % number, NOW + number)
    batches = Box(changed(settings, batch_messages=2)).fetch({})
    first = list(next(batches))
    batches.close()  # type: ignore[attr-defined]  # killed, as it were, before the next commit
    rest = everything(Box(settings).fetch(reached(first)))
    assert [message.raw for message in (*first, *rest)] == [b"Subject: %d\r\n\r\n" % number for number in range(5)]


def test_a_lost_ledger_means_that_all_is_read_again(api: MailApi, settings: MailboxSettings) -> None:
    api.deliver(b"Subject: 1\r\n\r\n", NOW)
    read = everything(Box(settings).fetch({}))
    Path(settings.ledger_file).unlink()
    again = everything(Box(settings).fetch(reached(read)))
    assert [message.raw for message in again] == [message.raw for message in read]
    assert reached(again) != reached(read)
    Box(changed(settings, after="seen")).redo([message.position for message in read if message.position])
    assert not any(mail.seen for mail in api.mails.values())  # the old numbers mean nothing any more


def outcomes(read: Sequence[Message]) -> list[tuple[Message, Outcome]]:
    ends: list[Outcome] = [Stored(1), Duplicate(1), NotAReport("lunch"), Quarantined(Reason.XML_BROKEN, "broken")]
    return list(zip(read, ends, strict=True))


def four(api: MailApi, settings: MailboxSettings) -> list[str]:
    return [api.deliver(b"Subject: %d\r\n\r\n" % number, NOW + number) for number in range(4)]


def test_after_seen_marks_what_is_stored_and_only_that(api: MailApi, settings: MailboxSettings) -> None:
    keys = four(api, settings)
    box_ = Box(changed(settings, after="seen"))
    read = everything(box_.fetch({}))
    assert not any(mail.seen for mail in api.mails.values())
    for _ in range(2):
        box_.done(outcomes(read))
        assert [api.mails[key].seen for key in keys] == [True, True, False, False]


def test_after_move_moves_what_is_stored_and_only_that(api: MailApi, settings: MailboxSettings) -> None:
    keys = four(api, settings)
    box_ = Box(changed(settings, after="move:It's done"))
    read = everything(box_.fetch({}))
    del api.mails[keys[0]]  # somebody was quicker
    for _ in range(2):
        box_.done(outcomes(read))
    target = api.folders["It's done"]
    assert [api.mails[key].folders for key in keys[1:]] == [{target}, {"INBOX"}, {"INBOX"}]
    assert everything(Box(settings).fetch(reached(read))) == []


def test_positions_of_other_mailboxes_are_left_alone(api: MailApi, settings: MailboxSettings) -> None:
    (key, *_) = four(api, settings)
    box_ = Box(changed(settings, after="seen"))
    position = everything(box_.fetch({}))[0].position
    assert position is not None
    box_.redo([Position("other", position.folder, position.uidvalidity, position.uid)])
    assert not api.mails[key].seen
    box_.redo([position])
    assert api.mails[key].seen


def test_messages_that_vanish_are_passed_over(api: MailApi, settings: MailboxSettings) -> None:
    keys = four(api, settings)
    batches = Box(changed(settings, batch_messages=1)).fetch({})
    read = list(next(batches))
    del api.mails[keys[2]]
    read += everything(batches)
    assert len(read) == 3
    before = api.count("GET")
    assert everything(Box(settings).fetch(reached(read[:1])))  # what is known to be gone is not asked for again
    assert api.count("GET") - before < 8


def test_a_message_beyond_the_limit_brings_its_head(api: MailApi, settings: MailboxSettings) -> None:
    api.deliver(b"Subject: large\r\n\r\n" + b"x" * 300_000, NOW)
    (message,) = everything(Box(settings, message_bytes=2**16).fetch({}))
    assert message.raw.startswith(b"Subject: large\r\n\r\nxxx")
    assert len(message.raw) <= 2**16 < message.size


@pytest.mark.parametrize("status", [400, 500])
def test_a_message_that_is_refused_for_good_stops_no_other(
    api: MailApi, settings: MailboxSettings, status: int
) -> None:
    raws = [b"Subject: %d\r\n\r\n" % number for number in range(4)]
    keys = [api.deliver(raw, NOW + number) for number, raw in enumerate(raws)]
    api.refused = {keys[0]: status, keys[2]: status}
    read = everything(Box(settings).fetch({}))
    assert [message.raw for message in read] == [b"", raws[1], b"", raws[3]]
    assert [bool(message.fault) for message in read] == [True, False, True, False]
    assert "It cannot be converted." in read[0].fault
    assert everything(Box(settings).fetch(reached(read))) == []


@pytest.mark.parametrize("status", [400, 500])
def test_nothing_is_passed_over_where_no_message_comes(api: MailApi, settings: MailboxSettings, status: int) -> None:
    keys = [api.deliver(b"Subject: %d\r\n\r\n" % number, NOW + number) for number in range(4)]
    api.refused = dict.fromkeys(keys, status)
    with pytest.raises(MailboxError, match="It cannot be converted"):
        everything(Box(settings).fetch({}))
    api.refused = {}
    assert len(everything(Box(settings).fetch({}))) == len(keys)


def test_a_watch_goes_on_behind_a_message_that_is_refused(api: MailApi, settings: MailboxSettings) -> None:
    keys = [api.deliver(b"Subject: %d\r\n\r\n" % number, NOW + number) for number in range(3)]
    api.refused = {keys[1]: 500}
    stop = threading.Event()
    batch = next(iter(Box(settings).watch({}, stop)))
    assert [bool(message.fault) for message in batch] == [False, True, False]
    stop.set()


def test_busy_services_are_asked_again_when_they_say(api: MailApi, settings: MailboxSettings) -> None:
    api.deliver(b"Subject: 1\r\n\r\n", NOW)
    api.script(503)
    api.script(429, {"Retry-After": "7"})
    box_ = Box(settings)
    assert len(everything(box_.fetch({}))) == 1
    assert len(box_.slept) == 2
    assert box_.slept[1] == 7
    for _ in range(3):
        api.script(500)
    with pytest.raises(MailboxUnreachable, match="HTTP 500"):
        everything(Box(settings).fetch({}))


def test_a_revoked_token_is_replaced_once(api: MailApi, oauth: OAuthServer, settings: MailboxSettings) -> None:
    four(api, settings)
    read: list[Message] = []
    for batch in Box(changed(settings, batch_messages=1)).fetch({}):
        read += batch
        oauth.revoke_access()
    assert len(read) == 4
    oauth.audience = "https://example.net"  # from now on the service takes no token
    with pytest.raises(MailboxError, match="401"):
        everything(Box(settings).fetch({}))


def test_somebody_elses_mailbox_is_refused_with_what_to_grant(api: MailApi, settings: MailboxSettings) -> None:
    with pytest.raises(MailboxError, match="403") as caught:
        everything(Box(changed(settings, user="boss@example.com")).fetch({}))
    assert ("Mail.Read" in caught.value.hint) == (settings.kind == "graph")


def test_a_folder_that_is_not_there_is_named_beside_those_that_are(api: MailApi, settings: MailboxSettings) -> None:
    api.folders["Reports"] = "L1"
    with pytest.raises(MailboxError, match="no folder 'Report'") as caught:
        everything(Box(changed(settings, folders=("Report",))).fetch({}))
    assert "Reports" in caught.value.hint
    api.deliver(b"Subject: 1\r\n\r\n", NOW, "L1")
    assert len(everything(Box(changed(settings, folders=("INBOX", "Reports"))).fetch({}))) == 1


def test_a_next_page_elsewhere_gets_no_token(api: MailApi, oauth: OAuthServer, settings: MailboxSettings) -> None:
    if settings.kind != "graph":
        pytest.skip("Gmail names a page, not an address")
    four(api, settings)
    with MailApi(oauth) as other:
        api.next_link = f"{other.url}/v1.0/users/{api.user}/mailFolders/INBOX/messages"
        with pytest.raises(MailboxError, match="another server"):
            everything(Box(settings).fetch({}))
        assert other.asked == []


def test_watching_goes_on_until_told_to_end(api: MailApi, settings: MailboxSettings) -> None:
    api.deliver(b"Subject: 1\r\n\r\n", NOW)
    stop, read = threading.Event(), list[bytes]()
    watched = box(changed(settings, interval=0.1), UnpackLimits(), Retry(2, 0.01, 0.01))
    for batch in watched.watch({}, stop):
        read += [message.raw for message in batch]
        if batch and len(read) == 1:
            for _ in range(4):  # more than a single run would bear
                api.script(500)
            api.deliver(b"Subject: 2\r\n\r\n", NOW)
        elif len(read) == 2:
            stop.set()
    assert read == [b"Subject: 1\r\n\r\n", b"Subject: 2\r\n\r\n"]


def test_a_look_notes_nothing(api: MailApi, settings: MailboxSettings) -> None:
    api.deliver(b"Subject: old\r\n\r\n", NOW - 30 * DAY)
    four(api, settings)
    assert [message.raw[-5:] for message in Box(settings).latest("INBOX", 2)] == [b"2\r\n\r\n", b"3\r\n\r\n"]
    assert not Path(settings.ledger_file).exists()


@pytest.mark.parametrize(
    ("changes", "words"),
    [({"kind": "pop"}, "kind is 'pop'"), ({"auth": "password"}, "wants auth"), ({"user": ""}, "no user"),
     ({"ledger_file": ""}, "no ledger_file"), ({"after": "delete"}, "after"), ({"after": "move:inbox"}, "without end")],
)  # fmt: skip
def test_settings_that_cannot_work(settings: MailboxSettings, changes: dict[str, str], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        box(changed(settings, **changes), UnpackLimits())


def test_only_what_is_on_this_machine_is_local(settings: MailboxSettings) -> None:
    assert is_local(settings)
    assert not is_local(changed(settings, api_url=""))
    assert not is_local(changed(settings, oauth_token_url=""))
    assert is_local(MailboxSettings(host="::1"))
    assert not is_local(MailboxSettings(host="imap.example.com"))


def test_a_ledger_of_another_account_is_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "ledger"
    first = Ledger(path, "a")
    assert (first.note("INBOX", [Listed("x"), Listed("y"), Listed("x")]), first.note("INBOX", [Listed("y")])) == (2, 0)
    assert [each.key for each in first.above("INBOX", 0)] == ["x", "y"]
    assert path.stat().st_mode & 0o777 == 0o600
    second = Ledger(path, "b")
    assert (second.above("INBOX", 0), second.newest("INBOX"), second.listed_at("INBOX")) == ([], None, 0.0)


def test_a_ledger_that_is_none_is_said_plainly(tmp_path: Path) -> None:
    path = tmp_path / "ledger"
    path.write_bytes(b"x" * 5000)
    with pytest.raises(MailboxError, match="cannot be used") as caught:
        Ledger(path, "a").validity()
    assert "It can be deleted" in caught.value.hint
    with pytest.raises(MailboxError, match="cannot be used"):
        Ledger(tmp_path, "a").validity()
