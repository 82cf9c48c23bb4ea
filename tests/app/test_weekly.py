"""The weekly summary as Markdown, HTML and CSV: its order, its words, and that hostile text stays text."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.policy import strict
from html.parser import HTMLParser

import pytest
from markdown_it import MarkdownIt

from app.exports import weekly_csv, weekly_html, weekly_mail, weekly_markdown
from app.exports.weekly_markdown import bar, escaped
from app.exports.weekly_view import view
from app.folding import MAIL
from app.render import INVISIBLE, clean, unlinked
from app.settings import ReportSettings
from tests.app.weeks import CASES, HOSTILE, SETTINGS, pages, quiet, week

PAGES = pages()


class Page(HTMLParser):
    """Every tag with its attributes, and all text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def tokens(markdown: str) -> list[str]:
    """The kinds of everything that a Markdown reader sees in it."""
    parser = MarkdownIt("commonmark", {"html": True}).enable("table")
    return [
        f"{child.type}:{child.attrGet('href') or ''}" if child.type == "link_open" else child.type
        for token in parser.parse(markdown)
        for child in (token, *(token.children or ()))
    ]


def test_html_holds_no_markup_from_outside() -> None:
    html = weekly_html.render(week(HOSTILE), SETTINGS)
    page = Page(html)
    assert {tag for tag, _ in page.tags} <= {
        "html", "head", "meta", "title", "style", "body", "table", "tr", "td", "th", "p", "h1", "h2", "span", "a", "ul",
        "li", "strong", "br",
    }  # fmt: skip
    assert {attribute for _, attributes in page.tags for attribute in attributes} <= {
        "lang", "charset", "name", "content", "style", "class", "role", "width", "height", "cellpadding", "cellspacing",
        "align", "scope", "href",
    }  # fmt: skip
    assert [attributes["href"] for tag, attributes in page.tags if tag == "a"] == [SETTINGS.app_url]
    assert unlinked(clean(HOSTILE)) in page.text
    assert "49" not in clean(HOSTILE)


def test_html_asks_for_nothing_from_outside() -> None:
    html = weekly_html.render(week("plain"), ReportSettings())
    for word in ("http://", "https://", "src=", "url(", "@import", "<link", "<script", "<img"):
        assert word not in html


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", " https://x", "ftp://x", ""])
def test_only_web_addresses_are_linked(url: str) -> None:
    settings = ReportSettings(app_url=url)
    assert "<a " not in weekly_html.render(week("plain"), settings)
    assert "Open in the app" not in weekly_markdown.render(week("plain"), settings)


def test_markdown_holds_no_markup_from_outside() -> None:
    found = tokens(weekly_markdown.render(week(HOSTILE), SETTINGS))
    assert [token for token in found if token.startswith("link_open")] == [f"link_open:{SETTINGS.app_url}"]
    assert not {"image", "html_inline", "html_block", "code_inline", "code_block", "fence", "em_open"} & set(found)
    hostile, harmless = weekly_markdown.render(week(HOSTILE), SETTINGS), weekly_markdown.render(week("x"), SETTINGS)
    assert tokens(hostile).count("td_open") == tokens(harmless).count("td_open")
    assert tokens(hostile).count("strong_open") == tokens(harmless).count("strong_open")
    assert not INVISIBLE.search(hostile.replace("\n", ""))


@pytest.mark.parametrize("text", ["https://evil.example", "WWW.evil.example", "a@evil.example", "mailto:a@b.example"])
def test_no_link_makes_itself(text: str) -> None:
    shown = escaped(text)
    # What GitHub's autolinks look for is broken up; what is shown is the same.
    assert ":" not in shown.replace("\\:", "")
    assert "www." not in shown.lower()
    assert "\\@" in shown or "@" not in text
    assert MarkdownIt("commonmark").render(shown) == f"<p>{text}</p>\n"


def test_csv_cells_are_text_for_a_spreadsheet() -> None:
    rows = list(csv.DictReader(io.StringIO(weekly_csv.render(week("=HYPERLINK('http://evil')")))))
    assert len(rows) == 8
    for row in rows:
        assert not [value for value in row.values() if value.startswith(("=", "+", "-", "@", "\t", "\r"))]
        assert row["name"] == "'=HYPERLINK('http://evil')"
        assert (row["week"], row["decision"]) == ("2026-W47", "approved")


