"""Rewrite expected files from what the parser says now: `python -m tests.accept [part of a name ...]`.

For reading the difference in `git diff` before it is committed, never instead of it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tests.app.weeks import pages
from tests.ingest.reports.answers import CASES, answer
from tests.ingest.reports.mailed import KINDS, cases, mailed


def main(parts: list[str]) -> None:
    answers = {case: lambda case=case: answer(case.read_bytes()) for case in sorted(CASES.glob("*.xml"))}
    answers |= {case: lambda case=case: mailed(case) for kind in KINDS for case in cases(kind)}
    for path, text in pages().items():
        if (not parts or any(part in str(path.relative_to(CASES.parent)) for part in parts)) and (
            not path.exists() or path.read_text("utf-8") != text
        ):
            path.write_text(text, "utf-8")
            sys.stdout.write(f"{path.name}\n")
    for case, said in answers.items():
        if not parts or any(part in str(case.relative_to(CASES.parent)) for part in parts):
            path = expected_file(case)
            text = json.dumps(said(), indent=1, ensure_ascii=False) + "\n"
            if not path.exists() or path.read_text("utf-8") != text:
                path.write_text(text, "utf-8")
                sys.stdout.write(f"{path.name}\n")


def expected_file(case: Path) -> Path:
    return case.with_suffix(".expected.json")


if __name__ == "__main__":
    main(sys.argv[1:])
