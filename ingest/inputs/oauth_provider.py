"""Where tokens come from: the endpoints of Google, Microsoft and others, and which grant is used.

A person consents once and leaves a refresh token (RFC 6749 section 6); a service has its own
secret or key (RFC 6749 section 4.4, RFC 7523). Which of the two follows from what is set:

    google      a service account's key → JWT bearer; otherwise a person, by the browser
    microsoft   a secret or a key → client credentials; otherwise a person, by device code
    custom      a device or authorization endpoint → a person; otherwise client credentials
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ingest.errors import UsageError
from ingest.inputs.secret_file import first_line
from ingest.inputs.web import checked
from ingest.settings import MailboxSettings

PERSON, SERVICE = "person", "service"
GMAIL_API, GRAPH_API = "https://gmail.googleapis.com", "https://graph.microsoft.com"
_MICROSOFT = "https://login.microsoftonline.com/{tenant}/oauth2/v2.0/{what}"
_GOOGLE_MAIL = "https://mail.google.com/"  # IMAP takes no smaller scope


@dataclass(frozen=True, slots=True)
class Provider:
    """Everything that is needed to ask for a token, but the secret."""

    name: str
    who: str  # PERSON or SERVICE
    token_url: str
    device_url: str
    authorize_url: str
    scope: str


def provider(settings: MailboxSettings) -> Provider:
    """Complete the settings by what is known of the provider, or say what is missing."""
    makers = {"google": _google, "microsoft": _microsoft, "custom": _custom}
    if settings.oauth_provider not in makers:
        raise UsageError(
            f"Mailbox {settings.name!r} has auth = oauth2 and no oauth_provider.",
            "Set it to google, microsoft or custom.",
        )
    if not settings.oauth_client_id and not (settings.oauth_provider == "google" and settings.oauth_key_file):
        raise UsageError(
            f"Mailbox {settings.name!r} has no oauth_client_id.",
            "Register an application with the provider; docs/mailboxes.md says how.",
        )
    made = makers[settings.oauth_provider](settings)
    for url in (made.token_url, made.device_url, made.authorize_url):
        if url:
            checked(url)
    return made


def acts(settings: MailboxSettings) -> bool:
    """Whether something is to be changed in the mailbox, so that reading alone is not enough."""
    return settings.after.strip().lower() != "leave"


def client_secret(settings: MailboxSettings) -> str:
    """The application's secret; empty for one that has none (a public client)."""
    if settings.oauth_client_secret:
        return settings.oauth_client_secret
    if settings.oauth_client_secret_file:
        path = Path(settings.oauth_client_secret_file)
        return first_line(path, settings.secrets_folders, "client secret")
    return ""


def _google(settings: MailboxSettings) -> Provider:
    scope = _GOOGLE_MAIL
    if settings.kind == "gmail":
        scope = f"https://www.googleapis.com/auth/gmail.{'modify' if acts(settings) else 'readonly'}"
    return Provider(
        "google",
        SERVICE if settings.oauth_key_file else PERSON,
        settings.oauth_token_url or "https://oauth2.googleapis.com/token",
        settings.oauth_device_url,  # Google gives no scope for mail to devices, so by itself there is none
        settings.oauth_authorize_url or "https://accounts.google.com/o/oauth2/v2/auth",
        settings.oauth_scope or scope,
    )


def _microsoft(settings: MailboxSettings) -> Provider:
    own = settings.oauth_key_file or settings.oauth_client_secret or settings.oauth_client_secret_file
    tenant = settings.oauth_tenant or "organizations"
    if own and tenant.lower() in ("organizations", "common", "consumers"):
        raise UsageError(
            f"Mailbox {settings.name!r}: an application with its own secret or key needs oauth_tenant.",
            "Set it to the tenant's id, which the application's overview shows.",
        )
    if not tenant.replace("-", "").replace(".", "").isalnum():
        raise UsageError(f"Mailbox {settings.name!r}: oauth_tenant {tenant!r} is no id and no domain.")
    return Provider(
        "microsoft",
        SERVICE if own else PERSON,
        settings.oauth_token_url or _MICROSOFT.format(tenant=tenant, what="token"),
        settings.oauth_device_url or _MICROSOFT.format(tenant=tenant, what="devicecode"),
        settings.oauth_authorize_url,
        settings.oauth_scope or _microsoft_scope(settings, bool(own)),
    )


def _microsoft_scope(settings: MailboxSettings, own: bool) -> str:
    api = (settings.api_url or GRAPH_API).rstrip("/")
    resource = api if settings.kind == "graph" else "https://outlook.office365.com"
    if own:
        return f"{resource}/.default"
    if settings.kind == "graph":
        return f"{resource}/Mail.{'ReadWrite' if acts(settings) else 'Read'} offline_access"
    return f"{resource}/IMAP.AccessAsUser.All offline_access"


def _custom(settings: MailboxSettings) -> Provider:
    if not settings.oauth_token_url:
        raise UsageError(f"Mailbox {settings.name!r}: a custom provider needs oauth_token_url.")
    person = settings.oauth_device_url or settings.oauth_authorize_url
    return Provider(
        "custom",
        PERSON if person else SERVICE,
        settings.oauth_token_url,
        settings.oauth_device_url,
        settings.oauth_authorize_url,
        settings.oauth_scope,
    )
