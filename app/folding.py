"""The header fields of our mails: a subject is text and never code, and no first line of a field is empty.

Two habits of Python's `email` are in the way. It decodes encoded words (RFC 2047) in what it is given as a subject:
text from a report such as `=?utf-8?q?a=0D=0ABcc=3A_eve=40x?=` would become a header field of its own. And where a value
of 70 to 77 characters fits on a line alone, the line that begins with `Subject:` stays empty; RFC 5322 section 2.2.3
allows it, but filters hold it against a mail, and many a program then shows a subject that begins with a blank.
"""

from __future__ import annotations

from email.header import Header
from email.policy import EmailPolicy
from typing import Any, Final

from app.render import clean

WIDTH: Final = 78  # RFC 5322 section 2.1.1


class Folding(EmailPolicy):
    """The SMTP policy of `email`, but for subjects: what is set is what is read, and what is sent."""

    def header_store_parse(self, name: str, value: Any) -> tuple[str, Any]:  # noqa: D102 - as in EmailPolicy
        return (name, clean(value).strip()) if _is_subject(name) else super().header_store_parse(name, value)

    def header_fetch_parse(self, name: str, value: Any) -> Any:  # noqa: D102 - as in EmailPolicy
        return value if _is_subject(name) else super().header_fetch_parse(name, value)

    def fold(self, name: str, value: Any) -> str:  # noqa: D102 - as in EmailPolicy
        if not _is_subject(name):
            return str(super().fold(name, value))
        plain = value.isascii() and "=?" not in value and "  " not in value
        if not plain:  # all of it as encoded words, so that blanks between words and code in them stay what they are
            value = Header(value, "utf-8", WIDTH - 2, name).encode().replace("\n", "")
        return self.linesep.join(_lines(f"{name}:", value.split(" "))) + self.linesep

    def fold_binary(self, name: str, value: Any) -> bytes:  # noqa: D102 - as in EmailPolicy
        return self.fold(name, value).encode("ascii") if _is_subject(name) else super().fold_binary(name, value)


def _is_subject(name: str) -> bool:
    return name.lower() == "subject"


def _lines(head: str, words: list[str]) -> list[str]:
    """The words on as few lines as may be, the first of them behind the name of the field, however long it is."""
    lines = [f"{head} {words[0]}"]
    for word in words[1:]:
        if len(lines[-1]) + 1 + len(word) > WIDTH:
            lines.append("")
        lines[-1] += f" {word}"
    return lines


MAIL: Final = Folding(linesep="\r\n")
