"""parsedmarc, offline: reports are parsed and forgotten, first with its cache of addresses cold, then warm."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path

from parsedmarc import parse_report_file  # type: ignore[import-untyped]

from benchmarks.measure import Clock, Peak, tell


def main(folder: Path) -> None:
    """Parse everything twice."""
    files = sorted(folder.iterdir())
    passes: list[dict[str, float]] = []
    peak = Peak()
    records = 0
    for _ in range(2):
        clock = Clock()
        for file in files:
            parsed = parse_report_file(str(file), offline=True)
            records += len(parsed["report"]["records"])
            del parsed
        passes.append(asdict(clock.read()))
    tell(cold=passes[0], warm=passes[1], memory=peak.read(), records=records // 2)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
