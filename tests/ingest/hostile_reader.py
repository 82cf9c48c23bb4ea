"""Reads each attack in a forked process and prints what it cost: `python -m tests.ingest.hostile_reader [name]`.

Forked, because a process that was started anew would be measured while it imports.
"""

from __future__ import annotations

import gc
import json
import os
import resource
import signal
import sys
import time

from ingest.inputs.base import Message
from ingest.reading import Reading, read
from ingest.settings import UnpackLimits
from tests.ingest import wrap
from tests.ingest.hostile import ATTACKS, REPORT

_ADDRESS_SPACE = 4 * 2**30
_TIMEOUT = 60


def main(names: list[str]) -> None:
    # Whatever is loaded or built at first use.
    read(Message(raw=wrap.common_mail(REPORT), origin="a.eml", size=1), UnpackLimits())
    for name in names or ATTACKS:
        sys.stdout.write(json.dumps(_measured(name)) + "\n")
        sys.stdout.flush()


def _measured(name: str) -> dict[str, object]:
    back, forth = os.pipe()
    child = os.fork()
    if not child:
        os.close(back)
        resource.setrlimit(resource.RLIMIT_AS, (_ADDRESS_SPACE, _ADDRESS_SPACE))
        signal.alarm(_TIMEOUT)
        os.write(forth, json.dumps(_read(name)).encode())
        os._exit(0)
    os.close(forth)
    with os.fdopen(back, "rb") as answer:
        text = answer.read()
    _, status = os.waitpid(child, 0)
    if not text:
        return {"name": name, "crash": status, "ended": "", "seconds": 1e9, "mebibytes": 1e9}
    found: dict[str, object] = json.loads(text)
    return found


def _read(name: str) -> dict[str, object]:
    raw = ATTACKS[name][0]()
    message = Message(raw=raw, origin="attack", size=len(raw))
    gc.collect()
    _reset_peak()
    before = _status("VmRSS")
    start = time.process_time()
    reading = read(message, UnpackLimits())
    seconds = time.process_time() - start
    return {
        "name": name,
        "crash": None,
        "ended": _ended(reading),
        "sentence": " ".join(refusal.sentence for refusal in reading.refusals) or reading.sentence,
        "seconds": round(seconds, 3),
        "mebibytes": round((_status("VmHWM") - before) / 1024, 1),
    }


def _ended(reading: Reading) -> str:
    """As warehouse/settle.py will put it: the first refusal decides."""
    if reading.refusals:
        return str(reading.refusals[0].reason)
    return "stored" if reading.is_report else "not_a_report"


def _reset_peak() -> None:
    # Building the attack may have taken more than reading it does.
    with open("/proc/self/clear_refs", "w", encoding="ascii") as control:  # noqa: PTH123 - no file but a switch
        control.write("5")


def _status(field: str) -> int:
    with open("/proc/self/status", encoding="ascii") as lines:  # noqa: PTH123 - no file but a window
        return next(int(line.split()[1]) for line in lines if line.startswith(field))


if __name__ == "__main__":
    main(sys.argv[1:])
