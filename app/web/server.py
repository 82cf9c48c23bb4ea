"""What `streamlit run` starts: the pages of main.py, served so that each can be opened by its own address."""

from __future__ import annotations

import logging
from importlib import import_module
from pathlib import Path

import streamlit as st
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit import delta_generator
from streamlit.runtime.caching import cache_data_api

# The pages are loaded before there is a runtime, and each function whose answers Streamlit keeps would warn of that.
logging.getLogger(cache_data_api.__name__).addFilter(lambda record: "No runtime found" not in record.getMessage())

from app.web import ahead  # noqa: E402  the functions are there
from app.web.pages import PAGES  # noqa: E402

ROOT = b'<head><script>window.__streamlit={BACKEND_BASE_URL:location.origin+"/"}</script>'


class AtTheRoot:
    """Tells the page that its server answers at the root.

    Streamlit's page otherwise guesses: opened as /sources, it first asks below /sources, and each of
    those guesses ends as an error in the browser's console.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything on; into a page of HTML put one line of script."""
        if scope["type"] != "http" or b"text/html" not in dict(scope["headers"]).get(b"accept", b""):
            await self._app(scope, receive, send)
            return
        # A compressed page could not be read here.
        plain = [(name, value) for name, value in scope["headers"] if name != b"accept-encoding"]
        await self._app({**scope, "headers": plain}, receive, _Inserting(send))


class _Inserting:
    """Holds a response back until it is whole, then sends it with the line in it."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._start: Message | None = None
        self._body = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start" and _is_page(message):
            self._start = message
        elif self._start is None:
            await self._send(message)
        else:
            self._body += message.get("body", b"")
            if not message.get("more_body"):
                await self._finish(self._start)

    async def _finish(self, start: Message) -> None:
        body = self._body.replace(b"<head>", ROOT, 1)
        headers = MutableHeaders(raw=list(start["headers"]))
        headers["content-length"] = str(len(body))
        await self._send({**start, "headers": headers.raw})
        await self._send({"type": "http.response.body", "body": body})


def _is_page(start: Message) -> bool:
    kind = MutableHeaders(raw=list(start["headers"])).get("content-type", "")
    return start["status"] == 200 and kind.startswith("text/html")


# Before the first visitors come, who would wait for it; each of them, where several come at once.
for page in (name for section in PAGES.values() for name in section):
    import_module(f"app.web.pages.{page}")
import_module("pandas")  # DuckDB takes it with the first value of a query, Streamlit with the first table
# At the first thing that is drawn Streamlit looks through all modules, for 0.1 s, whether it runs in a notebook.
delta_generator._use_warning_has_been_displayed = True
ahead.start()

app = st.App(Path(__file__).with_name("main.py"), middleware=[Middleware(AtTheRoot)])
