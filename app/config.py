"""The only reader of TOML and environment: composes the packages' settings, and says where each came from.

Precedence: command line, environment, file, default. The first file that exists counts:
--config, WHOSENDS_CONFIG, ./whosends.toml, the user's whosends/config.toml, /etc/whosends/config.toml.
"""

from __future__ import annotations

import difflib
import json
import os
import re
import stat
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final, get_type_hints

import platformdirs

from analysis.settings import AnalysisSettings, DriftSettings, FindingSettings, ReadinessSettings, SourceSettings
from app import mailbox_files
from app.choices import at_home, checked
from app.settings import (
    AlertSettings,
    ClientSettings,
    DomainSettings,
    RecipientSettings,
    ReportSettings,
    SmtpSettings,
)
from ingest.errors import UsageError
from ingest.settings import BlocklistSettings, MailboxSettings, PrivacySettings, ResolverSettings, UnpackLimits
from warehouse.settings import RetentionSettings, WarehouseSettings

SECTIONS: Final[dict[str, type[Any]]] = {
    "warehouse": WarehouseSettings,
    "retention": RetentionSettings,
    "privacy": PrivacySettings,
    "limits": UnpackLimits,
    "resolver": ResolverSettings,
    "blocklists": BlocklistSettings,
    "sources": SourceSettings,
    "drift": DriftSettings,
    "readiness": ReadinessSettings,
    "findings": FindingSettings,
    "report": ReportSettings,
    "smtp": SmtpSettings,
}
LISTS: Final[dict[str, type[Any]]] = {
    "mailbox": MailboxSettings,
    "domain": DomainSettings,
    "client": ClientSettings,
    "recipient": RecipientSettings,
    "alert": AlertSettings,
}
NAMED: Final = {"domain": "example.com"}
OPTIONS: Final = {"warehouse.path": "--warehouse", "offline": "--offline"}
PREFIX: Final = "WHOSENDS_"
LISTED: Final = 20  # names in a hint; there may be hundreds of domains
TRUTH: Final = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
# Ways to say one thing: what is set higher up replaces every other way that was set lower down.
EITHER: Final = (
    ("password", "password_file", "password_command"),
    ("oauth_client_secret", "oauth_client_secret_file", "oauth_key_file"),
)
PATHS: Final = {
    "warehouse.path",
    "smtp.ca_file",
    "smtp.password_file",
    *(f"mailbox.{name}" for name in mailbox_files.FILES),
}


@dataclass(frozen=True, slots=True)
class Config:
    """All settings of one run. `origins` says for each key that was set where that was."""

    file: Path | None = None
    offline: bool = False
    warehouse: WarehouseSettings = field(default_factory=WarehouseSettings)
    retention: RetentionSettings = field(default_factory=RetentionSettings)
    privacy: PrivacySettings = field(default_factory=PrivacySettings)
    limits: UnpackLimits = field(default_factory=UnpackLimits)
    resolver: ResolverSettings = field(default_factory=ResolverSettings)
    blocklists: BlocklistSettings = field(default_factory=BlocklistSettings)
    sources: SourceSettings = field(default_factory=SourceSettings)
    drift: DriftSettings = field(default_factory=DriftSettings)
    readiness: ReadinessSettings = field(default_factory=ReadinessSettings)
    findings: FindingSettings = field(default_factory=FindingSettings)
    report: ReportSettings = field(default_factory=ReportSettings)
    smtp: SmtpSettings = field(default_factory=SmtpSettings)
    mailboxes: tuple[MailboxSettings, ...] = ()
    domains: tuple[DomainSettings, ...] = ()
    clients: tuple[ClientSettings, ...] = ()
    recipients: tuple[RecipientSettings, ...] = ()
    alerts: tuple[AlertSettings, ...] = ()
    origins: Mapping[str, str] = field(default_factory=dict)

    @property
    def analysis(self) -> AnalysisSettings:
        """All thresholds together."""
        return AnalysisSettings(self.sources, self.drift, self.readiness, self.findings)

    @property
    def targets(self) -> dict[str, str]:
        """The policy that each domain is to reach, where one is set."""
        return {domain.name: domain.target for domain in self.domains if domain.target}

    def owner_of(self, domain: str) -> str:
        """Who is to act for a domain: its owner, else its client's, else the report's."""
        mine = next((one for one in self.domains if one.name == domain), DomainSettings())
        client = next((one for one in self.clients if mine.client and one.name == mine.client), ClientSettings())
        return mine.owner or client.owner or self.report.owner

    @property
    def warehouse_path(self) -> Path:
        """Where the warehouse is."""
        if self.warehouse.path:
            return Path(self.warehouse.path)
        return data_folder() / "warehouse.duckdb"


