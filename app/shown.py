"""Every setting with its value and where that came from, as `whosends config show` lists it."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final

from app.config import LISTS, SECTIONS, Config

LISTED_AS: Final = {name: "mailboxes" if name == "mailbox" else f"{name}s" for name in LISTS}


@dataclass(frozen=True, slots=True)
class Shown:
    """One setting as `config show` lists it; a secret's value is masked."""

    key: str
    value: object
    origin: str


def shown(config: Config) -> list[Shown]:
    """Every setting with its value and where that was set."""
    tables: list[tuple[str, object]] = [(name, getattr(config, name)) for name in SECTIONS]
    for name, entries in LISTED_AS.items():
        tables += [(f"{name}.{entry.name}", entry) for entry in getattr(config, entries)]
    rows = [Shown("offline", config.offline, config.origins.get("offline", "default"))]
    for label, table in tables:
        for one in fields(table):  # type: ignore[arg-type]
            key, value = f"{label}.{one.name}", getattr(table, one.name)
            hidden = one.metadata.get("secret") and value
            if key == "warehouse.path":
                value = str(config.warehouse_path)
            rows.append(Shown(key, "********" if hidden else value, config.origins.get(key, "default")))
    return rows
