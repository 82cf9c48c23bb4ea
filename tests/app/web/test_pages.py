"""Every page over every sort of warehouse: it is drawn, has one headline, and says what there is to say."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.analysis.world import LAST, World, days
from tests.app.web.conftest import PAGES, Open, nodes, text
from warehouse import reads
from warehouse.connect import Warehouse
from warehouse.scope import Scope
from warehouse.settings import WarehouseSettings

WAREHOUSES = ("missing", "empty", "single", "sample", "many", "wicked")


def sound(at: AppTest) -> None:
    """No exception box, no error box, and exactly one headline of the first order."""
    assert not at.exception
    assert not at.error
    assert len(at.title) == 1


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("kind", WAREHOUSES)
def test_every_page_is_drawn_over_every_warehouse(
    app: Open, request: pytest.FixtureRequest, kind: str, page: str
) -> None:
    sound(app(request.getfixturevalue(kind), page))


@pytest.mark.parametrize("page", PAGES)
def test_every_page_is_drawn_for_one_domain_and_for_ninety_days(app: Open, sample: Path, page: str) -> None:
    sound(app(sample, page, domain="northlight.example", days="90d"))


@pytest.mark.parametrize("page", PAGES)
def test_days_without_reports_are_said(app: Open, sample: Path, page: str) -> None:
    at = app(sample, page, domain="northlight.example", days="Custom", **{"from": "2020-01-01", "to": "2020-01-31"})
    sound(at)
    assert any("No reports in this period" in info.value for info in at.info)


@pytest.mark.parametrize("kind", ["missing", "empty"])
def test_a_newcomer_is_told_what_to_do(app: Open, request: pytest.FixtureRequest, kind: str) -> None:
    at = app(request.getfixturevalue(kind))
    assert "Who sends mail as your domain?" in at.title[0].value
    assert "whosends demo" in [code.value for code in at.code]


def test_the_first_line_is_the_verdict(app: Open, sample: Path) -> None:
    assert app(sample).title[0].value == "2 of 3 domains not ready for a stricter policy"
    assert app(sample, domain="northlight.example").title[0].value == "Not ready for p=reject"
    assert app(sample, domain="northlight-club.example").title[0].value == "p=reject holds, and costs you nothing"


def test_three_findings_at_most_are_cards_and_the_worst_comes_first(app: Open, sample: Path) -> None:
    said = text(app(sample))
    assert said.index("Mailjet stopped aligning") < said.index("Salesforce stopped aligning")
    assert said.count("See evidence") <= 3


def test_too_little_data_is_never_good_news(app: Open, single: Path) -> None:
    at = app(single, domain="example.com")
    assert "Too little" in at.title[0].value
    assert not at.success
    at = app(single, "drift")
    assert "Too little" in at.title[0].value
    assert not at.success


def test_stable_is_said_as_good_news(app: Open, month: Path) -> None:
    at = app(month, "drift", domain="example.com")
    assert at.title[0].value == "Stable"
    assert any("Stable" in good.value for good in at.success)


def test_drift_names_the_day_the_rates_and_the_cause(app: Open, sample: Path) -> None:
    at = app(sample, "drift", domain="northlight.example")
    said = text(at)
    assert at.title[0].value == "2 sources lost alignment"
    assert "Mailjet" in said
    assert "since 8 Oct 2026" in said
    assert "99.6\u00a0%" in said


def test_readiness_asks_for_a_domain_where_there_are_several(app: Open, sample: Path) -> None:
    assert app(sample, "readiness").title[0].value == "Which domain?"


def test_readiness_shows_every_condition_and_the_next_step(app: Open, sample: Path) -> None:
    at = app(sample, "readiness", domain="northlight.example", target="reject")
    said = text(at)
    assert "Next step" in said
    assert "Your own mail aligns" in said
    assert "Subdomains follow" in said


def test_a_record_is_tried(app: Open, sample: Path) -> None:
    at = app(sample, "readiness", domain="northlight.example", target="reject")
    assert "v=DMARC1; p=reject" in [code.value for code in at.code]
    at.text_input(key="try include").set_value("<script>.example").run()
    sound(at)
    assert "leads to no source" in text(at)


def test_the_next_record_is_whole_where_the_present_one_is_given(app: Open, month: Path) -> None:
    at = app(month, "readiness", domain="example.com", target="reject")
    assert "p=reject; t=y" in [code.value for code in at.code]
    at.text_input(key="present record").set_value("v=DMARC1; p=quarantine; rua=mailto:a@b.example").run()
    assert "v=DMARC1; p=reject; t=y; rua=mailto:a@b.example" in [code.value for code in at.code]
    at.text_input(key="present record").set_value("v=DMARC1; p=<b>").run()
    sound(at)
    assert "is not a value of p" in text(at)


def test_a_domain_that_is_there_no_more_falls_back_to_all(app: Open, sample: Path) -> None:
    at = app(sample, domain="gone.example")
    sound(at)
    assert "of 3 domains" in at.title[0].value


def test_a_warehouse_that_is_no_warehouse_is_said_plainly(app: Open, tmp_path: Path) -> None:
    path = tmp_path / "broken.duckdb"
    path.write_bytes(b"this is no database" * 1000)
    at = app(path)
    assert not at.exception
    assert at.title[0].value == "This cannot be shown"
    assert "Move it away" in text(at)


def test_a_configuration_with_a_typing_mistake_is_said_plainly(app: Open, sample: Path, home: Path) -> None:
    (home / "here" / "whosends.toml").write_text("[drift]\nday = 3\n", "utf-8")
    at = app(sample)
    assert not at.exception
    assert "drift.day" in text(at)


def test_clients_of_a_provider_are_a_filter(app: Open, sample: Path, home: Path) -> None:
    (home / "here" / "whosends.toml").write_text(
        '[[domain]]\nname = "northlight-shop.example"\nclient = "Shop AG"\n', "utf-8"
    )
    at = app(sample, client="Shop AG")
    assert at.selectbox(key="domain").options == ["northlight-shop.example"]


def test_every_chart_has_words_for_those_who_cannot_see_it(app: Open, sample: Path) -> None:
    for page in PAGES:
        for node in nodes(app(sample, page, domain="northlight.example")):
            if node.type in ("arrow_vega_lite_chart", "vega_lite_chart"):
                assert node.proto.alt


@pytest.fixture(scope="module")
def drifted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Fourteen senders that broke one after another."""
    world = World.at(tmp_path_factory.mktemp("many"))
    for n in range(14):
        keys = (("example.com", f"s{n}", "pass"),)
        world.send(f"198.51.{100 + n}.10", days(89, 20 + n), 40, dkim=keys)
        world.send(f"198.51.{100 + n}.10", days(19 + n), 40)
    return world.save().path


