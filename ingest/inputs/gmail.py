"""A Gmail mailbox through the Gmail API (users.messages, users.labels); folders are labels.

With after = leave the scope is gmail.readonly, so that not even a mistake of ours could change
anything. The libraries for this API are not used: what is needed are six calls, and they decode
messages as text, where a report may be any bytes.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import quote

from ingest.inputs.api import Api, Place, Raw, missing_folder
from ingest.inputs.api_call import Caller, objects, reason
from ingest.inputs.ledger import Listed
from ingest.inputs.oauth_provider import GMAIL_API
from ingest.inputs.web import Answer
from ingest.settings import MailboxSettings

_PAGE = 500  # the most that the API gives
_MODIFY = 1000  # the most that it changes at once
_CUT = re.compile(rb'"raw"\s*:\s*"([A-Za-z0-9_+/=-]*)')


class Gmail(Api):
    """The calls of `Api` in Gmail's words."""

    title = "Gmail"

    def __init__(self, settings: MailboxSettings) -> None:
        self._caller = Caller(settings, settings.api_url or GMAIL_API, _passes, _hint)
        # The address, not "me": consent that somebody else gave shall not read somebody else's mail.
        self._user = f"/gmail/v1/users/{quote(settings.user, safe='@')}"

    def place(self, folder: str) -> Place:
        """Find a label by its name, or by its id where it is one of Gmail's own (INBOX)."""
        labels = self._labels()
        key = _label(labels, folder)
        if not key:
            raise missing_folder(self.title, folder, list(labels))
        found = self._get(f"/labels/{quote(key, safe='')}")
        count = found.get("messagesTotal")
        return Place(key, count if isinstance(count, int) else 0)

    def listed(self, place: Place, since: float | None) -> Iterator[Sequence[Listed]]:
        """All at once: Gmail lists the newest first, and only the end of the list makes it complete."""
        found: list[Listed] = []
        params: dict[str, Any] = {"labelIds": place.key, "maxResults": _PAGE, "fields": "messages/id,nextPageToken"}
        if since is not None:
            params["q"] = f"after:{max(0, int(since))}"
        while True:
            page = self._get("/messages", params)
            found += [Listed(str(each["id"])) for each in objects(page.get("messages")) if each.get("id")]
            token = page.get("nextPageToken")
            if not token:
                break
            params["pageToken"] = str(token)
        yield found[::-1]

    def raw(self, key: str, most: int) -> Raw | None:
        """The message in base64url within JSON, which is a third longer."""
        answer = self._caller.ask(
            "GET",
            f"{self._user}/messages/{quote(key, safe='')}",
            params={"format": "raw", "fields": "id,internalDate,sizeEstimate,raw"},
            most=most * 4 // 3 + 2**16,
            gone=True,
        )
        if answer is None:
            return None
        if not answer.whole:
            cut = _CUT.search(answer.body)
            head = _decoded((cut[1] if cut else b"").rstrip(b"=")[: 2**21].decode())
            return Raw(head, most + 1, None)
        document = answer.document()
        body, date = _decoded(str(document.get("raw", ""))), str(document.get("internalDate", ""))
        # internalDate is in milliseconds (RFC 9051's INTERNALDATE, as Gmail keeps it).
        return Raw(body, len(body), int(date) / 1000 if date.isascii() and date.isdigit() and len(date) < 15 else None)

    def mark_seen(self, keys: Sequence[str]) -> None:
        """Take the label UNREAD off."""
        self._modify(keys, {"removeLabelIds": ["UNREAD"]})

    def move(self, keys: Sequence[str], place: Place, target: str) -> None:
        """Put one label on and take the other off; a message out of INBOX is what Gmail calls archived."""
        label = _label(self._labels(), target)
        if not label:
            made = self._caller.ask("POST", f"{self._user}/labels", json={"name": target})
            label = str(made.document().get("id", "")) if made else ""
        self._modify(keys, {"addLabelIds": [label], "removeLabelIds": [place.key]})

    def close(self) -> None:
        """Close the connections."""
        self._caller.close()

    def _modify(self, keys: Sequence[str], change: dict[str, list[str]]) -> None:
        for start in range(0, len(keys), _MODIFY):
            content = {"ids": list(keys[start : start + _MODIFY]), **change}
            self._caller.ask("POST", f"{self._user}/messages/batchModify", json=content)

    def _labels(self) -> dict[str, str]:
        labels = objects(self._get("/labels").get("labels"))
        return {str(each.get("name")): str(each.get("id")) for each in labels}

    def _get(self, path: str, params: dict[str, Any] | None = None) -> dict[str, Any]:
        answer = self._caller.ask("GET", self._user + path, params=params or {})
        return answer.document() if answer else {}


def _label(labels: dict[str, str], name: str) -> str:
    """Names count as written; Gmail's own are ids in capitals, and INBOX is the one whose case never counts."""
    return labels.get(name) or next(
        (key for key in labels.values() if key == name or key == name.upper() == "INBOX"), ""
    )


def _decoded(text: str) -> bytes:
    whole = text[: len(text) - len(text) % 4] if len(text) % 4 == 1 else text
    try:
        return base64.urlsafe_b64decode(whole + "=" * (-len(whole) % 4))
    except ValueError:
        return b""


def _passes(answer: Answer) -> bool:
    # Gmail says "too fast" with 403 as well as with 429.
    return answer.status == 403 and any(word in answer.body for word in (b"ateLimitExceeded", b"backendError"))


def _hint(answer: Answer) -> str:
    if b"accessNotConfigured" in answer.body or b"SERVICE_DISABLED" in answer.body:
        return "Switch the Gmail API on in the Google Cloud project of the application."
    if answer.status == 403 and "scope" in reason(answer).lower():
        return "The consent lacks the scope, perhaps because 'after' was changed: run 'whosends login' again."
    if answer.status == 403:
        return "Check that user is the account that consented."
    return "Check user, oauth_client_id and api_url."
