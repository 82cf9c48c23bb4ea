"""What is said instead of an answer: no warehouse yet, no reports, too little data, a busy file."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from app.web import words
from ingest.errors import Error, Transient
from warehouse.errors import WarehouseMissing

log = logging.getLogger(__name__)


@contextmanager
def friendly() -> Iterator[None]:
    """Turn the errors a person can act on into a page that says what to do."""
    try:
        yield
    except WarehouseMissing:
        welcome()
    except Error as error:
        log.warning("page.refused error=%s", type(error).__name__)
        trouble(error)


def welcome() -> None:
    """The first thing anybody sees: nothing is stored yet."""
    st.title("Who sends mail as your domain?", anchor=False)
    say_next(
        "There are no reports here yet. Receivers send them to the address in your DMARC record's rua= tag, "
        "the first ones 24 to 48 hours after it is published.",
        {
            "See it with made-up data first": "whosends demo",
            "Read reports that you have saved": "whosends ingest PATH",
            "Read them from a mailbox, and keep reading": "whosends init\nwhosends poll",
        },
    )


def say_next(sentence: str, commands: dict[str, str]) -> None:
    """A sentence of ours, and commands to copy."""
    st.info(sentence, icon=":material/hourglass_empty:")
    for purpose, command in commands.items():
        with st.container(gap="xsmall"):
            st.markdown(f"**{purpose}**")
            st.code(command, language=None)


def trouble(error: Error) -> None:
    """An error with its hint and, where waiting helps, a way to try again."""
    passing = isinstance(error, Transient)
    st.title("The warehouse is busy" if passing else "This cannot be shown", anchor=False)
    with st.container(border=True, gap="small"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            if passing:
                st.badge("Try again soon", icon=":material/hourglass_top:", color="orange")
            else:
                st.badge("Needs a hand", icon=":material/error:", color="red")
        words.say(error.message, "strong")
        words.say(error.hint or ("A load is running. It gives way between two batches." if passing else ""))
        st.button("Try again", icon=":material/refresh:", type="primary" if passing else "secondary")


def aside(error: Error) -> None:
    """An error that leaves the rest of the page as it is."""
    with st.container(border=True, horizontal=True, vertical_alignment="center", gap="small"):
        st.badge("Not done", icon=":material/error:", color="red")
        words.say(f"{error.message} {error.hint}")


def none_in_scope() -> None:
    """There are reports, but none in the days and domains that were chosen."""
    st.info(
        "No reports in this period. Choose a longer one, or another domain: the filters stand above.",
        icon=":material/event_busy:",
    )


def good(sentence: str) -> None:
    """Good news, said as such. The sentence is our own."""
    st.success(sentence, icon=":material/check_circle:")


def footer() -> None:
    """What holds for every page, once."""
    st.caption(
        "Days are report days in UTC. Aggregate reports tell how mail authenticated and what receivers did with it, "
        "not whether it reached the inbox."
    )
    st.sidebar.caption("Networks and countries: IPinfo Lite, CC BY-SA 4.0")
