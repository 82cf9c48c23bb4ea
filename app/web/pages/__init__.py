"""One page a file: filters, one analysis call, charts. Here is the list of them, and how to link to one."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import streamlit as st

FOLDER: Final = Path(__file__).parent
# Section → page → its icon. Findings name a page by the file's stem.
PAGES: Final[dict[str, dict[str, str]]] = {
    "Watch": {"overview": ":material/dashboard:", "drift": ":material/show_chart:"},
    "Decide": {
        "sources": ":material/hub:",
        "selectors": ":material/key:",
        "readiness": ":material/verified_user:",
    },
    "Delivery": {"deliverability": ":material/outgoing_mail:", "tls": ":material/lock:"},
    "Evidence": {"reports": ":material/description:"},
}
TITLES: Final = {"tls": "TLS"}


def navigate() -> Any:
    """Draw the navigation; the page that was asked for."""
    # First, because Streamlit would fetch a page's icon as favicon from a font host on the Internet.
    st.set_page_config(page_icon=str(FOLDER.parent / "mark.svg"), layout="wide", menu_items={})
    sections = {
        section: [
            st.Page(str(file(name)), title=TITLES.get(name, name.capitalize()), icon=icon, default=name == "overview")
            for name, icon in pages.items()
        ]
        for section, pages in PAGES.items()
    }
    page = st.navigation(sections, expanded=True)
    st.set_page_config(page_title=f"{page.title} · whosends")
    return page


def file(name: str) -> Path:
    """The file of a page; the overview's for a name that is no page's."""
    known = {page for pages in PAGES.values() for page in pages}
    return FOLDER / f"{name if name in known else 'overview'}.py"


def link(name: str, label: str, **params: str) -> None:
    """A link to a page with filters of that page. `label` is our own text.

    A shared filter that is set already goes along by itself; given here too, it would stand in the
    address twice.
    """
    fresh = {key: value for key, value in params.items() if st.session_state.get(key) != value}
    st.page_link(
        str(file(name)), label=label, icon=":material/arrow_forward:", icon_position="right", query_params=fresh or None
    )