@dataclass(slots=True)
class Table:
    """One table of settings while it is put together: the values set so far, and where."""

    name: str
    kind: type[Any]
    values: dict[str, Any] = field(default_factory=dict)
    origins: dict[str, str] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """What its keys are called: warehouse, or mailbox.main."""
        named = self.values.get("name", "main" if self.name == "mailbox" else "")
        return f"{self.name}.{named}" if self.name in LISTS else self.name

    def put_text(self, key: str, text: str, origin: str) -> None:
        """Set one key from text: what the environment gives."""
        kind = get_type_hints(self.kind).get(key, str)
        self.put(key, _from_text(kind, text, f"{origin}: {self.name}.{key}"), origin, Path.cwd())

    def put(self, key: str, value: object, origin: str, folder: Path) -> None:
        """Set one key, or raise UsageError that names it and where it stands."""
        known = get_type_hints(self.kind)
        if key not in known:
            raise UsageError(f"{origin}: there is no setting {self.name}.{key}.", meant(key, known))
        where = f"{origin}: {self.name}.{key}".replace(": .", ": ")
        result = checked(f"{self.name}.{key}", _typed(known[key], value, where), where)
        if result and f"{self.name}.{key}" in PATHS:
            result = str(folder / at_home(Path(str(result)), where))
        for other in next((ways for ways in EITHER if key in ways), ()):
            if self.origins.get(other, origin) != origin:
                del self.values[other], self.origins[other]
        self.values[key], self.origins[key] = result, origin


def environment() -> dict[str, str]:
    """The process's environment."""
    return dict(os.environ)  # noqa: TID251 - this module is the one door to it


def data_folder() -> Path:
    """Where this program keeps its data unless told otherwise."""
    return platformdirs.user_data_path("whosends", appauthor=False)


def user_file() -> Path:
    """The user's own configuration file, whether it exists or not."""
    return platformdirs.user_config_path("whosends", appauthor=False) / "config.toml"


def places() -> tuple[Path, ...]:
    """Where a configuration is looked for when none is named, the first that exists counts."""
    return (Path("whosends.toml").absolute(), user_file(), Path("/etc/whosends/config.toml"))


def locate(path: Path | None, environ: Mapping[str, str]) -> Path | None:
    """The configuration file of this run; None where there is none."""
    named, said = path, "--config"
    if named is None and environ.get("WHOSENDS_CONFIG"):
        named, said = Path(environ["WHOSENDS_CONFIG"]), "WHOSENDS_CONFIG"
    if named is None:
        return next((place for place in places() if place.is_file()), None)
    place = at_home(named, said)
    if not place.is_file():
        raise UsageError(f"{said}: there is no file {named}.", "Run 'whosends init' to write one.")
    return place.absolute()


