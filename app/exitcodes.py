"""What the program ends with, so that a script can act on it without reading text.

Anything but 0 means: do not go on. Unknown is never 0, because too little data proves nothing.
"""

from __future__ import annotations

from typing import Final

OK: Final = 0
FOUND: Final = 1
USAGE: Final = 2
UNKNOWN: Final = 3
FAILED: Final = 4
AGAIN: Final = 75  # EX_TEMPFAIL of sysexits.h, which mail programs know
INTERRUPTED: Final = 130  # 128 + SIGINT, as shells say it
CLOSED: Final = 141  # 128 + SIGPIPE, as shells say it

MEANING: Final = {
    OK: "Fine: nothing found, everything settled, or go.",
    FOUND: "Found something: drift, undecided sources, refused messages, or stop.",
    USAGE: "The command line, the configuration or a query cannot be used as given.",
    UNKNOWN: "Too little or too old data to tell.",
    FAILED: "It did not work, and trying again will not help.",
    AGAIN: "It did not work this time (busy, unreachable); try again later.",
    INTERRUPTED: "Stopped from the keyboard.",
    CLOSED: "The reader of the output went away.",
}

VERDICTS: Final = {"go": OK, "stop": FOUND, "unknown": UNKNOWN}
