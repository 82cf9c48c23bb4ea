"""A Microsoft 365 mailbox through Microsoft Graph (v1.0: mailFolders, messages, $value).

With after = leave Mail.Read is enough. The SDK for Graph is not used: what is needed are seven
calls, and it weighs more than all the rest of the program together.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from ingest.errors import MailboxError
from ingest.inputs.api import Api, Place, Raw, missing_folder
from ingest.inputs.api_call import Caller, objects
from ingest.inputs.ledger import Listed
from ingest.inputs.oauth_provider import GRAPH_API
from ingest.inputs.web import Answer
from ingest.settings import MailboxSettings

_PAGE = 500
# Ids that stay the same when a message is moved, so that a repeated action finds it or misses it, never another.
_STEADY = {"Prefer": 'IdType="ImmutableId"'}
_WELL_KNOWN = {"inbox": "inbox", "archive": "archive", "junk email": "junkemail", "deleted items": "deleteditems"}


class Graph(Api):
    """The calls of `Api` in Graph's words."""

    title = "Microsoft Graph"

    def __init__(self, settings: MailboxSettings) -> None:
        self._caller = Caller(settings, settings.api_url or GRAPH_API, _passes, _hint)
        self._user = f"/v1.0/users/{quote(settings.user, safe='@')}"

    def place(self, folder: str) -> Place:
        """Find a folder by its path, or one of the well-known ones by its English name."""
        found = self._found(folder)
        if found is None or not found.get("id"):
            page = self._get(f"{self._user}/mailFolders", {"$top": "100", "$select": "id,displayName"})
            there = [str(each.get("displayName")) for each in objects(page.get("value"))]
            raise missing_folder(self.title, folder, there)
        count = found.get("totalItemCount")
        return Place(str(found["id"]), count if isinstance(count, int) else 0)

    def listed(self, place: Place, since: float | None) -> Iterator[Sequence[Listed]]:
        """Oldest first, page by page."""
        params: dict[str, str] | None = {
            "$select": "id,receivedDateTime",
            "$orderby": "receivedDateTime",
            "$top": str(_PAGE),
        }
        if since is not None and params is not None:
            moment = datetime.fromtimestamp(max(0.0, since), UTC)
            # Graph wants what is sorted by to stand in the filter first.
            params["$filter"] = f"receivedDateTime ge {moment:%Y-%m-%dT%H:%M:%SZ}"
        path = f"{self._user}/mailFolders/{quote(place.key, safe='')}/messages"
        while path:
            page = self._get(path, params)
            there = [each for each in objects(page.get("value")) if each.get("id")]
            yield [Listed(str(each["id"]), _seconds(each.get("receivedDateTime"))) for each in there]
            path, params = str(page.get("@odata.nextLink") or ""), None

    def raw(self, key: str, most: int) -> Raw | None:
        """The message as MIME; its date was listed before."""
        answer = self._caller.ask("GET", f"{self._message(key)}/$value", headers=_STEADY, most=most, gone=True)
        if answer is None:
            return None
        # Graph does not say the size; a message that is longer than we read counts as one byte longer.
        return Raw(answer.body, len(answer.body) + (not answer.whole), None)

    def mark_seen(self, keys: Sequence[str]) -> None:
        """Set isRead."""
        for key in keys:
            self._caller.ask("PATCH", self._message(key), headers=_STEADY, json={"isRead": True}, gone=True)

    def move(self, keys: Sequence[str], place: Place, target: str) -> None:
        """Move message by message."""
        found = self._found(target) or self._made(target)
        for key in keys:
            content = {"destinationId": str(found["id"])}
            self._caller.ask("POST", f"{self._message(key)}/move", headers=_STEADY, json=content, gone=True)

    def close(self) -> None:
        """Close the connections."""
        self._caller.close()

    def _message(self, key: str) -> str:
        return f"{self._user}/messages/{quote(key, safe='')}"

    def _found(self, folder: str) -> dict[str, Any] | None:
        """Walk down a path of display names."""
        known = _WELL_KNOWN.get(folder.lower())
        if known:
            return self._get(f"{self._user}/mailFolders/{known}")
        found: dict[str, Any] | None = None
        for name in folder.split("/"):
            params = {"$filter": f"displayName eq '{name.replace(chr(39), chr(39) * 2)}'"}
            values = objects(self._get(self._children(found), params).get("value"))
            found = next((each for each in values if each.get("displayName") == name and each.get("id")), None)
            if found is None:
                return None
        return found

    def _made(self, folder: str) -> dict[str, Any]:
        """Make the last folder of a path whose others are there."""
        parent, _, name = folder.rpartition("/")
        above = self._found(parent) if parent else None
        if parent and above is None:
            raise missing_folder(self.title, parent, [])
        answer = self._caller.ask("POST", self._children(above), json={"displayName": name})
        made = answer.document() if answer else {}
        if not made.get("id"):
            raise MailboxError(f"{self.title} did not make the folder {folder!r}.", "Make it by hand.")
        return made

    def _children(self, parent: dict[str, Any] | None) -> str:
        inner = f"/{quote(str(parent['id']), safe='')}/childFolders" if parent else ""
        return f"{self._user}/mailFolders{inner}"

    def _get(self, path: str, params: dict[str, str] | None = None) -> dict[str, Any]:
        # No empty params: they would take the query off the address of a next page.
        content: dict[str, Any] = {"params": params} if params else {}
        answer = self._caller.ask("GET", path, headers=_STEADY, **content)
        return answer.document() if answer else {}


def _seconds(text: object) -> float | None:
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return moment.timestamp() if moment.tzinfo else None


def _passes(answer: Answer) -> bool:
    return b"ErrorServerBusy" in answer.body or b"MailboxConcurrency" in answer.body


def _hint(answer: Answer) -> str:
    if answer.status == 403:
        return (
            "Grant the application Mail.Read (Mail.ReadWrite where 'after' is seen or move) with admin consent, and let"
            " the tenant's access policy for applications include this mailbox."
        )
    if answer.status == 404:
        return "Check user: it must be the address of a mailbox in Exchange Online."
    return "Check user, oauth_client_id, oauth_tenant and api_url."
