"""Colours of the charts, and the little CSS that Streamlit's own settings have no name for.

The class colours were picked so that every pair stays apart (CIE76 ΔE ≥ 25 on white, ≥ 19 on the dark
ground) for people with protanopia, deuteranopia and tritanopia, by Machado's simulation. Colour is never
the only sign: legends and badges carry a shape or an icon and the word.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import streamlit as st


@dataclass(frozen=True, slots=True)
class Palette:
    """One mode's chart colours: the classes of mail, and what is drawn around them."""

    aligned: str
    misaligned: str
    forwarded: str
    unknown: str
    spoofing: str
    ground: str
    text: str
    rule: str
    edge: str
    band: str
    middle: str


LIGHT: Final = Palette(
    aligned="#0072B2",
    misaligned="#C44E00",
    forwarded="#F2B134",
    unknown="#5C2751",
    spoofing="#8A93A3",
    ground="#FFFFFF",
    text="#18212F",
    rule="#5B6778",
    # Amber is 1.9:1 on white; a bar of it needs an edge that can be seen (WCAG 1.4.11).
    edge="#8A5A00",
    band="#E8EDF3",
    middle="#EEF1F5",
)
DARK: Final = Palette(
    aligned="#4AA8E0",
    misaligned="#F0703C",
    forwarded="#F7D774",
    unknown="#F4E9F2",
    spoofing="#6B7688",
    ground="#0E1420",
    text="#E6EBF3",
    rule="#A6B2C4",
    edge="#F7D774",
    band="#222C3D",
    middle="#2A3548",
)

# Constant text only; what reports say never comes near it. The classes are those of words.say().
STYLE: Final = """<style>
.ws { margin: 0; line-height: 1.5; overflow-wrap: anywhere; white-space: pre-wrap; }
.ws-strong { font-weight: 600; }
.ws-quiet { font-size: 0.9rem; opacity: 0.78; }
.ws-code { font-family: "Source Code Pro", monospace; font-size: 0.82rem; padding: 0.1rem 0.35rem;
  border-radius: 0.35rem; background: rgba(127, 145, 170, 0.16); }
.ws-lead { font-size: 1.08rem; }
.ws-ledger { list-style: none; padding: 0 !important; margin: 0 !important; }
.ws-ledger li { display: flex; gap: 0.6rem; padding: 0.2rem 0 !important; margin: 0 !important; font-size: 0.95rem; }
.ws-weight { flex: 0 0 2.6rem; text-align: right; white-space: nowrap;
  font-variant-numeric: tabular-nums; font-weight: 600; }
.ws-rows { font-size: 0.78rem; opacity: 0.7; font-family: "Source Code Pro", monospace; white-space: nowrap; }
.ws-facts { margin: 0 0 0.5rem !important; padding: 0 !important; display: grid; grid-template-columns: max-content 1fr;
  gap: 0.2rem 0.9rem; white-space: normal; }
.ws-facts dt { font-weight: 600; font-size: 0.95rem; }
.ws-facts dd { margin: 0 !important; font-size: 0.95rem; }
.ws-disc { flex: 0 0 1.25rem; height: 1.25rem; line-height: 1.25rem; border-radius: 50%; text-align: center;
  font-size: 0.75rem; font-weight: 700; background: rgba(127, 145, 170, 0.28); margin-top: 0.12rem; }
.ws-swatches { display: flex; flex-wrap: wrap; gap: 0.3rem 1.2rem; font-size: 0.9rem; white-space: normal; }
.ws-swatch i { display: inline-block; width: 0.8rem; height: 0.8rem; border-radius: 0.15rem; margin-right: 0.4rem;
  vertical-align: -0.06rem; box-shadow: inset 0 0 0 1px rgba(90, 70, 20, 0.45); }
.ws-swatch b { font-weight: 600; font-variant-numeric: tabular-nums; }
.st-key-at-hand { box-shadow: inset 0.25rem 0 0 #0072B2; }
@media (hover: none), (max-width: 640px) { .st-key-keys, kbd[aria-label^="Shortcut"] { display: none; } }
.ws-spark { display: block; color: inherit; }
[data-testid="stMainBlockContainer"] { padding-inline: clamp(1rem, 2.4vw, 4rem); }
[data-testid="stMetricValue"], [data-testid="stMetricDelta"] { font-variant-numeric: tabular-nums; }
</style>"""


def palette() -> Palette:
    """The colours for the mode that the browser is in."""
    return DARK if st.context.theme.type == "dark" else LIGHT


def apply() -> None:
    """Put the CSS on the page."""
    st.html(STYLE)
