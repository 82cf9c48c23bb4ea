"""May reports be sent where the record asks for them? The gate, from what DNS says now, or said not long ago."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

from analysis.gates import Gate
from analysis.wording import day

if TYPE_CHECKING:  # what was seen is wanted here, not what looks
    from ingest.probes.dmarc import DmarcObservation

ID: Final = "authorised"
LASTS: Final = timedelta(days=30)  # for which an answer that is kept says more than that reports arrive


def authorised(seen: DmarcObservation) -> Gate:
    """The gate by a look into DNS: what stands there is a fact, and a failure to look proves nothing."""
    at = f"_dmarc.{seen.found_at or seen.domain}"
    if not seen.answered:
        return Gate(ID, "unknown", f"DNS gave no answer for {at} ({seen.status}).", "Ask again.")
    if not seen.records:
        fix = f'Publish at {at}: "v=DMARC1; p=none; rua=mailto:" and your address for reports.'
        return Gate(ID, "stop", f"There is no DMARC record at {at}.", fix)
    if seen.record is None:
        evidence = f"{len(seen.records)} DMARC records stand at {at}, so receivers use none."
        return Gate(ID, "stop", evidence, "Leave exactly one.")
    if seen.unread:
        evidence = f"{seen.unread} of the addresses in rua cannot be read."
        return Gate(ID, "stop", evidence, "Write each as mailto:name@example.com, with commas between them.")
    if not seen.hosts:
        return Gate(ID, "stop", f"The record at {at} asks nobody for reports.", "Add rua=mailto: and your address.")
    return _destinations(seen)


def authorised_then(seen: DmarcObservation, at: date, today: date) -> Gate | None:
    """The gate by what DNS said on an earlier day; None where that is too long ago, or was no answer."""
    return None if today - at > LASTS else told_on(seen, at, today)


def told_on(seen: DmarcObservation, at: date, today: date) -> Gate | None:
    """The same, however long ago it was."""
    if not seen.answered:
        return None
    gate = authorised(seen)
    return replace(gate, evidence=f"{gate.evidence} DNS said so on {day(min(at, today))}.")


def _destinations(seen: DmarcObservation) -> Gate:
    missing = [one for one in seen.destinations if one.takes is False]
    if missing:
        evidence = f"{missing[0].host} does not say that it takes reports about {seen.found_at}, so many are not sent."
        fix = f'Whoever runs {missing[0].host} publishes at {missing[0].name}: "v=DMARC1".'
        return Gate(ID, "stop", evidence, fix, missing[0].host)
    failed = [one for one in seen.destinations if one.takes is None]
    if failed:
        return Gate(ID, "unknown", f"DNS gave no answer for {failed[0].name}.", "Ask again.")
    where = ", ".join(seen.hosts[:3]) + (f" and {len(seen.hosts) - 3} more" if len(seen.hosts) > 3 else "")
    said = "which say that they take them" if seen.destinations else "all of your own organization"
    return Gate(ID, "pass", f"The record asks for reports at {where}, {said}.")
