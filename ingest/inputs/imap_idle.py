"""IDLE (RFC 2177): the server tells of new mail by itself, until we say DONE.

The fine print that makes other watchers go deaf: news may come before the server's `+`, news may
sit in a buffer where no poll sees it, and a dead connection may look like silence. So whoever
waits here looks into the folder afterwards, whatever ended the wait.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from ingest.inputs.imap_errors import Refused, told

_SLICE = 1.0  # seconds in which the end of a watch is noticed


def idle(client: Any, where: str, seconds: float, stop: threading.Event, clock: Callable[[], float]) -> None:
    """Return when the server has news, when time is up, when `stop` is set, or in doubt."""
    if not _begin(client, where):
        _wait(client, seconds, stop, clock)
    client.idle_done()


def _begin(client: Any, where: str) -> bool:
    """Enter IDLE; true when news came before the `+`, which imapclient would take for an error."""
    imap = client._imap
    tag = imap._command("IDLE")
    early = False
    while imap._get_response() is not None:
        if imap.tagged_commands[tag]:
            _, data = imap.tagged_commands.pop(tag)
            raise Refused(f"{where} refused to idle: {told(data[0])}.")
        early = True
    client._idle_tag = tag
    return early


def _wait(client: Any, seconds: float, stop: threading.Event, clock: Callable[[], float]) -> None:
    until = clock() + seconds
    while not stop.is_set() and (left := until - clock()) > 0:
        if _buffered(client):
            return
        began = clock()
        slice_ = min(left, _SLICE)
        responses = client.idle_check(timeout=slice_)
        if any(b"EXISTS" in response for response in responses):
            return
        if not responses and clock() - began < slice_ / 2:
            # Readable, yet nothing to read: half a line, or the end of the connection, which
            # imapclient hides. DONE will tell which.
            return


def _buffered(client: Any) -> bool:
    """Whether lines wait in imaplib's buffer, where no poll of the socket can see them."""
    readbuf = getattr(client._imap, "_readbuf", None)  # Python 3.14 and later
    if readbuf is not None:
        return any(readbuf)
    sock = client.socket()
    timeout = sock.gettimeout()
    sock.setblocking(False)
    try:
        return bool(client._imap.file.peek(1))
    except OSError:
        return False
    finally:
        sock.settimeout(timeout)
