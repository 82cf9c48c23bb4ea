"""Write the demonstration organisation's reports, and the truth about them, to a folder.

    python -m sample_reports.generate [--out DIR] [--seed N] [--end YYYY-MM-DD] [--days N]

The same seed, end and days give the same bytes.
"""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from sample_reports.bounces import bounces
from sample_reports.failures import failure_reports
from sample_reports.forwarding import forward
from sample_reports.oddities import Unit, units
from sample_reports.organisation import Organisation, northlight
from sample_reports.reporters import REPORTERS, SILENT
from sample_reports.reports import Report, report, spans
from sample_reports.senders import send, volume
from sample_reports.sessions import tls_reports
from sample_reports.spoofing import bots, forge
from sample_reports.timeline import DEFAULT_DAYS, DEFAULT_END, Timeline, timeline
from sample_reports.traffic import Traffic, add
from sample_reports.truth import truth, written

DEFAULT_SEED = 20261122


def traffic_of(organisation: Organisation, period: Timeline, seed: int) -> Traffic:
    """All mail of the period, by who reports on it and the day."""
    traffic: Traffic = {}
    machines = {campaign.source: bots(campaign, seed) for campaign in organisation.campaigns}
    for day in period.days():
        sent = [(sender, volume(sender, day, period, seed)) for sender in organisation.senders]
        for sender, messages in sent:
            add(traffic, send(sender, day, messages, seed))
        for forwarder in organisation.forwarders:
            add(traffic, forward(forwarder, sent, day, period, seed))
        for campaign in organisation.campaigns:
            add(traffic, forge(campaign, machines[campaign.source], day, seed))
    return traffic


def reports_of(organisation: Organisation, traffic: Traffic, period: Timeline, seed: int) -> list[Report]:
    """Every report that is written about that mail."""
    found = []
    for reporter in REPORTERS:
        for days in spans(reporter, period):
            if reporter.key == SILENT and days[0] >= period.reporter_silent:
                continue
            for domain in organisation.policies:
                told = report(reporter, domain, days, traffic, (organisation, seed))
                if told:
                    found.append(told)
    return found


def generate(out: Path, seed: int, period: Timeline) -> list[Unit]:
    """Write everything below `out`; what an earlier run has left there is replaced."""
    organisation = northlight(period)
    reports = reports_of(organisation, traffic_of(organisation, period, seed), period, seed)
    found = sorted(
        [
            *units(reports, period, seed),
            *tls_reports(period, seed),
            *bounces(period, seed),
            *failure_reports(organisation, period, seed),
        ],
        key=lambda unit: unit.path,
    )
    for folder in ("files", "mail"):
        shutil.rmtree(out / folder, ignore_errors=True)
        (out / folder).mkdir(parents=True)
    for unit in found:
        (out / unit.path).write_bytes(unit.content)
    (out / "truth.json").write_text(written(truth(found, organisation, period, seed)), encoding="utf-8")
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m sample_reports.generate", description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path(__file__).parent, help="folder to write to")
    parser.add_argument("--seed", type=int, default=DEFAULT_SEED, help="another seed, another organisation's luck")
    parser.add_argument("--end", type=date.fromisoformat, default=DEFAULT_END, help="last day reported on")
    parser.add_argument("--days", type=int, default=DEFAULT_DAYS, help="how many days up to then")
    options = parser.parse_args(arguments)
    found = generate(options.out, options.seed, timeline(options.end, options.days))
    print(f"{len(found)} files in {options.out}")


if __name__ == "__main__":
    main()
