"""What is shown to the mail server at a login: a password, or an OAuth2 token."""

from __future__ import annotations

from typing import Protocol

from ingest.errors import MailboxError
from ingest.inputs.imap_errors import LoginRefused
from ingest.inputs.password import password
from ingest.settings import MailboxSettings


class Login(Protocol):
    """Where the secret of a mailbox comes from."""

    def secret(self) -> str:
        """The password or a token that is valid now."""

    def renew(self) -> bool:
        """The server refused it: whether another one can be had."""

    def explained(self, error: LoginRefused) -> MailboxError:
        """The refusal, with what to do about it."""


class PasswordLogin:
    """A password is asked for at each login, so a changed one is found."""

    def __init__(self, settings: MailboxSettings) -> None:
        self._settings = settings

    def secret(self) -> str:
        """The password."""
        return password(self._settings)

    def renew(self) -> bool:
        """The same password again would be refused again."""
        return False

    def explained(self, error: LoginRefused) -> MailboxError:
        """As it is."""
        return error


class TokenLogin:
    """A token, renewed before it expires, and once more where the server does not take it."""

    def __init__(self, settings: MailboxSettings) -> None:
        from ingest.inputs.oauth import TokenSource  # noqa: PLC0415 - HTTP is imported only where it is used

        self._tokens = TokenSource(settings)

    def secret(self) -> str:
        """The access token."""
        return self._tokens()

    def renew(self) -> bool:
        """Drop a token that was not fresh."""
        return self._tokens.renew()

    def explained(self, error: LoginRefused) -> MailboxError:
        """With what to grant, as far as the token tells."""
        return LoginRefused(error.message, self._tokens.advice())


def login_of(settings: MailboxSettings) -> Login:
    """The way that the settings say."""
    return TokenLogin(settings) if settings.auth == "oauth2" else PasswordLogin(settings)