def test_the_order_is_verdict_todo_changes_progress_sources_collection_totals() -> None:
    text = weekly_markdown.render(week("example.com"), SETTINGS)
    titles = [line for line in text.splitlines() if line.startswith("#")]
    assert titles == [
        "# \\[Stop\\] example.com · week 47 (16–22 Nov 2026)",
        "## Do next",
        "## What changed",
        "## Progress",
        "## Sources of example.com",
        "## Collection",
        "## Totals",
    ]
    page = Page(weekly_html.render(week("example.com"), SETTINGS)).text
    places = [page.index(title.removeprefix("## ")) for title in titles[1:]]
    assert places == sorted(places)
    for said in ("2 more", "3 more sources", "6 of 7 usual reporters", "The week is not complete"):
        assert said in page
        assert said in text


def test_a_domain_that_is_at_its_target_is_not_on_its_way_there() -> None:
    summary = week("example.com")
    steps = [
        view(replace(summary, domains=(replace(summary.domains[0], policy=policy),)), SETTINGS).progress[0].step
        for policy in ("none", "reject", None)
    ]
    assert steps == ["none → reject", "reject", "no policy seen → reject"]


def test_a_quiet_week_is_a_page_too() -> None:
    for text in (weekly_markdown.render(quiet(), SETTINGS), weekly_html.render(quiet(), SETTINGS)):
        assert "A quiet week: nothing to do." in text
        assert "Do next" not in text
        assert "What changed" not in text
        assert "Totals" in text


@pytest.mark.parametrize(("rate", "drawn"), [(0.0, ""), (0.004, "▏"), (0.5, "█████"), (1.0, "█" * 10)])
def test_bars(rate: float, drawn: str) -> None:
    assert bar(rate) == drawn


@pytest.mark.parametrize("name", sorted(path.name for path in PAGES))
def test_the_page_is_the_approved_one(name: str) -> None:
    # `python -m tests.accept weekly` writes them anew; read the difference.
    assert PAGES[CASES / name] == (CASES / name).read_text("utf-8")


ENCODED = "=?utf-8?q?a=0D=0ABcc=3A_eve=40evil.example?="


@pytest.mark.parametrize("subject", [
    ENCODED, f"CRM {ENCODED} sends", "[Stop] 2 domains W47: CRM sends as example.com without aligning it",
    "[Stop] " + "y" * 70, "y" * 180, "[Stop] Zürich  Ü " * 9, "日本語 " * 30, "a\r\nBcc: eve@evil.example",
    "x \u202eevil",
    *("w" * at + " end" for at in range(60, 76)),
])  # fmt: skip
def test_a_subject_is_read_as_it_was_written_and_as_nothing_else(subject: str) -> None:
    made = EmailMessage(policy=MAIL)
    made["Subject"], made["From"] = subject, "whosends <w@example.com>"
    made.set_content("x")
    raw = made.as_bytes()
    again = message_from_bytes(raw, policy=strict)
    assert again["Subject"] == clean(subject).strip()
    assert again.keys() == ["Subject", "From", "Content-Type", "Content-Transfer-Encoding", "MIME-Version"]
    # As programs read it that follow no more than RFC 5322 and RFC 2047.
    [line] = [value for name, value in message_from_bytes(raw).items() if name == "Subject"]
    assert str(make_header(decode_header(line.replace("\r\n", "")))) == clean(subject).strip()
    assert not line.startswith(("\r", "\n", " "))


def test_a_quiet_week_is_a_mail_of_one_line() -> None:
    mail = weekly_mail.mail(quiet(), SETTINGS, b"png", "w@example.com", "a@example.com")
    assert mail.get_content_type() == "text/plain"
    assert mail.get_content().splitlines() == ["A quiet week: nothing to do."]


def test_a_mail_of_hostile_text_has_its_own_headers_and_parts_only() -> None:
    wicked = week(f"{ENCODED} {HOSTILE}\r\nBcc: eve@evil.example\r\n\r\n<script>")
    mail = weekly_mail.mail(wicked, SETTINGS, None, "w@example.com", "a@example.com")
    again = message_from_bytes(mail.as_bytes(), policy=strict)
    assert set(again.keys()) == {
        "From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type",
    }  # fmt: skip
    assert [part.get_content_type() for part in again.walk()] == ["multipart/alternative", "text/plain", "text/html"]
    text = again.get_body(("plain",))
    assert text is not None
    assert "://evil" not in text.get_content()
    assert "://evil" not in str(again.get_body(("html",)))
    assert not INVISIBLE.search(text.get_content().replace("\r", "").replace("\n", ""))
    assert max(len(line) for line in mail.as_bytes().split(b"\r\n")) <= 78
    assert mail.as_bytes() == weekly_mail.mail(wicked, SETTINGS, None, "w@example.com", "a@example.com").as_bytes()
