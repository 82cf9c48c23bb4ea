"""Signed assertions instead of secrets (RFC 7523): Microsoft by certificate, Google by service account."""

from __future__ import annotations

import base64
import json
import re
import secrets
from pathlib import Path
from typing import Any

from ingest.errors import MailboxError
from ingest.inputs.oauth_provider import Provider
from ingest.inputs.secret_file import whole
from ingest.settings import MailboxSettings

_SECONDS = 300  # an assertion is used at once
_PEM = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


def form(settings: MailboxSettings, provider: Provider, now: float) -> dict[str, str]:
    """What the key adds to a token request."""
    text = whole(Path(settings.oauth_key_file), settings.secrets_folders, "key")
    if provider.name == "google":
        return _google(settings, provider, text, int(now))
    claims = {
        "aud": provider.token_url,
        "iss": settings.oauth_client_id,
        "sub": settings.oauth_client_id,
        "jti": secrets.token_hex(16),
        "nbf": int(now) - 60,
        "exp": int(now) + _SECONDS,
    }
    return {
        # RFC 7523 section 2.2.
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": _signed({"x5t#S256": _thumbprint(settings, text)}, claims, text, settings),
    }


def _google(settings: MailboxSettings, provider: Provider, text: str, now: int) -> dict[str, str]:
    try:
        account = json.loads(text)
        issuer, key = str(account["client_email"]), str(account["private_key"])
    except (ValueError, KeyError, TypeError, RecursionError):
        # Without `from`: the exception may carry the key.
        raise _unusable(settings, "It must be the JSON key of a service account.") from None
    claims = {
        "iss": issuer,
        "sub": settings.user,
        "scope": provider.scope,
        "aud": provider.token_url,
        "iat": now - 60,
        "exp": now + _SECONDS,
    }
    # RFC 7523 section 2.1.
    grant = "urn:ietf:params:oauth:grant-type:jwt-bearer"
    return {"grant_type": grant, "assertion": _signed({}, claims, key, settings)}


def _signed(header: dict[str, str], claims: dict[str, Any], pem: str, settings: MailboxSettings) -> str:
    """A JWT (RFC 7519) with RS256 (RFC 7518 section 3.3)."""
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415 - slow to import, and rarely needed
    from cryptography.hazmat.primitives import hashes, serialization  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import padding, rsa  # noqa: PLC0415

    try:
        key = serialization.load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise _unusable(settings, "It must hold a private RSA key in PEM, without a passphrase.") from None
    if not isinstance(key, rsa.RSAPrivateKey):
        raise _unusable(settings, "Its private key must be RSA.")
    parts = ({"alg": "RS256", "typ": "JWT", **header}, claims)
    text = ".".join(_base64(json.dumps(part, separators=(",", ":")).encode()) for part in parts)
    return f"{text}.{_base64(key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256()))}"


def _thumbprint(settings: MailboxSettings, text: str) -> str:
    from cryptography import x509  # noqa: PLC0415 - slow to import, and rarely needed
    from cryptography.hazmat.primitives import hashes  # noqa: PLC0415

    found = _PEM.search(text)
    if not found:
        raise _unusable(settings, "It must hold the certificate too, in PEM, after the private key.")
    try:
        return _base64(x509.load_pem_x509_certificate(found[0].encode()).fingerprint(hashes.SHA256()))
    except ValueError:
        raise _unusable(settings, "Its certificate cannot be read.") from None


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _unusable(settings: MailboxSettings, hint: str) -> MailboxError:
    return MailboxError(f"The key file {settings.oauth_key_file!r} cannot be used.", hint)
