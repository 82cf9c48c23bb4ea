"""Writes docs/cli.md, docs/settings.md, docs/schema.md and docs/services.md from the program itself.

    python docs/reference.py

A test fails where the pages say something else than the program.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from dataclasses import fields
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click

from app import exitcodes
from app.cli import cli
from app.commands.base import Run
from app.config import LISTS, SECTIONS, toml
from ingest.catalogue.load import load
from ingest.catalogue.service import ALIGNS, CATEGORIES, CHECKED, MARKS, ROLES
from warehouse.connect import Warehouse
from warehouse.settings import WarehouseSettings

FOLDER = Path(__file__).parent

SERVICES_HEAD = """# Services

Made by `docs/reference.py` from the catalogue in `ingest/catalogue/services/`; change that, not this page.

The catalogue holds the services that send mail for others: how each is recognised, and what makes its mail align. It
is written by hand from what the services publish; no list of anybody else's is in it.
`whosends services NAME` shows one with all that is known, and `--json` gives it to programs.

**What is in it is sure, what is missing is merely not known.** A wrong name is worse than none: it makes a stranger
look like a friend. So a reverse name counts only where nobody but the service can give it, a network only where
nobody but the service sends from it (never a hoster's or a cloud's), and a selector only as a hint.

## Adding one

1. Read the service's own document on SPF, DKIM or domain authentication.
2. Add a table to the file of its category in `ingest/catalogue/services/`, with an id that will not change. Required
   are `name`, `role`, `docs`, `aligns_spf`, `aligns_dkim`, `fix_spf`, `fix_dkim`, `checked_on` and `checked_with`;
   forwarders and lists need no `aligns_` and `fix_`, which are the same for all of them.
3. Add the marks that you are sure of, and leave the others out. Names are lower case; a name also stands for all below
   it. Names and selectors may hold `{n}` (a number), selectors also `{hex}`, `{token}` (the 32 characters of Easy DKIM)
   and `{any}`. `carries = true` is for those through whose machines other services send.
4. `fix_spf` and `fix_dkim` tell a domain's owner what to publish or press: plain sentences, no markup.
5. `checked_on` is the day on which somebody last went through the entry, `checked_with` what it was compared with then.
   Do not say `document` of one that you have not read. What you could not settle goes into `notes`.
