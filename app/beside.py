"""Work that takes long, in a process of its own: whoever is told to end need not wait for it.

For work that only reads the warehouse, and keeps what it finds: it can be broken off anywhere.
"""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import Final

from warehouse.workers import context, end_with_parent

LOOK: Final = 0.1  # seconds between looks whether it is over
GRACE: Final = 2.0  # seconds to end in


def beside(over: Callable[[], bool], work: Callable[..., object], *given: object) -> bool:
    """Do `work`, a function of a module, with what is `given`, until it is done or `over`; whether it was done.

    Its result is not handed back, nor is what it raises: that counts as not done.
    """
    if over():
        return False
    process = context().Process(target=_work, args=(work, given), daemon=True)
    process.start()
    try:
        while process.is_alive() and not over():
            process.join(LOOK)
        done = process.exitcode == 0
    finally:
        if process.is_alive():
            process.terminate()
            process.join(GRACE)
        if process.is_alive():
            process.kill()
            process.join()
        process.close()
    return done


def _work(work: Callable[..., object], given: tuple[object, ...]) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    end_with_parent()
    work(*given)
