"""What a person can set about domains and summaries. Each field has its default and its sentence."""

from __future__ import annotations

from dataclasses import dataclass

from ingest.settings import setting


@dataclass(frozen=True, slots=True)
class DomainSettings:
    """What is known of one domain beyond its reports."""

    name: str = setting("", "The domain, as in policy_published.")
    client: str = setting("", "Whose domain it is, where one warehouse serves several clients.")
    owner: str = setting("", "Person or team to act when something is wrong with it.")
    target: str = setting("", "The policy it is to reach, quarantine or reject; empty means the next stricter one.")


@dataclass(frozen=True, slots=True)
class ReportSettings:
    """The weekly summary."""

    owner: str = setting("", "Person or team to act where neither the source nor its domain has an owner.")
    app_url: str = setting("", "Address of the app, for links in the summary; empty means no links.")
    sources: int = setting(5, "Most sources listed for each domain; the rest is counted.")
