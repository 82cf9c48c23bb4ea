"""What all commands share: the options that may stand anywhere on the line, and the run they describe.

Light on purpose: `whosends --help` and shell completion import this and nothing heavier.
"""

from __future__ import annotations

from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from app import config, logs


class OutputClosed(Exception):
    """Whoever read our output has gone (`| head`): stop, quietly."""


class Run:
    """One run of the program: the options given before or after the command, and the settings."""

    def __init__(self, environ: dict[str, str]) -> None:
        self.environ = environ
        self.options: dict[str, Any] = {}

    @property
    def json(self) -> bool:
        """Whether one JSON document is wanted."""
        return bool(self.options.get("json"))

    @property
    def verbosity(self) -> int:
        """-1 quiet, 0 normal, 1 and 2 more."""
        return int(self.options.get("verbose", 0)) - int(bool(self.options.get("quiet")))

    @property
    def plain(self) -> bool:
        """Whether colours are unwanted; NO_COLOR is honoured beside this."""
        return bool(self.options.get("no_color"))

    @cached_property
    def config(self) -> config.Config:
        """All settings, read when they are needed first."""
        overrides: dict[str, object] = {}
        if self.options.get("warehouse"):
            overrides["warehouse.path"] = self.options["warehouse"]
        if self.options.get("offline"):
            overrides["offline"] = True
        named = self.options.get("config")
        return config.load(Path(named) if named else None, self.environ, overrides)


def _remember(context: click.Context, option: click.Parameter, value: Any) -> None:
    """Keep what was given, wherever on the line it stood."""
    if value == "":  # a variable that is not set: it must not mean the usual place
        raise click.BadParameter("it is empty.", context, option)
    source = context.get_parameter_source(option.name or "")
    if source == click.core.ParameterSource.COMMANDLINE and isinstance(context.obj, Run):
        given = context.obj.options
        given[option.name] = value + given.get(option.name, 0) if option.name == "verbose" else value


def _everywhere(*, hidden: bool) -> list[click.Option]:
    said: list[tuple[list[str], dict[str, Any]]] = [
        (["--warehouse"], {"metavar": "PATH", "help": "The warehouse file. [env: WHOSENDS_WAREHOUSE]"}),
        (["--config"], {"metavar": "PATH", "help": "The configuration file. [env: WHOSENDS_CONFIG]"}),
        (["--offline"], {"is_flag": True, "help": "Never use the network. [env: WHOSENDS_OFFLINE]"}),
        (["--json"], {"is_flag": True, "help": "Print one JSON document, errors too."}),
        (["-v", "--verbose"], {"count": True, "help": "Log what is done; twice for more."}),
        (["-q", "--quiet"], {"is_flag": True, "help": "Print nothing but the answer and errors."}),
        (["--no-color"], {"is_flag": True, "help": "No colours. [env: NO_COLOR]"}),
    ]
    return [click.Option(names, expose_value=False, callback=_remember, hidden=hidden, **more) for names, more in said]


SHOWN, HIDDEN = _everywhere(hidden=False), _everywhere(hidden=True)
NOTE = "--warehouse, --config, --offline, --json, -v, -q and --no-color work here too: see whosends --help."


class MayBeEmpty(click.Argument):
    """An argument whose empty text says something; of others that a command wants it is a mistake."""


class Command(click.Command):
    """A command that also takes the options of the program."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As click does; an empty argument is told as one, before it is taken for a path or a key."""
        given = {} if ctx.resilient_parsing else self.make_parser(ctx).parse_args(args=list(args))[0]
        for one in self.params:
            raw = given.get(one.name or "")
            wanted = type(one) is click.Argument and (one.required or one.nargs < 0)
            if wanted and "" in (raw if isinstance(raw, tuple | list) else (raw,)):
                raise click.UsageError(f"{one.make_metavar(ctx).strip('[].')} is empty.", ctx)
        return super().parse_args(ctx, args)

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Its own options, and those that may stand anywhere."""
        return [*super().get_params(ctx), *HIDDEN]

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Point to the options that are not listed again."""
        formatter.write_paragraph()
        formatter.write_text(NOTE)

    def invoke(self, ctx: click.Context) -> Any:
        """Run it; only now is the whole line known, so only now are logs set up."""
        if isinstance(ctx.obj, Run):
            logs.configure(ctx.obj.verbosity)
        return super().invoke(ctx)


class Group(click.Group):
    """A command with sub-commands, all of which take the options of the program."""

    command_class = Command

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Its own options, and those that may stand anywhere."""
        return [*super().get_params(ctx), *(HIDDEN if ctx.parent else SHOWN)]

    def invoke(self, ctx: click.Context) -> Any:
        """Run it; see Command."""
        if isinstance(ctx.obj, Run):
            logs.configure(ctx.obj.verbosity)
        return super().invoke(ctx)


class LazyGroup(Group):
    """The program: each command's module is imported only when that command is run."""

    def __init__(self, *args: Any, sentences: dict[str, str], **more: Any) -> None:
        super().__init__(*args, **more)
        self.sentences = sentences

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All commands, in the order in which a person meets them."""
        return list(self.sentences)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command."""
        if cmd_name not in self.sentences:
            return None
        command: click.Command = import_module(f"app.commands.{cmd_name}").command
        command.short_help = self.sentences[cmd_name]
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands by their sentences, without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(self.sentences.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, but an unknown command is answered from our own list."""
        if args and args[0] not in self.sentences and not args[0].startswith("-"):
            hint = config.meant(args[0], self.sentences)
            raise click.UsageError(f"There is no command {args[0]!r}. {hint}", ctx)
        return super().resolve_command(ctx, args)
