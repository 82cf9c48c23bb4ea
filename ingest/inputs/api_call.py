"""One call of a mail API: the token, a second one where the first is refused, and what refusals mean."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ingest.errors import MailboxError, MailboxUnreachable
from ingest.inputs.imap_errors import told
from ingest.inputs.oauth import TokenSource
from ingest.inputs.web import MOST, Answer, Web, checked
from ingest.settings import MailboxSettings

_LONGEST_WAIT = 600.0  # seconds; what a server may ask of us at most


class Caller:
    """Calls one service. `passes` tells from a refusal whether waiting helps, `hint` what to grant."""

    def __init__(
        self,
        settings: MailboxSettings,
        base: str,
        passes: Callable[[Answer], bool],
        hint: Callable[[Answer], str],
    ) -> None:
        self.base = base.rstrip("/")
        self._tokens = TokenSource(settings)
        self._web = Web(settings.timeout, settings.ca_file)
        self._host = checked(self.base)
        self._passes = passes
        self._hint = hint

    def ask(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        most: int = MOST,
        gone: bool = False,
        **content: Any,
    ) -> Answer | None:
        """Call `path`, or a whole address of the same service. None where it is gone and that is allowed."""
        url = path if path.startswith(("https:", "http:")) else self.base + path
        if checked(url) != self._host or url.split(":", 1)[0] != self.base.split(":", 1)[0]:
            # The next page's address comes from the server; the token goes nowhere else for it.
            raise MailboxError(f"{self._host} pointed to another server, which is not followed.")
        answer = self._sent(method, url, headers, most, content)
        if answer.status == 401 and self._tokens.renew():
            answer = self._sent(method, url, headers, most, content)
        if answer.status < 300:
            return answer
        if answer.status in (404, 410) and gone:
            return None
        raise self._refusal(answer)

    def _sent(
        self, method: str, url: str, headers: Mapping[str, str] | None, most: int, content: Mapping[str, Any]
    ) -> Answer:
        bearer = {"Authorization": f"Bearer {self._tokens()}", **(headers or {})}
        return self._web.request(method, url, bearer, most, **content)

    def _refusal(self, answer: Answer) -> MailboxError:
        said = reason(answer)
        if answer.status >= 500 or answer.status in (408, 429) or self._passes(answer):
            later = MailboxUnreachable(f"{self._host} cannot now: {told(said)}.", "It asked us to come back later.")
            later.wait_seconds = min(answer.wait_seconds, _LONGEST_WAIT)
            return later
        return MailboxError(f"{self._host} refused: {told(said)}.", self._hint(answer))

    def close(self) -> None:
        """Close the connections."""
        self._web.close()


def reason(answer: Answer) -> str:
    """What a service says of an error: its code and its sentence, where they are where both services put them."""
    error = answer.document().get("error")
    if not isinstance(error, dict):
        return f"HTTP {answer.status}"
    return f"HTTP {answer.status} {error.get('code', '')} {error.get('status', '')} {error.get('message', '')}"


def objects(value: object) -> list[dict[str, Any]]:
    """The JSON objects in a list; a service that answers something else has none."""
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
