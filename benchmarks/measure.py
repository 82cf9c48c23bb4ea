"""Processor time, memory and processes: the ways in which everything here is measured.

Processor time (user and system, all threads of the process) is what counts: a busy machine stretches
the clock on the wall by far more than that. Where two things are compared they run in turn.
"""

from __future__ import annotations

import gc
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).parents[1]
MIB = 2**20
ENDINGS = (0, 1, 3)  # a command's answer: all well, something found, nothing to tell by


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds of processor and of wall clock."""

    cpu: float
    wall: float


class Clock:
    """Runs since it was made."""

    def __init__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def read(self) -> Cost:
        """What has passed."""
        return Cost(time.process_time() - self._cpu, time.perf_counter() - self._wall)


def timed(work: Callable[[], Any], times: int = 1) -> list[Cost]:
    """The cost of each of several runs in this process."""
    costs = []
    for _ in range(times):
        clock = Clock()
        work()
        costs.append(clock.read())
    return costs


def cheapest(costs: Sequence[Cost]) -> Cost:
    """The run that took least processor time."""
    return min(costs, key=lambda cost: cost.cpu)


def spread(values: Sequence[float], form: str = "{:.1f}") -> str:
    """Some values as "median (least to most)"."""
    text = form.format(median(values))
    return text if len(values) == 1 else f"{text} ({form.format(min(values))} to {form.format(max(values))})"


# -- memory ---------------------------------------------------------------------------------------


class Peak:
    """The most memory this process held since here, in MiB above what it held then."""

    def __init__(self) -> None:
        gc.collect()
        # Where this is not Linux, or not allowed, the peak of the whole life is shown instead.
        with suppress(OSError):
            Path("/proc/self/clear_refs").write_text("5")
        self._idle = _status("VmRSS")

    def read(self) -> float:
        """MiB above the start."""
        return max(0.0, _status("VmHWM") - self._idle)


def _status(name: str) -> float:
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(f"{name}:"))


# -- processes ------------------------------------------------------------------------------------


def child(module: str, *arguments: object, within: float | None = None) -> dict[str, Any]:
    """Run `python -m benchmarks.<module>` in a process of its own; what it prints last is JSON.

    Raises subprocess.TimeoutExpired after `within` seconds.
    """
    command = [sys.executable, "-m", f"benchmarks.{module}", *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True, timeout=within)
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def command_cost(command: Sequence[str | Path]) -> Cost:
    """What a command costs from its start to its end, with the bytecode that it finds wherever it ran before."""
    unsaid = ("PYTHONDONTWRITEBYTECODE",)
    environ = {name: value for name, value in os.environ.items() if name not in unsaid}  # noqa: TID251 - of the command
    started = time.perf_counter()
    process = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)  # already waited for
    assert process.returncode in ENDINGS, f"{command} ended with {process.returncode}"
    return Cost(used.ru_utime + used.ru_stime, time.perf_counter() - started)


def tell(**answer: object) -> None:
    """Print a child's answer."""
    print(json.dumps(answer))
