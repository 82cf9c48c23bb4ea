"""The device authorization grant (RFC 8628): a person enters a code in any browser, anywhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ingest.errors import MailboxError, MailboxUnreachable
from ingest.inputs import oauth_errors
from ingest.inputs.oauth import identity, usable
from ingest.inputs.oauth_provider import Provider
from ingest.inputs.web import Web, checked
from ingest.settings import MailboxSettings

_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
_INTERVAL = 5.0  # RFC 8628 section 3.2: where the server names none
_SLOWER = 5.0  # section 3.5: added for slow_down
_LONGEST = 1800.0  # seconds that we wait for a person at most


@dataclass(frozen=True, slots=True)
class Prompt:
    """What the person is told: open `address` and enter `code`. All of it is the server's text."""

    address: str
    code: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Waiting:
    """How time passes while a person types."""

    sleep: Callable[[float], object] = time.sleep
    clock: Callable[[], float] = time.monotonic


def log_in(
    settings: MailboxSettings, asked: Provider, web: Web, tell: Callable[[Prompt], None], waiting: Waiting
) -> Mapping[str, object]:
    """Get a code, show it, and ask for the token until the person has decided."""
    began = _begun(settings, asked, web)
    seconds, interval = _number(began.get("expires_in"), 900.0), _number(began.get("interval"), _INTERVAL)
    address = began.get("verification_uri") or began.get("verification_url")  # the latter is Google's
    tell(Prompt(str(address), str(began["user_code"]), min(seconds, _LONGEST)))
    until = waiting.clock() + min(seconds, _LONGEST)
    form = {"grant_type": _GRANT, "device_code": str(began["device_code"]), **identity(settings)}
    while waiting.clock() + interval < until:
        waiting.sleep(interval)
        try:
            answer = web.request("POST", asked.token_url, data=form)
        except MailboxUnreachable:
            interval *= 2  # section 3.5: exponential back-off when the connection times out
            continue
        document = answer.document()
        if answer.status == 200:
            return usable(document, asked)
        if document.get("error") == "slow_down":
            interval += _SLOWER
        elif document.get("error") == "authorization_pending":
            pass
        elif answer.status >= 500 or answer.status == 429:
            interval = max(interval * 2, answer.wait_seconds)
        else:
            raise oauth_errors.refusal(settings, asked, answer)
    raise MailboxError("Nobody entered the code in time.", f"Run 'whosends login {settings.name}' again.")


def _begun(settings: MailboxSettings, asked: Provider, web: Web) -> dict[str, object]:
    form = {"client_id": settings.oauth_client_id, **({"scope": asked.scope} if asked.scope else {})}
    answer = web.request("POST", asked.device_url, data=form)
    document = answer.document()
    if answer.status != 200:
        raise oauth_errors.refusal(settings, asked, answer)
    named = document.get("verification_uri") or document.get("verification_url")
    if not all(
        isinstance(text, str) and text for text in (document.get("device_code"), document.get("user_code"), named)
    ):
        raise MailboxError(f"{checked(asked.device_url)} gave no code to enter.", "Check oauth_device_url.")
    return document


def _number(value: object, default: float) -> float:
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value[:9])
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 10**9:
        return default
    return float(value)