def test_past_twelve_all_that_changed_stand_in_one_map(app: Open, drifted: Path) -> None:
    at = app(drifted, "drift")
    assert at.title[0].value == "14 sources lost alignment"
    assert "14 sources that changed, day by day" in [one.value for one in at.subheader]
    assert "Owner: nobody yet" in text(at)


def test_a_change_leads_to_the_reports_that_tell_of_it(app: Open, drifted: Path) -> None:
    with Warehouse(drifted, WarehouseSettings()).reading() as connection:
        key = "net:198.51.103.0/24"
        told = reads.reports(connection, Scope(("example.com",), LAST, LAST), source_key=key)
        every = reads.reports(connection, Scope(("example.com",), LAST, LAST))
        none = reads.reports(connection, Scope(("example.com",), LAST, LAST), source_key="net:192.0.2.0/24")
    assert (told.height, every.height, none.height) == (3, 3, 0)
    at = app(drifted, "reports", of=key, on=(LAST - timedelta(days=10)).isoformat())
    assert "Only reports that tell of one source, from 12 Nov 2026 on:" in text(at)
    assert key in text(at)
    assert "21 reports, earliest first" in text(at)
    days = [day.date() for day in at.dataframe[0].value["day"]]
    assert (days[0], days) == (LAST - timedelta(days=10), sorted(days))
    for wrong in ("soon", "", "2026-13-01"):
        assert "Only reports" not in text(app(drifted, "reports", of=key, on=wrong))
