"""`make fuzz`: attack the reader at random, for ten minutes where nothing else is said.

Exits 1 where a claim did not hold; the bytes that broke it are in the folder, named by seed and number.
"""

from __future__ import annotations

import argparse
import random
import time
import warnings
from pathlib import Path

from tests.fuzz import claims, loads
from tests.fuzz.arena import LOADS, Arena, Finding, Measured, loaded
from tests.fuzz.claims import Broken
from tests.fuzz.cold import Cold

MOST = 25  # different findings after which a run ends


def main() -> int:
    """Run, or replay what was found before."""
    asked = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    asked.add_argument("--minutes", type=float, default=10.0, help="how long (10)")
    asked.add_argument("--seed", type=int, default=random.randrange(2**32), help="the same seed tries the same cases")
    asked.add_argument("--folder", type=Path, default=Path(".fuzz"), help="where bytes are kept that broke a claim")
    asked.add_argument("--replay", type=Path, nargs="+", metavar="FILE", help="try these files alone")
    options = asked.parse_args()
    warnings.simplefilter("ignore")
    if options.replay:
        return _replay(options.replay)
    return _run(options.seed, options.minutes, options.folder)


def _run(seed: int, minutes: float, folder: Path) -> int:
    print(f"seed {seed}, {minutes:g} minutes", flush=True)
    arena = Arena(seed, time.monotonic() + 60 * minutes)
    kept: dict[str, int] = {}
    for finding in arena.findings():
        kept[finding.claim] = kept.get(finding.claim, 0) + 1
        if kept[finding.claim] <= 5:
            _keep(finding, seed, folder)
        if len(kept) >= MOST or sum(kept.values()) > 500:
            break
    for claim, times in kept.items():
        print(f"{times:>6}  {claim}")
    print(f"{arena.now()[0]:,} cases, {sum(kept.values())} of them break a claim")
    return 1 if kept else 0


def _keep(finding: Finding, seed: int, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{seed}-{finding.number}.bin"
    path.write_bytes(finding.raw)
    print(f"\n{finding.detail}\n  again: python -m tests.fuzz --replay {path}", flush=True)


def _replay(paths: list[Path]) -> int:
    cold = Cold()
    failed = 0
    for path in paths:
        raw = path.read_bytes()
        try:
            if raw.startswith(LOADS):
                loads.check(loaded(raw))
            else:
                with Measured():
                    claims.check(raw, raw, "json" if raw.lstrip()[:1] in (b"{", b"[") else "xml", cold)
            print(f"{path}: every claim holds")
        except Broken as broken:
            failed += 1
            print(f"{path}: {broken}")
    cold.close()
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
