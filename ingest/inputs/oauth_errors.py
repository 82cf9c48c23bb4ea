"""What a provider's refusal means, and what to grant. No token and no secret is ever repeated.

RFC 6749 section 5.2 has six codes; Microsoft says more in numbers (AADSTS…), Google in words.
"""

from __future__ import annotations

import base64
import json
import re
from typing import Any

from ingest.errors import MailboxError, MailboxUnreachable
from ingest.inputs.imap_errors import told
from ingest.inputs.oauth_provider import PERSON, SERVICE, Provider
from ingest.inputs.web import Answer, checked
from ingest.settings import MailboxSettings

# RFC 6749 section 4.1.2.1 names these two for the authorization endpoint; token endpoints use them too.
_PASSES = ("temporarily_unavailable", "server_error", "internal_failure", "slow_down")
_AADSTS = re.compile(r"AADSTS(\d{5,7})")
_SECRET = re.compile(r"[A-Za-z0-9_~./+=-]{24,}")  # what might be a token or a secret in a sentence

_MICROSOFT = {
    "65001": (
        "nobody has consented to the application",
        "Grant admin consent under API permissions, or run 'whosends login {name}'.",
    ),
    "90002": ("there is no such tenant", "Check oauth_tenant."),
    "900023": ("there is no such tenant", "Check oauth_tenant."),
    "700016": ("the tenant does not know the application", "Check oauth_client_id and oauth_tenant."),
    "7000215": (
        "the client secret is wrong",
        "Use the secret's value, not its id; make a new one under Certificates & secrets.",
    ),
    "7000222": ("the client secret has expired", "Make a new one under Certificates & secrets."),
    "7000218": (
        "the application is not allowed to log in without a secret",
        "Switch on 'Allow public client flows' under Authentication, or set oauth_client_secret_file.",
    ),
    "700027": (
        "the certificate is not the one that the application knows",
        "Upload the certificate of oauth_key_file under Certificates & secrets.",
    ),
    "700082": ("the consent has expired because it was not used", "Run 'whosends login {name}'."),
    "50173": ("the consent was revoked, for example by a new password", "Run 'whosends login {name}'."),
    "50076": ("a second factor is asked for", "Run 'whosends login {name}'."),
    "50079": ("a second factor must be set up first", "Set it up, then run 'whosends login {name}'."),
    "53003": ("a Conditional Access policy forbids it", "Exempt this application or this machine from the policy."),
    "50105": ("the user is not assigned to the application", "Assign the user under Enterprise applications."),
    "70011": ("the scope is not valid", "Leave oauth_scope empty."),
    "1002012": ("the scope is not valid", "Leave oauth_scope empty."),
}

_CODES = {
    "invalid_client": (
        "does not accept the application's id, secret or key",
        "Check oauth_client_id and oauth_client_secret_file or oauth_key_file.",
    ),
    "unauthorized_client": (
        "does not allow the application this kind of login",
        "Allow it where the application is registered; a service account needs domain-wide delegation.",
    ),
    "invalid_scope": ("does not know the scope or does not grant it", "Leave oauth_scope empty, or correct it."),
    "unsupported_grant_type": ("does not support this kind of login", "Check oauth_provider and oauth_token_url."),
    "access_denied": ("was told no: the consent was refused", "Run 'whosends login {name}' and accept."),
    "expired_token": ("waited, but nobody entered the code", "Run 'whosends login {name}' again."),
    "admin_policy_enforced": (
        "is not allowed to by the Workspace's administrator",
        "Let the administrator trust the application under API controls.",
    ),
    "org_internal": ("keeps the application to its own organisation", "Use an account of that organisation."),
}


