"""The root of all errors: what happened, what to do, and whether trying again can help."""

from __future__ import annotations


class Error(Exception):
    """Something a person can act on. `message` says what happened, `hint` what to do about it.

    `exit_code` is what a command ends with (app/exitcodes.py names them). Errors cross process
    borders, so they must survive pickling.
    """

    exit_code = 4

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class Transient:
    """Mixin for errors that may pass by themselves: the same call can be tried again later."""

    exit_code = 75


class UsageError(Error):
    """A person gave a path, date, domain or key that cannot be used."""

    exit_code = 2


class MailboxError(Error):
    """The mail server refused something that waiting will not change (login, folder, certificate)."""


class MailboxUnreachable(Transient, MailboxError):
    """The mail server did not answer, dropped the connection or asked us to come back.

    `wait_seconds` is how long it asked us to stay away; 0 where it did not say.
    """

    wait_seconds: float = 0.0


class MalformedReport(Error):
    """A document that claims to be a report and cannot be read as one.

    `reason` is an `ingest.outcome.Reason` value; the message is the sentence that is kept beside
    the quarantined bytes.
    """

    def __init__(self, reason: str, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.args = (reason, message, hint)
        self.reason = reason


class UnsafeArchive(MalformedReport):
    """A compressed document that breaks a limit: size, ratio, members, nesting, encryption."""
