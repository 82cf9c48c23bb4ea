"""The verdict on a domain: its sentence, the way to p=reject, the conditions and the next step."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Final

import streamlit as st

from analysis.candidate import LONGEST, Candidate, parse
from analysis.next_record import next_record
from analysis.readiness import Gate, Readiness
from app.render import SCHEMA_VERSION, to_json
from app.web import words
from ingest.errors import UsageError

POLICIES: Final = ("none", "quarantine", "reject")
GATES: Final = {
    "fresh": "Reports are fresh",
    "enough_days": "Enough days",
    "enough_reporters": "Enough reporters",
    "policy": "Published policy",
    "legitimate_mail": "Your own mail aligns",
    "decided": "Sources are decided",
    "dkim": "DKIM carries it",
    "drift": "No sender has drifted",
    "subdomains": "Subdomains follow",
    "month_end": "A month's end was seen",
    "unseen": "No sender is unseen",
    "authorised": "Reports may be sent to you",
}


def title(judged: Readiness) -> str:
    """The verdict in a few words."""
    if judged.verdict == "unknown":
        return f"Too little or too old data to judge p={judged.target}"
    if judged.verdict == "go":
        return f"p={judged.target} holds, and costs you nothing" if judged.already else f"Ready for p={judged.target}"
    if not judged.already:
        return f"Not ready for p={judged.target}"
    if any(gate.id == "legitimate_mail" and gate.state == "stop" for gate in judged.gates):
        return f"p={judged.target} blocks mail of your own"
    return f"p={judged.target} holds, with something to mend"


def summary(gates: Sequence[Gate]) -> str:
    """How many of the conditions hold."""
    states = Counter(gate.state for gate in gates)
    holding = f"{states['pass']} hold" if states["pass"] != 1 else "1 holds"
    if states["stop"]:
        return f"**{states['stop']} of {len(gates)}** conditions stop it; {holding}."
    if states["unknown"]:
        return f"**{states['unknown']} of {len(gates)}** conditions cannot be judged yet; {holding}."
    return f"All **{len(gates)}** conditions hold."


def way(judged: Readiness) -> None:
    """Where the domain stands between p=none and p=reject, and where it is to go."""
    for at, policy in enumerate(POLICIES):
        if at:
            st.markdown(":gray[:material/arrow_forward:]", width="content")
        if policy == judged.published:
            st.badge(f"p={policy}, now", icon=":material/my_location:", color="blue")
        elif policy == judged.target:
            st.badge(f"p={policy}, next", icon=":material/flag:", color="gray")
        else:
            st.badge(f"p={policy}", color="gray")


def next_step(judged: Readiness, present: Candidate | None = None) -> None:
    """The one thing to do now, and the evidence for a change request; `present` is the record that DNS showed."""
    with st.container(border=True, gap="small"):
        st.markdown(":material/build: **Next step**")
        closed = [gate for gate in judged.gates if gate.state != "pass" and gate.fix]
        if closed:
            words.say(closed[0].fix, "lead", limit=600)
            if len(closed) > 1:
                more = words.count(len(closed) - 1, "more condition waits", "more conditions wait")
                words.say(f"{more} below.", "quiet")
        elif judged.already:
            words.say("Nothing. Keep an eye on Drift: a sender that breaks now loses its mail at once.", "lead")
        else:
            _record(judged, present)
        document = to_json({"schema_version": SCHEMA_VERSION, **asdict(judged)})
        name = f"whosends-readiness-{words.plain(judged.domain, 60).replace('/', '-')}-{judged.target}.json"
        st.download_button(
            "Evidence as JSON",
            document,
            name,
            "application/json",
            key="evidence",
            icon=":material/download:",
            on_click="ignore",
        )


def _record(judged: Readiness, present: Candidate | None) -> None:
    """The record to publish next, ready to copy; whole where DNS or somebody gives the present one."""
    given = st.text_input(
        "Your present record, so that its other tags are kept",
        max_chars=LONGEST,
        key="present record",
        placeholder="as DNS shows it below" if present else "v=DMARC1; p=none; rua=mailto:…",
    )
    if given:
        try:
            present = parse(given)
        except UsageError as error:
            words.say(error, "quiet", limit=600)
    step = next_record(judged.policy, judged.target, present)
    if step is None:
        words.say("The present record is there already.", "lead")
        return
    where = f"the TXT record at _dmarc.{judged.domain}"
    if step.record:
        words.say(f"Publish this as {where}:", "lead")
        st.code(step.record, language=None, wrap_lines=True)
    else:
        drop = f"; take out {', '.join(step.drop)}" if step.drop else ""
        words.say(f"In {where}, set this and leave the rest as it is{drop}:", "lead")
        st.code(step.changes or f"p={judged.target}", language=None)
    words.say(step.why, "quiet", limit=600)
    words.say(step.watch, "quiet", limit=600)


def conditions(gates: Sequence[Gate]) -> None:
    """Each condition: icon and word, the evidence, and what to do where it does not hold."""
    with st.container(border=True, gap="medium"):
        for gate in gates:
            left, right = st.columns([3, 7], vertical_alignment="top", gap="small")
            with left, st.container(horizontal=True, vertical_alignment="center", gap="small"):
                words.badge(words.STATES, gate.state)
                words.say(GATES.get(gate.id, gate.id), "strong", width="content")
            with right, st.container(gap="xxsmall"):
                words.say(gate.evidence, limit=600)
                if gate.state != "pass" and gate.fix:
                    words.say(f"→ {gate.step}", "quiet", limit=600)