def refusal(settings: MailboxSettings, provider: Provider, answer: Answer) -> MailboxError:
    """The error for an answer that brought no token."""
    host = checked(provider.token_url)
    document = answer.document()
    code = document.get("error")
    code = code if isinstance(code, str) else ""
    if answer.status >= 500 or answer.status in (408, 429) or code in _PASSES:
        return _later(host, answer, code)
    described = str(document.get("error_description") or "")
    if (number := _AADSTS.search(described)) and number[1] in _MICROSOFT:
        meaning, hint = _MICROSOFT[number[1]]
        return MailboxError(
            f"Microsoft gives no token: {meaning} (AADSTS{number[1]}).", hint.format(name=settings.name)
        )
    if code == "invalid_grant":
        return _invalid_grant(settings, provider, host, described)
    if code in _CODES:
        meaning, hint = _CODES[code]
        return MailboxError(f"{host} {meaning} ({code}{_quoted(described)}).", hint.format(name=settings.name))
    said = code or f"HTTP {answer.status}"
    return MailboxError(f"{host} gave no token: {told(said)}{_quoted(described)}.", "Check the oauth settings.")


def _later(host: str, answer: Answer, code: str) -> MailboxUnreachable:
    error = MailboxUnreachable(
        f"{host} gives no token now ({told(code) if code else f'HTTP {answer.status}'}).", "Trying again can help."
    )
    error.wait_seconds = answer.wait_seconds
    return error


def _invalid_grant(settings: MailboxSettings, provider: Provider, host: str, described: str) -> MailboxError:
    if provider.who == SERVICE:
        hint = "Check oauth_client_id, oauth_key_file, user, and the clock of this machine."
        if provider.name == "google":
            hint = "Check user, the clock, and that the service account has domain-wide delegation for the scope."
        return MailboxError(f"{host} does not accept what the key asserts (invalid_grant{_quoted(described)}).", hint)
    hint = f"Run: whosends login {settings.name}"
    if provider.name == "google":
        hint += " (an application in Google's state 'Testing' loses its consent every 7 days; publish it)"
    return MailboxError(
        f"The consent for mailbox {settings.name!r} has expired or was revoked (invalid_grant{_quoted(described)}).",
        hint,
    )


def _quoted(described: str) -> str:
    """What the provider said, first line only, and nothing in it that looks like a secret."""
    line = described.strip().split("\n", 1)[0].strip()
    return f": {told(_SECRET.sub('…', line))}" if line else ""


def grants(settings: MailboxSettings, provider: Provider, token: str) -> str:
    """What to do when the mail server refuses a token that the provider gave."""
    claims = _claims(token)
    if wrong := _wrong_audience(settings, claims):
        return wrong
    if provider.name == "microsoft" and settings.kind == "imap":
        return _exchange(settings, provider, claims)
    if provider.name == "google":
        if provider.who == SERVICE:
            return "Let the service account impersonate user (domain-wide delegation), and allow IMAP for the user."
        return f"Check that {settings.user!r} is who logged in, and that IMAP is switched on for the account."
    return f"Check that {settings.user!r} is who logged in, and the scope."


def _exchange(settings: MailboxSettings, provider: Provider, claims: dict[str, Any]) -> str:
    imap_on = "switch IMAP on for the mailbox (Set-CASMailbox -ImapEnabled $true)"
    if provider.who == PERSON:
        return f"Log in as {settings.user!r} or as somebody with full access to it, and {imap_on}."
    roles = claims.get("roles")
    if claims and "IMAP.AccessAsApp" not in (roles if isinstance(roles, list) else []):
        return (
            "The token lacks the role IMAP.AccessAsApp: add it under API permissions (Office 365 Exchange Online,"
            " application permissions) and grant admin consent."
        )
    return (
        "The role is there; now register the application in Exchange (New-ServicePrincipal with the object id of"
        " the enterprise application), give it the mailbox (Add-MailboxPermission -AccessRights FullAccess),"
        f" and {imap_on}."
    )


def _wrong_audience(settings: MailboxSettings, claims: dict[str, Any]) -> str:
    audience = claims.get("aud")
    if not isinstance(audience, str) or settings.kind != "imap":
        return ""
    if audience.rstrip("/") in ("https://graph.microsoft.com", "00000003-0000-0000-c000-000000000000"):
        return (
            "The token is for Microsoft Graph, not for IMAP: leave oauth_scope empty, or ask for"
            " https://outlook.office365.com/.default; or set kind = graph."
        )
    return ""


def _claims(token: str) -> dict[str, Any]:
    """What a JWT (RFC 7519) says of itself, unverified: for a hint only. Most tokens are no JWT."""
    parts = token.split(".")
    if len(parts) != 3:
        return {}
    try:
        found = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
