"""Transfer encodings as they are found: base64 and quoted-printable (RFC 2045), uuencode. Never raises."""

from __future__ import annotations

import binascii
import io
import re

_NOT_BASE64 = bytes(byte for byte in range(256) if not re.match(rb"[A-Za-z0-9+/]", bytes([byte])))
_PADDING = re.compile(rb"=+")
_PADDINGS = 1000  # beyond it, padding is noise and not the end of a piece
_UU_BEGIN = re.compile(rb"^begin [0-7]{3,4} [^\r\n]+\r?\n", re.MULTILINE)
_ITSELF = (b"<?", b"<f", b"\x1f\x8b")


def decoded(body: bytes, encoding: str) -> bytes:
    """A body without its Content-Transfer-Encoding; unknown ones are taken for none."""
    encoding = encoding.strip().strip("\"'").lower()
    if encoding == "base64":
        # Some declare base64 and send the thing itself.
        return body if body[:64].lstrip().startswith(_ITSELF) else base64(body)
    if encoding == "quoted-printable":
        return binascii.a2b_qp(body)
    if encoding in ("x-uuencode", "uuencode", "x-uue", "uue"):
        return uudecoded(body) or body
    return body


def base64(text: bytes) -> bytes:
    """Blank lines, foreign characters, missing or wrong padding, pieces that were joined after encoding."""
    end = text.find(b"=")
    if end < 0 or not text[end:].strip(b"=\r\n\t "):
        try:
            return binascii.a2b_base64(text)
        except binascii.Error:
            pass
    if text.count(b"=") > _PADDINGS:
        return _base64_piece(text)
    return b"".join(_base64_piece(piece) for piece in _PADDING.split(text))


def _base64_piece(text: bytes) -> bytes:
    letters = text.translate(None, _NOT_BASE64)
    if len(letters) % 4 == 1:
        letters = letters[:-1]  # six bits are no byte
    return binascii.a2b_base64(letters + b"=" * (-len(letters) % 4))


def uudecoded(text: bytes) -> bytes:
    """The first uuencoded file in a text, b"" where there is none."""
    begin = _UU_BEGIN.search(text)
    if begin is None:
        return b""
    out = bytearray()
    for line in io.BytesIO(text[begin.end() :]):
        if line.rstrip() in (b"end", b"`", b""):
            break
        try:
            out += binascii.a2b_uu(line.rstrip(b"\r\n"))
        except binascii.Error:
            piece = _uu_trimmed(line)
            if piece is None:
                return b""
            out += piece
    return bytes(out)


def _uu_trimmed(line: bytes) -> bytes | None:
    """Old encoders leave garbage at the end of a line; its first character says how much of it counts."""
    try:
        return binascii.a2b_uu(line[: 1 + ((line[0] - 32 & 63) * 4 + 5) // 3])
    except binascii.Error:
        return None