def load(path: Path | None, environ: Mapping[str, str], overrides: Mapping[str, object]) -> Config:
    """All settings: `overrides` (by option), the environment, the file at `path` or its usual places."""
    file = locate(path, environ)
    tables = {name: Table(name, kind) for name, kind in SECTIONS.items()}
    top = Table("", _Top)
    lists: dict[str, list[Table]] = {name: [] for name in LISTS}
    if file:
        _read(file, top, tables, lists)
    _read_environment(environ, top, tables, lists)
    for key, value in overrides.items():
        section, _, name = key.rpartition(".")
        (tables[section] if section else top).put(name, value, OPTIONS[key], Path.cwd())
    for name, entries in lists.items():
        _distinct(name, entries)
    sections = {name: table.kind(**table.values) for name, table in tables.items()}
    beside = Path(sections["warehouse"].path or data_folder() / "warehouse.duckdb").parent
    mailboxes = [MailboxSettings(**entry.values) for entry in lists["mailbox"]]
    every = [top, *tables.values(), *(entry for entries in lists.values() for entry in entries)]
    return Config(
        file=file,
        offline=bool(top.values.get("offline", False)),
        mailboxes=tuple(mailbox_files.completed(one, beside, environ) for one in mailboxes),
        domains=tuple(DomainSettings(**entry.values) for entry in lists["domain"]),
        clients=tuple(ClientSettings(**entry.values) for entry in lists["client"]),
        recipients=tuple(RecipientSettings(**entry.values) for entry in lists["recipient"]),
        alerts=tuple(AlertSettings(**entry.values) for entry in lists["alert"]),
        origins={
            f"{table.label}.{key}".lstrip("."): origin for table in every for key, origin in table.origins.items()
        },
        **sections,
    )


@dataclass(frozen=True, slots=True)
class _Top:
    offline: bool = False


def _read(file: Path, top: Table, tables: dict[str, Table], lists: dict[str, list[Table]]) -> None:
    for name, content in _parsed(file).items():
        if name in tables and isinstance(content, dict):
            for key, value in content.items():
                tables[name].put(key, value, str(file), file.parent)
        elif name in lists and isinstance(content, list):
            for entry in content:
                lists[name].append(_entry(name, entry, file))
        elif name in tables or name in lists:
            form = f"[[{name}]]" if name in lists else f"[{name}]"
            raise UsageError(f"{file}: {name} is a table of its own.", f"Write it as {form}.")
        elif name == "offline":
            top.put(name, content, str(file), file.parent)
        else:
            raise UsageError(f"{file}: there is no setting {name}.", meant(name, [*tables, *lists, "offline"]))
    _guarded(file, [*tables.values(), *(table for entries in lists.values() for table in entries)])


def _entry(name: str, content: object, file: Path) -> Table:
    if not isinstance(content, dict):
        raise UsageError(f"{file}: {name} holds something that is no table.", f"Write it as [[{name}]].")
    table = Table(name, LISTS[name])
    for key, value in content.items():
        table.put(key, value, str(file), file.parent)
    if name != "mailbox" and not table.values.get("name"):
        raise UsageError(f"{file}: a [[{name}]] has no name.", f'Add name = "{NAMED.get(name, "example")}".')
    return table


def _parsed(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{file} is not valid TOML: {error}.") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{file} is not UTF-8 text.") from error
    except OSError as error:
        raise UsageError(f"Cannot read {file}: {error.strerror}.") from error


def _guarded(file: Path, entries: Iterable[Table]) -> None:
    """A file that holds a secret must be the user's alone."""
    held = [
        f"{entry.name}.{one.name}"
        for entry in entries
        for one in fields(entry.kind)
        if one.metadata.get("secret") and one.name in entry.values
    ]
    if held and os.name == "posix" and stat.S_IMODE(file.stat().st_mode) & 0o077:
        raise UsageError(
            f"{file} holds {held[0]} and can be read by other users.",
            f"Run: chmod 600 {file}",
        )


def _read_environment(
    environ: Mapping[str, str], top: Table, tables: dict[str, Table], lists: dict[str, list[Table]]
) -> None:
    if environ.get("WHOSENDS_WAREHOUSE"):
        tables["warehouse"].put_text("path", environ["WHOSENDS_WAREHOUSE"], "WHOSENDS_WAREHOUSE")
    if environ.get("WHOSENDS_OFFLINE"):
        top.put_text("offline", environ["WHOSENDS_OFFLINE"], "WHOSENDS_OFFLINE")
    for name, text in sorted(environ.items()):
        # Names without "__" may be others' (Kubernetes sets WHOSENDS_PORT for a service), so no error.
        if not name.startswith(PREFIX) or "__" not in name:
            continue
        section, *rest = name.removeprefix(PREFIX).lower().split("__")
        if section in tables and len(rest) == 1:
            tables[section].put_text(rest[0], text, name)
        elif section == "mailbox" and len(rest) in (1, 2):
            _mailbox(lists["mailbox"], rest[:-1], name).put_text(rest[-1], text, name)
        else:
            hint = meant(section, [*tables, "mailbox"])
            raise UsageError(f"{name}: there is no section {section!r} to set so.", hint)


