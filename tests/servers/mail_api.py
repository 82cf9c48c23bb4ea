"""The Gmail API and Microsoft Graph on loopback, as far as they are used: one mailbox in memory, two ways to ask.

    with MailApi(oauth) as api:
        key = api.deliver(b"Subject: x\\r\\n\\r\\n", received_at=1_700_000_000.0)
        api.script(429, {"Retry-After": "3"})      # the next answer

Tokens must be ones that the provider gave and has not revoked.
"""

from __future__ import annotations

import base64
import itertools
import json
import re
import threading
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, unquote, urlsplit

from tests.servers.oauth_server import OAuthServer

Answer = tuple[int, dict[str, str], bytes]


@dataclass
class Mail:
    key: str
    raw: bytes
    received_at: float
    folders: set[str]
    seen: bool = False


@dataclass
class Request:
    method: str
    path: str
    query: dict[str, str]
    content: dict[str, Any] = field(default_factory=dict)


class MailApi:
    """The mailbox; `page` is how many messages a page of a list has."""

    def __init__(self, oauth: OAuthServer, user: str = "dmarc@example.com") -> None:
        self.user = user
        self.page = 2
        self.mails: dict[str, Mail] = {}
        self.folders = {"INBOX": "INBOX"}  # name → key
        self.asked: list[str] = []
        self.next_link = ""  # instead of the proper one
        self.refused: dict[str, int] = {}  # key → the status that its message is refused with
        self._oauth = oauth
        self._serial = itertools.count(1)
        self._scripted: deque[Answer] = deque()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    def deliver(self, raw: bytes, received_at: float, folder: str = "INBOX") -> str:
        # Keys that do not rise, and that need quoting.
        number = next(self._serial)
        key = f"{(number * 7919) % 1000:03d}/k={number}"
        self.mails[key] = Mail(key, raw, received_at, {folder})
        return key

    def script(self, status: int, headers: dict[str, str] | None = None, body: dict[str, Any] | None = None) -> None:
        self._scripted.append((status, headers or {}, json.dumps(body or {}).encode()))

    def count(self, pattern: str) -> int:
        return sum(bool(re.search(pattern, line)) for line in self.asked)

    def answer(self, request: Request, bearer: str) -> Answer:
        self.asked.append(f"{request.method} {request.path}")
        if self._scripted:
            return self._scripted.popleft()
        if not self._oauth.state.access.get(bearer, {}).get("active"):
            return _json({"error": {"code": 401, "message": "Invalid credentials"}}, 401)
        for prefix, serve in (("/gmail/v1/users/", self._gmail), ("/v1.0/users/", self._graph)):
            if request.path.startswith(f"{prefix}{self.user}/"):
                request.path = request.path.removeprefix(f"{prefix}{self.user}")
                return serve(request)
        return _json({"error": {"code": 403, "message": "Access is denied."}}, 403)

    # Gmail: folders are labels, the newest comes first

    def _gmail(self, request: Request) -> Answer:
        if request.path.startswith("/labels"):
            return self._labels(request, unquote(request.path.removeprefix("/labels").lstrip("/")))
        if request.path == "/messages/batchModify":
            return self._modify(request.content)
        if request.path == "/messages":
            return self._gmail_list(request.query)
        mail = self.mails.get(unquote(request.path.removeprefix("/messages/")))
        if mail is None:
            return _json({"error": {"code": 404, "message": "Not found"}}, 404)
        if mail.key in self.refused:
            return _refusal(self.refused[mail.key])
        text = base64.urlsafe_b64encode(mail.raw).rstrip(b"=").decode()
        return _json({"id": mail.key, "internalDate": str(int(mail.received_at * 1000)), "raw": text})

    def _labels(self, request: Request, key: str) -> Answer:
        if request.method == "POST":
            key = self.folders[request.content["name"]] = f"Label_{len(self.folders)}"
        if key:
            return _json({"id": key, "messagesTotal": len(self._in(key))})
        return _json({"labels": [{"id": key, "name": name} for name, key in self.folders.items()]})

    def _gmail_list(self, query: dict[str, str]) -> Answer:
        after = float(query["q"].removeprefix("after:")) if "q" in query else 0.0
        found = [mail for mail in self._in(query["labelIds"]) if mail.received_at >= after][::-1]
        start = int(query.get("pageToken", "0"))
        page: dict[str, Any] = {"messages": [{"id": mail.key} for mail in found[start : start + self.page]]}
        if start + self.page < len(found):
            page["nextPageToken"] = str(start + self.page)
        return _json(page if page["messages"] else {})

    def _modify(self, content: dict[str, Any]) -> Answer:
        for mail in (self.mails[key] for key in content["ids"] if key in self.mails):
            removed = content.get("removeLabelIds", ())
            mail.seen = mail.seen or "UNREAD" in removed
            mail.folders = (mail.folders | set(content.get("addLabelIds", ()))) - set(removed)
        return 204, {}, b""

    # Graph: folders have ids, the oldest comes first

    def _graph(self, request: Request) -> Answer:
        if found := re.fullmatch(r"/mailFolders/([^/]+)/messages", request.path):
            return self._graph_list(unquote(found[1]), request.query)
        if found := re.fullmatch(r"/messages/([^/]+)(/\$value|/move)?", request.path):
            return self._graph_message(unquote(found[1]), found[2] or "", request.content)
        if found := re.fullmatch(r"/mailFolders/([^/]+)", request.path):
            return _json({"id": found[1].upper(), "totalItemCount": len(self._in(found[1].upper()))})
        if request.method == "POST":
            self.folders[request.content["displayName"]] = f"id={len(self.folders)}"
            return _json({"id": self.folders[request.content["displayName"]]}, 201)
        wanted = re.search(r"displayName eq '(.*)'", request.query.get("$filter", ""))
        names = [name for name in self.folders if not wanted or name == wanted[1].replace("''", "'")]
        return _json({"value": [{"id": self.folders[name], "displayName": name} for name in names]})

    def _graph_list(self, folder: str, query: dict[str, str]) -> Answer:
        since = re.search(r"receivedDateTime ge (\S+)", query.get("$filter", ""))
        after = datetime.fromisoformat(since[1]).timestamp() if since else 0.0
        found = [mail for mail in self._in(folder) if mail.received_at >= after]
        start = int(query.get("$skip", "0"))
        page: dict[str, Any] = {
            "value": [
                {"id": mail.key, "receivedDateTime": f"{datetime.fromtimestamp(mail.received_at, UTC):%FT%TZ}"}
                for mail in found[start : start + self.page]
            ]
        }
        if start + self.page < len(found):
            own = f"{self.url}/v1.0/users/{self.user}/mailFolders/{folder}/messages?$skip={start + self.page}"
            page["@odata.nextLink"] = self.next_link or own
        return _json(page)

    def _graph_message(self, key: str, what: str, content: dict[str, Any]) -> Answer:
        mail = self.mails.get(key)
        if mail is None:
            return _json({"error": {"code": "ErrorItemNotFound", "message": "gone"}}, 404)
        if what == "/$value" and key in self.refused:
            return _refusal(self.refused[key])
        if what == "/$value":
            return 200, {"Content-Type": "text/plain"}, mail.raw
        if what == "/move":
            mail.folders = {content["destinationId"]}
        mail.seen = mail.seen or bool(content.get("isRead"))
        return _json({"id": key})

    def _in(self, folder: str) -> list[Mail]:
        return sorted((mail for mail in self.mails.values() if folder in mail.folders), key=lambda m: m.received_at)


def _json(document: dict[str, Any], status: int = 200) -> Answer:
    return status, {"Content-Type": "application/json"}, json.dumps(document).encode()


def _refusal(status: int) -> Answer:
    return _json({"error": {"code": "ErrorMimeContentConversionFailed", "message": "It cannot be converted."}}, status)


def _handler(api: MailApi) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # head and body are written apart; the second would wait 40 ms

        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            parts = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            request = Request(self.command, parts.path, query, json.loads(body or b"{}"))
            status, headers, answer = api.answer(request, self.headers["Authorization"].removeprefix("Bearer "))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            if status != 204:
                self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        do_POST = do_PATCH = do_GET

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing."""

    return Handler
