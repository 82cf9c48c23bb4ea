"""Decisions as code: `whosends sources export`, `import` and `check`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import click

from analysis.declared import Declared, resolved, stored
from analysis.deviations import KINDS, Checked, Deviation, check
from app import declarations, exitcodes
from app.commands.asking import known, known_domain, now, today
from app.commands.base import Command, Run
from app.commands.deciding import actor
from app.commands.opening import warehouse_of
from app.commands.paths import Place
from app.render import Screen, clean
from ingest.errors import UsageError
from warehouse import decisions, reads_sources
from warehouse.connect import Connection
from warehouse.decisions import UNDECIDED, SourceDecision

FAILING = ("undeclared", "broken", "silent", "returned", "expired")
TERMS = ("verdict", "owner", "note", "until", "expects", "cadence")
ENDINGS = ("created", "changed", "taken back", "unchanged", "waiting", "not in the file")


@dataclass(frozen=True, slots=True)
class Planned:
    """What an import does about one source: `ending` is one of ENDINGS. `before` and `after` are verdicts.

    waiting: its match fits no source yet. `unseen`: no report names the key yet.
    """

    ending: str
    domain: str
    source: str
    before: str | None
    after: str | None
    changes: tuple[str, ...] = ()
    line: int = 0
    unseen: bool = False


def add_declarations(group: click.Group) -> None:
    """Give the group its sub-commands about files."""
    for one in (export, import_, check_):
        group.add_command(one)


@click.command("export", cls=Command)
@click.option("--domain", "-d", "domains", multiple=True, metavar="DOMAIN", help="Only this domain; repeatable.")
@click.option("--out", type=Place(folder=False), metavar="FILE", help="Write to a file.")
@click.pass_obj
def export(run: Run, domains: tuple[str, ...], out: Path | None) -> int:
    """Write the decisions as sources.toml, for review and version control.

    What is exported and imported again changes nothing.
    """
    warehouse, screen = warehouse_of(run), Screen(run)
    chosen = tuple(known_domain(known(warehouse), domain) for domain in domains)
    with warehouse.reading() as connection:
        declared = stored(connection, chosen)
        facts = reads_sources.source_facts(connection, sorted({one.key for one in declared if one.key}))
    names = dict(facts.select("source_key", "service").iter_rows())
    text = declarations.written(declared, {(one.domain, one.key or ""): names.get(one.key) or "" for one in declared})
    if out:
        try:
            out.write_text(text, "utf-8")
        except OSError as error:
            raise UsageError(f"Cannot write {out}: {error.strerror}.") from error
    if screen.json:
        screen.document(sources=declared, file=str(out) if out else None)
    elif not out:
        screen.line(text.rstrip("\n"))
    screen.note(f"{len(declared):,} decisions" + (f" in {out}." if out else "."))
    return exitcodes.OK


@click.command("import", cls=Command)
@click.argument("file", type=Place(), metavar="FILE")
@click.option("--dry-run", is_flag=True, help="Say what would change, and change nothing.")
@click.option(
    "--replace", is_flag=True, help="Also take back what was decided for the file's domains and is not in it."
)
@click.pass_obj
def import_(run: Run, file: Path, dry_run: bool, replace: bool) -> int:
    """Record what a sources.toml declares: all of it, or nothing.

    A match means every source that fits it now; import again when new ones have come. Importing twice
    changes nothing. The journal names the file and its hash.
    """
    sheet, warehouse = declarations.read(file), warehouse_of(run)
    by = actor(run.config.warehouse.user)
    if dry_run:
        with warehouse.reading() as connection:
            planned = [plan for plan, _ in _planned(connection, sheet.declared, by, replace)]
    else:
        with warehouse.writing(reports=False) as connection:
            pairs = _planned(connection, sheet.declared, by, replace)
            for plan, made in pairs:
                if plan.ending in ("created", "changed"):
                    decisions.decide(connection, made, now(), sheet.origin)
                elif plan.ending == "taken back":
                    decisions.withdraw(connection, made, now(), sheet.origin)
        planned = [plan for plan, _ in pairs]
    return _told(Screen(run), planned, sheet.origin, dry_run)


def _planned(
    connection: Connection, declared: Sequence[Declared], by: str, replace: bool
) -> list[tuple[Planned, SourceDecision]]:
    held = {(one.domain, one.key or ""): one for one in stored(connection)}
    seen = {tuple(row) for row in connection.execute("SELECT DISTINCT domain, source_key FROM source_month").fetchall()}
    meant, plans = dict[tuple[str, str], Declared](), list[tuple[Planned, SourceDecision]]()
    for one, keys in zip(declared, resolved(connection, declared), strict=True):
        if not keys:
            plans.append((Planned("waiting", one.domain, one.label, None, None, (), one.line), _decision(one, "", by)))
        for key in keys:
            first = meant.setdefault((one.domain, key), one)
            if first is not one:
                sentence = f"Lines {first.line} and {one.line} both declare {key!r} for {one.domain}."
                raise UsageError(sentence, "Make one of the matches narrower, or give the key once.")
            plan = _plan(one, key, held.get((one.domain, key)), unseen=(one.domain, key) not in seen)
            plans.append((plan, _decision(one, key, by)))
    about = {one.domain for one in declared}
    for (domain, key), now_ in held.items():
        if domain in about and (domain, key) not in meant:
            ending = "taken back" if replace else "not in the file"
            plan = Planned(ending, domain, key, now_.verdict, UNDECIDED if replace else now_.verdict)
            plans.append((plan, SourceDecision(domain, key, UNDECIDED, by)))
    return plans


def _plan(one: Declared, key: str, before: Declared | None, *, unseen: bool) -> Planned:
    if one.verdict == UNDECIDED:
        ending, changes = "taken back" if before else "unchanged", tuple[str, ...]()
    else:
        changes = tuple(term for term in TERMS if before and getattr(before, term) != getattr(one, term))
        ending = "created" if before is None else "changed" if changes else "unchanged"
    was = before.verdict if before else None
    return Planned(ending, one.domain, key, was, one.verdict, changes, one.line, unseen)


def _decision(one: Declared, key: str, by: str) -> SourceDecision:
    return SourceDecision(
        one.domain, key, one.verdict, by, one.owner, one.note, one.until, expects=one.expects, cadence=one.cadence
    )


def _told(screen: Screen, planned: Sequence[Planned], origin: str, dry_run: bool) -> int:
    counts = Counter(plan.ending for plan in planned)
    if screen.json:
        every = {ending.replace(" ", "_"): counts[ending] for ending in ENDINGS}
        screen.document(dry_run=dry_run, file=origin, counts=every, sources=planned)
        return exitcodes.OK
    rows = [
        (plan.ending, plan.domain, plan.source, plan.before, plan.after, ", ".join(plan.changes), plan.line or None)
        for plan in sorted(planned, key=lambda plan: ENDINGS.index(plan.ending))
        if plan.ending != "unchanged"
    ]
    if rows:
        screen.table(("What", "Domain", "Source", "Before", "After", "Changed", "Line"), rows)
    screen.line(", ".join(f"{counts[ending]:,} {ending}" for ending in ENDINGS if counts[ending]) or "No source.")
    unseen = sum(plan.unseen for plan in planned)
    if unseen:
        screen.note(f"No report names {unseen:,} of these sources yet.")
    if counts["not in the file"]:
        screen.note("What is not in the file stays; --replace takes it back.")
    screen.note("Nothing was changed (--dry-run)." if dry_run else "Nothing in DNS was changed.")
    return exitcodes.OK


@click.command("check", cls=Command)
@click.argument("file", required=False, type=Place(), metavar="[FILE]")
@click.option("--domain", "-d", "domains", multiple=True, metavar="DOMAIN", help="Only this domain; repeatable.")
@click.option("--fail-on", multiple=True, type=click.Choice([*KINDS, "none"]), metavar="KIND",
              help=f"End with 1 for this kind; repeatable. Else for {', '.join(FAILING)}.")  # fmt: skip
@click.pass_obj
def check_(run: Run, file: Path | None, domains: tuple[str, ...], fail_on: tuple[str, ...]) -> int:
    """Hold what is seen against what was declared: in FILE, else by the decisions.

    \b
    undeclared  sends, may be legitimate, and nobody decided about it
    broken      does not align any more by what it is expected to
    silent      no mail for longer than its declared cadence allows, or ever
    late        no mail for longer than its own rhythm lets expect
    returned    retired or forged, and still sends or aligns
    expired     the declaration's last day is over
    untold      away for long, but so were its reporters

    Days on which the reporters that see a source were silent, or whose reports are still on their way,
    make nothing silent or late. Ends with 1 where a kind of --fail-on was found, with 3 where there are
    no reports or only old ones, else with 0.
    """
    warehouse, screen, rules = warehouse_of(run), Screen(run), run.config.analysis
    chosen = tuple(known_domain(known(warehouse), domain) for domain in domains)
    if file:
        declared = [one for one in declarations.read(file).declared if one.verdict != UNDECIDED]
    else:
        with warehouse.reading() as connection:
            declared = stored(connection)
    declared = [one for one in declared if not chosen or one.domain in chosen]
    found = check(warehouse, declared, chosen, today(), rules)
    failing = set(fail_on or FAILING)
    if screen.json:
        screen.document(**asdict(found), failing=sorted(failing & {one.kind for one in found.deviations}))
    else:
        _show(screen, found)
    if any(one.kind in failing for one in found.deviations):
        return exitcodes.FOUND
    if found.newest is None or (today() - found.newest).days > rules.readiness.stale_days:
        screen.note("There are no reports of the last days, so nobody can tell.")
        return exitcodes.UNKNOWN
    return exitcodes.OK


def _show(screen: Screen, found: Checked) -> None:
    if found.deviations:
        screen.table(("What", "Domain", "Source", "Since", "Owner", "Because"), [_row(one) for one in found.deviations])
    counts = Counter(one.kind for one in found.deviations)
    said = ", ".join(f"{counts[kind]:,} {kind}" for kind in KINDS if counts[kind])
    screen.note(f"{found.declared:,} declared; {said or 'all is as declared'}. Reports up to {found.newest}.")


def _row(one: Deviation) -> tuple[object, ...]:
    called = one.label if one.source_key in (None, one.label) else f"{one.label} ({one.source_key})"
    return one.kind, one.domain, clean(called), one.since, one.owner, one.sentence