6. Run `pytest tests/ingest/catalogue` and `python docs/reference.py`. The tests refuse a name that two services claim,
   a public suffix, a hoster's network, and a reverse name that the installed map of names
   ([dependencies](dependencies.md#data)) gives to somebody else, unless the disagreement is listed with a reason.

"""

CLI_HEAD = """# Commands

Made by `docs/reference.py` from the commands themselves; change those, not this page.

Answers go to standard output, everything else to standard error. On a terminal an answer is a drawn table, in a pipe it
is aligned text, and with `--json` it is one document with `"schema_version": 1`; an error is then a document too:
`{"schema_version": 1, "error": {"message", "hint", "exit_code"}}`. Text from reports and DNS reaches a terminal without
control, bidirectional or invisible characters, and a CSV cell that a spreadsheet would take for a formula begins with a
quote.

Days are report days in UTC. `--days 30` counts from the newest day with data, not from today.
"""

SETTINGS_HEAD = """# Settings

Made by `docs/reference.py` from the settings themselves; change those, not this page.

**Which one counts:** an option of the command line, then the environment, then the file, then the default.
`whosends config show` says for each value where it came from.

**The file** is TOML. The first of these that exists is read: `--config`, `WHOSENDS_CONFIG`, `./whosends.toml`, the
user's `whosends/config.toml` (on Linux in `~/.config`), `/etc/whosends/config.toml`. Paths in it are relative to it. A
key that does not exist, or a value of another type, is an error that names the key and the file.

**The environment:** `WHOSENDS_WAREHOUSE` is the warehouse's path, `WHOSENDS_CONFIG` the file, `WHOSENDS_OFFLINE=true`
keeps every command off the network. Any other key is `WHOSENDS_<SECTION>__<KEY>`, for example
`WHOSENDS_DRIFT__POINTS=2.5`; lists are separated by commas. A mailbox's keys are `WHOSENDS_MAILBOX__<KEY>` where there
is one mailbox, and `WHOSENDS_MAILBOX__<NAME>__<KEY>` where there are several.

**Secrets:** a password comes from `password_file`, from `password_command`, or from
`WHOSENDS_MAILBOX__PASSWORD_FILE`; never from the command line. A configuration file that holds one must be readable by
its owner only (mode 0600). `config show` masks it.

```toml
[warehouse]
path = "/var/lib/whosends/warehouse.duckdb"

[[mailbox]]
host = "imap.example.com"
user = "dmarc@example.com"
password_command = "pass show dmarc"

[[domain]]
name = "example.com"
owner = "it@example.com"
target = "reject"
```

| key | type | default | what it is |
|---|---|---|---|
| `offline` | true or false | `false` | Never use the network. |
"""

SCHEMA_HEAD = """# Tables

Made by `docs/reference.py` from the comments in `warehouse/schema`; change those, not this page.

`whosends query` asks these tables in SQL, read-only; `whosends export` writes one of them as a whole. Days and instants
are in UTC. Every sum of mail is a sum of `messages`; a count of rows is not a count of mail.
"""

TABLES = """
    SELECT table_name AS name, comment FROM duckdb_tables() WHERE schema_name = 'main'
    UNION ALL SELECT view_name, comment FROM duckdb_views() WHERE schema_name = 'main' AND NOT internal
    ORDER BY name
"""
COLUMNS = """
    SELECT column_name, data_type, comment FROM duckdb_columns()
    WHERE schema_name = 'main' AND table_name = ? ORDER BY column_index
"""

TYPES = {"str": "text", "bool": "true or false", "int": "whole number", "float": "number", "tuple[str, ...]": "texts"}


def cli_page() -> str:
    """docs/cli.md."""
    root = click.Context(cli, info_name="whosends", obj=Run({}), terminal_width=100)
    lines = [CLI_HEAD, "## Options of every command", "", "They stand before or after the command.", ""]
    lines += _options(cli, root)
    lines += ["", "## Exit codes", "", "| code | meaning |", "|---|---|"]
    lines += [f"| {code} | {meaning} |" for code, meaning in exitcodes.MEANING.items()]
    for name in cli.list_commands(root):
        command = cli.get_command(root, name)
        assert command is not None
        lines += _command(command, root, name)
    return "\n".join(lines).rstrip() + "\n"


def _command(command: click.Command, parent: click.Context, name: str) -> Iterator[str]:
    context = click.Context(command, parent=parent, info_name=name, obj=parent.obj)
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    yield from ("", f"## {context.command_path}", "", f"`{usage}`", "", inspect.cleandoc(command.help or ""))
    if options := _options(command, context):
        yield from ("", *options)
    if isinstance(command, click.Group):
        for sub in command.list_commands(context):
            found = command.get_command(context, sub)
            assert found is not None
            yield from _command(found, context, sub)


def _options(command: click.Command, context: click.Context) -> list[str]:
    params = [one for one in command.get_params(context) if isinstance(one, click.Option) and "--help" not in one.opts]
    records = [param.get_help_record(context) for param in params]
    rows = [f"| `{_cell(record[0])}` | {_cell(record[1])} |" for record in records if record]
    return ["| option | what it does |", "|---|---|", *rows] if rows else []


def settings_page() -> str:
    """docs/settings.md."""
    lines = [SETTINGS_HEAD]
    for name, kind in SECTIONS.items():
        lines += [f"## [{name}]", "", *_settings(kind)]
    for name, kind in LISTS.items():
        lines += [f"## [[{name}]]", "", "May stand several times, each with its own name.", "", *_settings(kind)]
    return "\n".join(lines).rstrip() + "\n"


def _settings(kind: type[Any]) -> Sequence[str]:
    doc = inspect.cleandoc(kind.__doc__ or "")
    rows = [
        f"| `{one.name}` | {TYPES[str(one.type)]} | `{toml(one.default)}` | {_cell(one.metadata['sentence'])} |"
        for one in fields(kind)
    ]
    return [doc, "", "| key | type | default | what it is |", "|---|---|---|---|", *rows, ""]


def schema_page() -> str:
    """docs/schema.md."""
    lines = [SCHEMA_HEAD]
    with TemporaryDirectory() as folder:
        warehouse = Warehouse(Path(folder) / "empty.duckdb", WarehouseSettings())
        with warehouse.writing():
            pass
        with warehouse.reading() as connection:
            for name, comment in connection.execute(TABLES).fetchall():
                rows = connection.execute(COLUMNS, [name]).fetchall()
                lines += [f"## {name}", "", comment or "", "", "| column | type | what it is |", "|---|---|---|"]
                lines += [f"| `{column}` | {kind} | {_cell(said or '')} |" for column, kind, said in rows]
                lines += [""]
    return "\n".join(lines).rstrip() + "\n"


def services_page() -> str:
    """docs/services.md."""
    lines = [SERVICES_HEAD + "## Words", ""]
    for key, words in (("role", ROLES), ("SPF and DKIM", ALIGNS), ("checked with", CHECKED), ("mark", MARKS)):
        lines += [f"| {key} | what it means |", "|---|---|"]
        lines += [f"| `{word}` | {_cell(meaning)} |" for word, meaning in words.items()]
        lines += [""]
    services = load()
    for category, title in CATEGORIES.items():
        of = sorted((one for one in services if one.category == category), key=lambda one: one.name.lower())
        lines += [f"## {title}", "", "| service | id | role | SPF | DKIM | checked |", "|---|---|---|---|---|---|"]
        lines += [
            f"| [{_cell(one.name)}]({one.docs}) | `{one.id}` | {one.role} | {one.aligns_spf} | {one.aligns_dkim} "
            f"| {one.checked_on} ({one.checked_with}) |"
            for one in of
        ]
        lines += [""]
    return "\n".join(lines).rstrip() + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


PAGES = {"cli.md": cli_page, "settings.md": settings_page, "schema.md": schema_page, "services.md": services_page}


def main() -> None:
    """Write the pages."""
    for name, page in PAGES.items():
        (FOLDER / name).write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