def _mailbox(entries: list[Table], named: list[str], variable: str) -> Table:
    """The mailbox that a variable means: WHOSENDS_MAILBOX__KEY the only one, __NAME__KEY that one."""
    if not entries:
        entries.append(Table("mailbox", MailboxSettings))
        if named:
            entries[0].put("name", named[0], variable, Path.cwd())
    if not named and len(entries) > 1:
        hint = "Write WHOSENDS_MAILBOX__NAME__KEY."
        raise UsageError(f"{variable}: there are {len(entries)} mailboxes.", hint)
    names = [entry.label.removeprefix("mailbox.") for entry in entries]
    for entry, name in zip(entries, names, strict=True):
        if not named or re.sub(r"[^a-z0-9]", "_", name.lower()) == named[0]:
            return entry
    raise UsageError(f"{variable}: there is no mailbox {named[0]!r}.", meant(named[0], names))


def _distinct(name: str, entries: list[Table]) -> None:
    seen = set[str]()
    for entry in entries:
        if entry.label in seen:
            title = entry.label.partition(".")[2]
            raise UsageError(f"Two [[{name}]] tables are called {title!r}.", "Give each its own name.")
        seen.add(entry.label)


def _typed(kind: Any, value: object, where: str) -> object:
    """`value` as `kind`; nothing but a whole number for a number with a point is converted."""
    wants = {str: "text", bool: "true or false", int: "a whole number", float: "a number"}
    if kind == tuple[str, ...]:
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return tuple(value)
        raise UsageError(f"{where} must be a list of texts.")
    if type(value) is kind or (kind is float and type(value) is int):
        return float(value) if isinstance(value, int) and kind is float else value
    # A secret that was written without quotes must not end up on the screen.
    said = "" if where.endswith((".password", ".oauth_client_secret")) else f", not {value!r}"
    raise UsageError(f"{where} must be {wants[kind]}{said}.")


def _from_text(kind: Any, text: str, where: str) -> object:
    """What TOML would have given; text that does not fit stays text, for `_typed` to refuse."""
    if kind is bool:
        if text.strip().lower() not in TRUTH:
            raise UsageError(f"{where} must be true or false, not {text!r}.")
        return TRUTH[text.strip().lower()]
    if kind == tuple[str, ...]:
        return [item.strip() for item in text.split(",") if item.strip()]
    try:
        return kind(text)
    except ValueError:
        return text


def meant(word: str, known: Iterable[str]) -> str:
    """A sentence that offers what may have been meant."""
    names = sorted(known)
    close = difflib.get_close_matches(word.lower(), names, n=1, cutoff=0.6)
    if close:
        return f"Did you mean {close[0]!r}?"
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    return f"Known are: {', '.join(names[:LISTED])}{more}."


def toml(value: object) -> str:
    """A value as TOML writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple | list):
        return f"[{', '.join(toml(item) for item in value)}]"
    if isinstance(value, str):
        # JSON's strings are TOML's, but for DEL, which TOML wants escaped.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return str(value)


def append(file: Path, text: str) -> None:
    """Add a table to a configuration file, or begin one; only the user may read it afterwards."""
    file = file.resolve()
    before = file.read_text("utf-8").rstrip("\n") + "\n\n" if file.exists() else ""
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_name(file.name + ".part")
    part.unlink(missing_ok=True)
    # Created with its mode: a secret must not be readable even for the moment before a chmod.
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
        out.write(before + text)
    load(part, {}, {})
    part.replace(file)
