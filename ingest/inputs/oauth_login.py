"""How a person consents, once: by device code where the provider has it, else by the browser."""

from __future__ import annotations

from collections.abc import Callable

from ingest.errors import MailboxError, UsageError
from ingest.inputs import oauth_browser, oauth_device, oauth_store
from ingest.inputs.oauth_device import Prompt, Waiting
from ingest.inputs.oauth_provider import SERVICE, Provider, provider
from ingest.inputs.web import Web
from ingest.settings import MailboxSettings


def wants_person(settings: MailboxSettings) -> bool:
    """Whether somebody must have run 'whosends login' before this mailbox can be read."""
    return settings.auth == "oauth2" and provider(settings).who != SERVICE


def log_in(
    settings: MailboxSettings,
    tell: Callable[[Prompt], None],
    paste: Callable[[], str] | None = None,
    waiting: Waiting | None = None,
) -> None:
    """Get a person's consent and keep the refresh token. `paste` asks for the address a browser ended at."""
    asked = _person(settings)
    oauth_store.path_of(settings)
    web = Web(settings.timeout, settings.ca_file)
    try:
        if asked.device_url and paste is None:
            document = oauth_device.log_in(settings, asked, web, tell, waiting or Waiting())
        elif asked.authorize_url:
            document = oauth_browser.log_in(settings, asked, web, lambda address: tell(Prompt(address, "", 0)), paste)
        else:
            raise UsageError("There is no address to paste with a device code.", "Leave --paste out.")
    finally:
        web.close()
    refresh = document.get("refresh_token")
    if not isinstance(refresh, str) or not refresh:
        raise MailboxError(
            "The provider gave a token that cannot be renewed (no refresh_token).",
            "Add offline_access to oauth_scope, or allow offline access where the application is registered.",
        )
    with oauth_store.alone(settings):
        oauth_store.save(settings, asked, refresh)


def _person(settings: MailboxSettings) -> Provider:
    if settings.auth != "oauth2":
        raise UsageError(
            f"Mailbox {settings.name!r} logs in with a password.", "Set auth = oauth2 and oauth_provider first."
        )
    asked = provider(settings)
    if asked.who == SERVICE:
        raise UsageError(
            f"Mailbox {settings.name!r} has its own secret or key, so nobody needs to log in.",
            "Run: whosends doctor",
        )
    return asked
