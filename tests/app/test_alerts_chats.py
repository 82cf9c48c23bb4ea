"""Slack and Discord, at their own addresses, by a proxy and an authority that the environment names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from app.alerts.run import run
from app.config import Config
from app.settings import AlertSettings
from tests.analysis.world import NOW, TODAY, World, unaligned
from tests.app.test_alerts import record
from tests.app.weeks import HOSTILE
from tests.servers.chats import DISCORD, DISCORD_MOST, SLACK, Chats, chats
from warehouse import findings as states

pytestmark = [
    pytest.mark.server,
    # Apprise asks for it while its plugins are loaded, and does without it where it is gone.
    pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning"),
]

AT = NOW.replace(tzinfo=None)
CHANNELS = {
    SLACK: AlertSettings(
        "slack",
        "chat",
        "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#mail",
        kinds=("alignment",),
        cooldown=0.0,
    ),
    DISCORD: AlertSettings(
        "discord", "chat", "discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js", kinds=("alignment",), cooldown=0.0
    ),
}
PATHS = {
    SLACK: "/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ",
    DISCORD: "/api/webhooks/4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js",
}
# What each takes as a mention, a link, markup or an emoji.
ACTS = HOSTILE + " <!channel> <!here> <@U123> <#C1|x> <https://evil.example|bank> @everyone @here <@&42> :smile: ||x||"


@pytest.fixture
def services(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Chats]:
    with chats(tmp_path) as here:
        for name in ("HTTPS_PROXY", "https_proxy"):
            monkeypatch.setenv(name, here.proxy)
        for name in ("NO_PROXY", "no_proxy", "ALL_PROXY", "all_proxy", "CURL_CA_BUNDLE"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(here.ca))
        yield here
    assert here.refused == []


@pytest.fixture
def world(tmp_path: Path) -> World:
    return unaligned(tmp_path)


def tell(world: World, channel: AlertSettings) -> list[str]:
    return [sent.state for sent in run(world.warehouse, TODAY, Config(), [channel])]


def text(host: str, body: dict[str, object]) -> str:
    """All that a person reads of a message, as the service's documentation has it."""
    if host == DISCORD:
        return str(body["content"])
    attachments = body["attachments"]
    assert isinstance(attachments, list)
    [one] = attachments
    return "\n".join(str(one.get(part, "")) for part in ("pretext", "title", "text", "fallback", "footer"))


@pytest.mark.parametrize("host", CHANNELS)
def test_it_arrives_once_and_is_resolved(world: World, services: Chats, host: str) -> None:
    channel = CHANNELS[host]
    services.answers = [500, 404]
    assert [tell(world, channel) for _ in range(2)] == [["failed"]] * 2
    assert tell(world, channel) == ["sent"]
    assert tell(world, channel) == []
    world.decide("as:crm.test", "spoof")
    assert tell(world, channel) == ["sent"]
    assert tell(world, channel) == []
    (there, path, opened), (_, _, resolved) = services.posted
    assert (there, path.partition("?")[0]) == (host, PATHS[host])
    assert "CRM sends as example.com without aligning" in text(host, opened)
    assert text(host, resolved).lstrip().startswith("Resolved")
    if host == SLACK:
        assert (opened["channel"], opened["mrkdwn"]) == ("#mail", False)
    assert not any(isinstance(value, str) and value.startswith("http") for value in opened.values())


@pytest.mark.parametrize("host", CHANNELS)
def test_within_the_cool_down_nothing_is_said(world: World, services: Chats, host: str) -> None:
    channel = replace(CHANNELS[host], cooldown=24.0)
    assert tell(world, channel) == ["sent"]
    world.decide("as:crm.test", "spoof")
    assert tell(world, channel) == []
    assert len(services.posted) == 1


@pytest.mark.parametrize("host", CHANNELS)
def test_hostile_text_acts_nowhere_and_a_long_one_arrives(world: World, services: Chats, host: str) -> None:
    with world.warehouse.writing() as connection:
        for at, hostile in enumerate((ACTS, ACTS * 40)):
            made = record(finding_key=f"test-{at}", title=hostile, why=hostile, fix=hostile, domain="gone.example")
            states.keep(connection, states.Move("finding.open", made), "ada", AT - timedelta(minutes=1))
    assert set(tell(world, replace(CHANNELS[host], kinds=()))) == {"sent"}
    told = [text(host, body) for _, _, body in services.posted]
    assert any("evil" in one for one in told)
    for one in told:
        assert not set(one) & set("<>*_~`|[]{}@#&\\")
        assert "://" not in one
        assert "www." not in one
        assert ":smile:" not in one
        assert host != DISCORD or len(one) <= DISCORD_MOST


@pytest.mark.parametrize("host", CHANNELS)
def test_an_authority_that_is_not_trusted_gets_nothing(
    world: World, services: Chats, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    assert tell(world, CHANNELS[host]) == ["failed"]
    assert services.posted == []
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(services.ca))
    assert tell(world, CHANNELS[host]) == ["sent"]
