"""OAuth2 access tokens (RFC 6749) for a mailbox: asked for when needed, renewed before they expire.

    oauth.py → oauth_provider.py (endpoints, scope, which grant), oauth_store.py (the refresh token's file)
    oauth_jwt.py (keys instead of secrets), oauth_errors.py (what a refusal means), web.py (HTTP)
    oauth_device.py and oauth_browser.py: how a person consents, once ('whosends login')

Access tokens live in memory only. What is on disk is the refresh token, and only a person's.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping

from ingest.errors import MailboxError
from ingest.inputs import oauth_errors, oauth_jwt, oauth_store
from ingest.inputs.oauth_provider import PERSON, Provider, client_secret, provider
from ingest.inputs.web import Web, checked
from ingest.settings import MailboxSettings

_LOG = logging.getLogger(__name__)
# Renewed this long before the end, so that a token does not expire on its way (clocks differ a little).
_EARLY = 120.0
# RFC 6749 section 5.1 only recommends expires_in; without it, an hour is what most providers give.
_USUAL = 3600.0


class TokenSource:
    """Gives a valid access token whenever asked. Usable as the password of a `Session`."""

    def __init__(self, settings: MailboxSettings, clock: Callable[[], float] = time.time) -> None:
        self._settings = settings
        self._clock = clock
        self._provider = provider(settings)
        self._web = Web(settings.timeout, settings.ca_file)
        self._token = ""
        self._until = 0.0
        self._used = False  # whether a token that may be stale was handed out

    def __call__(self) -> str:
        """A token that holds for a while yet."""
        if self._token and self._clock() < self._until:
            self._used = True
            return self._token
        self._token = ""
        if self._provider.who == PERSON:
            with oauth_store.alone(self._settings):
                refresh = oauth_store.load(self._settings, self._provider)
                document = self._asked({"grant_type": "refresh_token", "refresh_token": refresh})
                renewed = document.get("refresh_token")
                if isinstance(renewed, str) and renewed and renewed != refresh:
                    oauth_store.save(self._settings, self._provider, renewed)
        else:
            document = self._asked({"grant_type": "client_credentials"})
        self._keep(document)
        return self._token

    def renew(self) -> bool:
        """The server refused the token: whether asking for a new one can help (not if it was new)."""
        if not self._used:
            return False
        self._token, self._used = "", False
        return True

    def advice(self) -> str:
        """What to grant, when the mail server refuses a token that is fresh."""
        return oauth_errors.grants(self._settings, self._provider, self._token)

    def _asked(self, grant: Mapping[str, str]) -> Mapping[str, object]:
        form = dict(grant)
        if self._provider.scope:
            form["scope"] = self._provider.scope
        if self._settings.oauth_key_file:
            form |= oauth_jwt.form(self._settings, self._provider, self._clock())
        if "assertion" not in form:
            form |= identity(self._settings)
        try:
            return token_answer(self._settings, self._provider, self._web, form)
        finally:
            self._web.close()  # the next token is an hour away

    def _keep(self, document: Mapping[str, object]) -> None:
        seconds = document.get("expires_in")
        if isinstance(seconds, str) and seconds.isascii() and seconds.isdigit():
            seconds = int(seconds[:9])  # some providers quote the number
        if not isinstance(seconds, int | float) or isinstance(seconds, bool) or not 0 < seconds < 10**9:
            seconds = _USUAL
        self._token = str(document["access_token"])
        # A token that lives shorter than the margin is used for half its life rather than never.
        self._until = self._clock() + max(seconds - _EARLY, seconds / 2)
        self._used = False
        _LOG.info("token.granted mailbox=%s provider=%s seconds=%d", self._settings.name, self._provider.name, seconds)


def identity(settings: MailboxSettings) -> dict[str, str]:
    """Who asks (RFC 6749 section 2.3.1): the application's id and, if it has one, its secret."""
    said = {"client_id": settings.oauth_client_id}
    if not settings.oauth_key_file and (secret := client_secret(settings)):
        said["client_secret"] = secret
    return said


def token_answer(settings: MailboxSettings, asked: Provider, web: Web, form: Mapping[str, str]) -> Mapping[str, object]:
    """Ask the token endpoint, and return its document, which then holds a usable token."""
    answer = web.request("POST", asked.token_url, data=dict(form))
    document = answer.document()
    if answer.status != 200 or "access_token" not in document:
        raise oauth_errors.refusal(settings, asked, answer)
    return usable(document, asked)


def usable(document: Mapping[str, object], asked: Provider) -> Mapping[str, object]:
    """Refuse a token that is none, or of a kind that we cannot use (RFC 6749 section 7.1)."""
    host = checked(asked.token_url)
    token, kind = document.get("access_token"), document.get("token_type", "Bearer")
    if not isinstance(token, str) or not token or not token.isascii() or not token.isprintable() or " " in token:
        # RFC 6750 section 2.1: a bearer token is ASCII without spaces; it is written into a SASL message.
        raise MailboxError(f"{host} gave something that is no bearer token.", "Check oauth_token_url.")
    if not isinstance(kind, str) or kind.lower() != "bearer":
        raise MailboxError(f"{host} gave a token of an unknown type.", "Only bearer tokens can be used for mail.")
    return document
