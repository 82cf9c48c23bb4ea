"""`whosends findings`: one list, the most important first, each with its state, owner and history."""

from __future__ import annotations

import os
from typing import Any

import click

from analysis.findings import SEVERITIES
from analysis.wording import count
from app import exitcodes
from app.commands.asking import known, known_domain, today
from app.commands.audit import state
from app.commands.base import Group, Run
from app.commands.finding_changes import add_changes
from app.commands.opening import warehouse_of
from app.render import Screen, clean
from app.tracking import Tracked, Tracking, look, recorded, tracked
from warehouse import findings as states
from warehouse import journal
from warehouse.connect import Warehouse

NOTHING = "Nothing to do, as far as the reports tell; 'whosends status' says whether they are enough."
COLUMNS = ("Id", "Severity", "State", "Finding", "Owner", "Days", "Messages")


@click.group("findings", cls=Group, invoke_without_command=True)
@click.option("--domain", "-d", "domains", multiple=True, metavar="DOMAIN", help="Only this domain; repeatable.")
@click.option("--owner", metavar="WHO", help="Only what this person or team is to act on.")
@click.option("--severity", type=click.Choice(SEVERITIES), default="info", help="Only these and more severe ones.")
@click.option("--all", "whole", is_flag=True, help="With what is verified, closed or snoozed.")
@click.option("--fail-on", type=click.Choice(SEVERITIES), help="End with 1 where one so severe waits for somebody.")
@click.pass_context
def command(context: click.Context, /, **asked: Any) -> int:
    """What should I do first?

    One line a cause: it keeps its id for as long as the cause is the same, and is opened again, not
    repeated, when it comes back. Its state is open, fixed (somebody says that the fix is published),
    verified (reports show it) or closed. What the reports prove is recorded as it is found out, with the
    rest in the journal that 'whosends audit' lists. Ends with 3 where there are no reports at all.
    """
    if context.invoked_subcommand:
        return exitcodes.OK
    run: Run = context.obj
    screen, tracking = Screen(run), tracking_of(run)
    chosen = _chosen(run, tracking, asked)
    if screen.json:
        screen.document(data_until=tracking.look.found.newest, findings=[document(one) for one in chosen])
    elif chosen:
        screen.table(COLUMNS, [_row(one) for one in chosen])
        screen.note("'whosends findings show ID' gives the evidence, the fix and the history.")
    else:
        screen.note(_nothing(tracking))
    if tracking.look.found.newest is None:
        return exitcodes.UNKNOWN
    return exitcodes.FOUND if _fails(chosen, asked["fail_on"]) else exitcodes.OK


@command.command("show")
@click.argument("finding", metavar="ID")
@click.pass_obj
def show(run: Run, finding: str) -> int:
    """Show one finding: the evidence, the fix, the owner, and who did what about it."""
    screen, warehouse = Screen(run), warehouse_of(run)
    tracking = tracking_of(run)
    with warehouse.reading() as connection:
        key = states.named(connection, finding).finding_key
        history = journal.entries(connection, key)
    one = next(item for item in tracking.findings if item.record.finding_key == key)
    if screen.json:
        screen.document(finding=document(one), history=history)
        return exitcodes.OK
    record = one.record
    lines = [
        f"{record.finding_key}  {record.severity}  {record.state}",
        record.title,
        record.why,
        f"Fix: {record.fix}",
        f"Owner: {one.owner or 'nobody yet'}. Since {record.since}, {count(record.messages, 'message')}, "
        f"impact {record.impact:,.0f}.",
        *(text for text in (record.reason, one.progress) if text),
        *([f"Snoozed until {record.snoozed_until}."] if one.snoozed else []),
        *([f"Note: {record.note}"] if record.note else []),
    ]
    for line in lines:
        screen.line(clean(line))
    screen.table(("When", "Who", "What", "After"), [(e.written_at, e.actor, e.action, state(e.after)) for e in history])
    return exitcodes.OK


def tracking_of(run: Run) -> Tracking:
    """All findings, with what changed recorded; only shown where the warehouse cannot be written."""
    warehouse = warehouse_of(run)
    if _writable(warehouse):
        return recorded(warehouse, today(), run.config)
    return tracked(warehouse, look(warehouse, today(), run.config), run.config)


def _writable(warehouse: Warehouse) -> bool:
    return not warehouse.path.exists() or os.access(warehouse.path, os.W_OK)


def document(one: Tracked) -> dict[str, object]:
    """A finding as JSON has it."""
    record = one.record
    return {
        "id": record.finding_key,
        "kind": record.kind,
        "code": record.code,
        "severity": record.severity,
        "state": record.state,
        "domain": record.domain,
        "source_key": record.source_key,
        "title": record.title,
        "why": record.why,
        "fix": record.fix,
        "owner": one.owner,
        "since": record.since,
        "age_days": one.age,
        "messages": record.messages,
        "impact": record.impact,
        "reason": record.reason,
        "progress": one.progress,
        "snoozed_until": record.snoozed_until if one.snoozed else None,
        "note": record.note,
        "opened_on": record.opened_on,
        "changed_on": record.changed_on,
        "reopened": record.reopened,
        "page": record.page,
    }


def _chosen(run: Run, tracking: Tracking, asked: dict[str, Any]) -> list[Tracked]:
    domains = [known_domain(known(warehouse_of(run)), domain) for domain in asked["domains"]]
    least = SEVERITIES.index(asked["severity"])
    return [
        one
        for one in tracking.findings
        if (not domains or one.record.domain in domains)
        and SEVERITIES.index(one.record.severity) <= least
        and (asked["owner"] is None or one.owner == asked["owner"])
        and (asked["whole"] or (one.record.state in ("open", "fixed") and not one.snoozed))
    ]


def _nothing(tracking: Tracking) -> str:
    """What is said where nothing is listed; not that all is well while something else waits."""
    if tracking.look.found.newest is None:
        return "No reports yet. Next: whosends doctor"
    waiting = sum(one.waiting for one in tracking.findings)
    return f"Nothing of that kind; {count(waiting, 'other finding')} in all." if waiting else NOTHING


def _fails(chosen: list[Tracked], bound: str | None) -> bool:
    return bound is not None and any(
        one.waiting and SEVERITIES.index(one.record.severity) <= SEVERITIES.index(bound) for one in chosen
    )


def _row(one: Tracked) -> tuple[object, ...]:
    record = one.record
    state = f"{record.state}, snoozed" if one.snoozed else record.state
    return record.finding_key, record.severity, state, record.title, one.owner, one.age, record.messages


add_changes(command)
