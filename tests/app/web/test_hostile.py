"""What others wrote is shown as text, or not at all: it is never markdown, HTML, a formula or a control sequence."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from streamlit.testing.v1 import AppTest

from app.render import INVISIBLE
from app.web import grids, words
from tests.app.web.conftest import PAGES, Open, nodes, text
from tests.app.web.hostile import ATTACKS, HOST
from warehouse.connect import Warehouse
from warehouse.settings import WarehouseSettings

TEXT_ONLY = {"code", "selectbox", "text_input", "date_input", "vega_lite_chart"}
"""Where text from outside may stand besides escaped HTML and table cells: code, input fields, charts."""
NOT_SHOWN = re.compile(
    r"^\s*(id|form_id|query_string|url|file_name|element_id|page|page_script_hash): .*$", re.MULTILINE
)
OURS = re.compile(r"</?(span|p|code|dl|dt|dd|ul|li|div|i|b|img)( [a-z-]+=\"[^\"<>]*\")*>")


def checked(at: AppTest) -> None:
    """No attack stands where it could do anything."""
    assert not at.exception
    for node in nodes(at):
        if node.type == "html":
            escaped(node.proto.body)
        elif node.type == "dataframe":
            cells(node.value)
        elif node.type not in TEXT_ONLY and getattr(node, "proto", None) is not None:
            shown = NOT_SHOWN.sub("", str(node.proto))
            assert HOST not in shown, (node.type, shown[:600])


def escaped(body: str) -> None:
    """Nothing but the tags that we wrote, and nothing invisible."""
    if not body.startswith("<style>"):
        assert "<" not in OURS.sub("", body), body
        assert not INVISIBLE.search(body), body


def cells(frame: Any) -> None:
    """Table cells hold nothing invisible, and no spreadsheet takes one for a formula."""
    for name in frame.columns:
        for value in frame[name].tolist():
            if isinstance(value, str):
                assert not INVISIBLE.search(value), value
                assert not value.startswith(("=", "+", "-", "@")), value


@pytest.mark.parametrize("page", PAGES)
def test_no_page_lets_an_attack_out_of_its_text(app: Open, wicked: Path, page: str) -> None:
    checked(app(wicked, page))


@pytest.mark.parametrize("domain", ATTACKS)
def test_a_domain_that_is_an_attack_can_be_looked_at(app: Open, wicked: Path, domain: str) -> None:
    known = words.plain(domain)
    for page in ("overview", "readiness"):
        at = app(wicked, page)
        choice = at.selectbox(key="domain")
        shown = next((option for option in choice.options if option == known), None)
        if shown is None:
            pytest.skip("the rules of domains leave nothing of this one")
        checked(choice.set_value(domain if domain in _domains(wicked) else shown).run())


def _domains(path: Path) -> set[str]:
    with Warehouse(path, WarehouseSettings()).reading() as connection:
        return {str(row[0]) for row in connection.execute("SELECT DISTINCT domain FROM daily").fetchall()}


def test_sources_as_cards_with_their_evidence_as_a_table_and_decided(app: Open, wicked: Path) -> None:
    for query in ({"show": "All"}, {"show": "All", "table": "true"}, {"show": "Approved"}, {"source": ATTACKS[0]}):
        checked(app(wicked, "sources", **query))


def test_the_reasons_of_every_source_with_how_it_was_regrouped(app: Open, wicked: Path) -> None:
    at = app(wicked, "sources", show="All")
    for place in [str(box.key).removeprefix("note ") for box in at.text_input if str(box.key).startswith("note ")]:
        at.session_state[f"why {place}"] = True
    at.run()
    assert "was merged into" in text(at)
    checked(at)


def test_the_quarantine_and_the_runs(app: Open, wicked: Path) -> None:
    for tab in ("Quarantine", "Runs"):
        checked(app(wicked, "reports", tab=tab))


def test_what_did_not_arrive(app: Open, wicked: Path) -> None:
    for page, query in (("deliverability", {}), ("deliverability", {"tab": "Failure reports"}), ("tls", {})):
        at = app(wicked, page, **query)
        checked(at)
        assert any(len(frame.value) >= len(ATTACKS) for frame in at.dataframe), "the attacks are on the page"


def test_nothing_from_the_address_bar_breaks_a_page(app: Open, wicked: Path) -> None:
    for attack in ATTACKS:
        for page in PAGES:
            at = app(wicked, page, domain=attack, days=attack, show=attack, source=attack, target=attack, report=attack)
            assert not at.exception


@pytest.mark.parametrize("attack", ATTACKS)
def test_plain_text_is_one_visible_line(attack: str) -> None:
    shown = words.plain(attack)
    assert not INVISIBLE.search(shown)
    assert "\n" not in shown
    assert len(shown) <= 120
    assert words.plain(shown) == shown


def test_a_flood_is_cut() -> None:
    assert len(words.plain("a" * 10**6)) == 120
    assert words.plain("a" * 121).endswith("…")


def test_cells_that_a_spreadsheet_would_run_get_a_quote() -> None:
    assert words.cell("=1+1") == "'=1+1"
    assert words.cell("\u200b@SUM(A1)") == "'@SUM(A1)"
    assert words.cell("example.com") == "example.com"


def test_csv_files_hold_no_formula_and_nothing_invisible() -> None:
    frame = pl.DataFrame({"name": list(ATTACKS), "list": [[attack] for attack in ATTACKS], "n": range(len(ATTACKS))})
    written = grids.written(frame)
    assert not INVISIBLE.search(written.replace("\n", ""))
    assert not re.search(r'(^|,)"?[=+@-]', written, re.MULTILINE)
