"""A weekly summary in its forms, and a manifest of hashes that makes the files evidence."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Final

from analysis.weekly import WeeklySummary
from app.commands.drift import document as drift_document
from app.config import Config
from app.exports import weekly_chart, weekly_csv, weekly_html, weekly_mail, weekly_markdown, weekly_parquet, weekly_pdf
from app.render import SCHEMA_VERSION, plain, to_json
from warehouse.connect import Warehouse

FORMATS: Final = ("md", "html", "csv", "json", "parquet", "pdf", "eml")
BINARY: Final = ("parquet", "pdf", "eml")
NOBODY: Final = "undisclosed-recipients:;"  # RFC 5322 section 3.4: a group without members


@dataclass(frozen=True, slots=True)
class Bundle:
    """A summary with what its forms are made from. `known_at` is naive UTC, None for now."""

    summary: WeeklySummary
    warehouse: Warehouse
    config: Config
    known_at: datetime | None = None

    def render(self, form: str) -> bytes:
        """The summary in one of FORMATS."""
        summary, said = self.summary, self.config.report
        sender = self.config.smtp.sender or "whosends <whosends@localhost>"
        makers: dict[str, Callable[[], str | bytes]] = {
            "md": lambda: weekly_markdown.render(summary, said),
            "html": lambda: weekly_html.render(summary, said),
            "csv": lambda: weekly_csv.render(summary),
            "json": lambda: to_json(self._document()) + "\n",
            "parquet": lambda: weekly_parquet.render(summary),
            "pdf": lambda: weekly_pdf.render(summary, said, self.picture()),
            "eml": lambda: weekly_mail.mail(summary, said, self.picture(), sender, NOBODY).as_bytes(),
        }
        made = makers[form]()
        return made.encode() if isinstance(made, str) else made

    def picture(self) -> bytes | None:
        """The chart as PNG, where it can be drawn."""
        return weekly_chart.png(self.warehouse, self.summary, self.config.analysis)

    def write(self, folder: Path, forms: Sequence[str]) -> list[Path]:
        """Write files and their manifest into a folder; the manifest, the last, tells of other forms there too."""
        folder.mkdir(parents=True, exist_ok=True)
        name = f"whosends-{self.summary.week}"
        files, hashes = [], {}
        for form in forms:
            content = self.render(form)
            files.append(folder / f"{name}.{form}")
            files[-1].write_bytes(content)
            hashes[files[-1].name] = _said(content)
        files.append(folder / f"{name}.manifest.json")
        manifest = self._manifest(hashes)
        manifest["files"] = {**_still_true(files[-1], manifest), **hashes}
        files[-1].write_text(to_json(manifest) + "\n", encoding="utf-8")
        return files

    def _manifest(self, hashes: dict[str, dict[str, object]]) -> dict[str, object]:
        summary = self.summary
        return {
            "schema_version": SCHEMA_VERSION,
            "week": summary.week,
            "domains": [one.domain for one in summary.domains],
            "verdict": summary.verdict,
            "known_at": self.known_at,
            "reports": summary.reports,
            "version": version("whosends"),
            "files": hashes,
        }

    def _document(self) -> dict[str, object]:
        summary = self.summary
        drifts = [drift_document(one) for one in summary.drifts]
        known = {"known_at": self.known_at} if self.known_at else {}
        return {"schema_version": SCHEMA_VERSION, **plain(summary), "drifts": drifts, **known}


def _still_true(path: Path, manifest: dict[str, object]) -> dict[str, object]:
    """What an earlier manifest in that place says of other forms of the same week, where the files still are so."""
    try:
        before = json.loads(path.read_text("utf-8"))
        if {**before, "files": {}} != {**json.loads(to_json(manifest)), "files": {}}:
            return {}
        names = {f"{path.name.removesuffix('manifest.json')}{form}" for form in FORMATS} & set(before["files"])
        read = {name: path.with_name(name).read_bytes() for name in sorted(names) if path.with_name(name).is_file()}
        return {
            name: before["files"][name] for name, content in read.items() if before["files"][name] == _said(content)
        }
    except (OSError, ValueError, TypeError, KeyError):
        return {}  # none, or nothing that was written here


def _said(content: bytes) -> dict[str, object]:
    return {"sha256": sha256(content).hexdigest(), "bytes": len(content)}
