"""The catalogue's entries: consistent, sure of what they claim, and fit to be shown."""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from publicsuffixlist import PublicSuffixList

from ingest.catalogue.catalogue import NAMED, catalogue
from ingest.catalogue.hosts import host_by_asn, host_by_ptr
from ingest.catalogue.load import FOLDER, BrokenCatalogue, load
from ingest.catalogue.selectors import compiled
from ingest.catalogue.service import CATEGORIES, MARKS, ROLES, Service
from ingest.network import ServiceMap

SERVICES = load()
DOORS = {
    "ptr": "by_ptr",
    "spf": "by_include",
    "bounce": "by_bounce_domain",
    "bounce_target": "by_bounce_target",
    "dkim_target": "by_dkim_target",
    "signs_as": "by_signing_domain",
    "asn": "by_asn",
}
HOST_NAME = re.compile(r"(?=.{4,253}$)(_?[a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}")

# Where the map of names that parsedmarc brings calls the owner of a reverse name otherwise, and why ours stands.
OTHERWISE = {
    "mout.kundenserver.de": "kundenserver.de is the mail platform of IONOS (1&1); domainfactory has ispgateway.de.",
    "mail.unifiedlayer.com": "Unified Layer is the network of Bluehost and HostGator.",
    "protection.partner.outlook.cn": "Outlook (China) is Microsoft 365 operated by 21Vianet.",
    "serverdata.net": "serverdata.net holds Intermedia's hosted Exchange.",
    "mailin.fr": "Sendinblue is the former name of Brevo.",
}
# Services with mail hosts of their own whose owners the map files under web hosters or access providers.
MAIL_OF_PROVIDERS = {"mailchannels", "namecheap-forwarding", "gmx-webde", "intermedia"}


def sample(mark: str) -> str:
    """A name of a numbered family."""
    return mark.replace("{n}", "27")


def every(*fields: str) -> list[tuple[Service, str, str]]:
    return [(one, field, str(mark)) for one in SERVICES for field in fields for mark in getattr(one, field)]


def test_there_are_enough_of_them_and_ids_are_unique() -> None:
    assert len(SERVICES) >= 150
    ids = [one.id for one in SERVICES]
    assert len(set(ids)) == len(ids)
    assert not [text for text in ids if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", text)]
    names = Counter(one.name.lower() for one in SERVICES)
    assert names.most_common(1)[0][1] == 1
    assert {one.category for one in SERVICES} == set(CATEGORIES) == {path.stem for path in FOLDER.glob("*.toml")}
    assert {one.role for one in SERVICES} == set(ROLES)


def test_no_mark_is_claimed_twice() -> None:
    claims = Counter((field, mark) for _, field, mark in every(*NAMED, "asn", "selectors"))
    assert not [claim for claim, times in claims.items() if times > 1]
    mixed = [one.id for one in SERVICES if set(one.selectors) & set(one.common_selectors)]
    assert not mixed


def test_every_service_can_be_recognised() -> None:
    assert not [one.id for one in SERVICES if not any(getattr(one, field) for field in MARKS)]


def test_names_are_whole_domains_and_nobodys_suffix() -> None:
    suffixes = PublicSuffixList(only_icann=True)
    wrong = [
        (one.id, mark)
        for one, _, mark in every(*NAMED)
        if not HOST_NAME.fullmatch(sample(mark)) or not suffixes.privatesuffix(sample(mark))
    ]
    assert not wrong


def test_no_hoster_names_a_service() -> None:
    hosters = [(one.id, mark) for one, _, mark in every("asn") if host_by_asn(int(mark))]
    rented = [(one.id, mark) for one, _, mark in every("ptr") if host_by_ptr(mark) or host_by_ptr(f"x.{mark}")]
    assert not hosters
    assert not rented


@pytest.mark.parametrize("field", DOORS)
def test_each_mark_is_found_by_its_door(field: str) -> None:
    door = getattr(catalogue(), DOORS[field])
    for one in SERVICES:
        for mark in getattr(one, field):
            trace = mark if field == "asn" else sample(mark)
            match = door(trace)
            assert match
            assert (match.service.id, match.field, match.mark) == (one.id, field, str(mark))
            assert field == "asn" or door(f"x.y.{trace}.").service.id == one.id
            assert field == "asn" or (beside := door(f"x{trace}")) is None or beside.mark != mark
            assert trace == mark or door(mark) is None


def test_a_numbered_family_is_told_by_its_number_alone() -> None:
    known = catalogue()
    assert known.by_bounce_domain("mail3.bounce.ACEMS12.com.").service.id == "activecampaign"  # type: ignore[union-attr]
    for trace in ("acems.com", "acems12345.com", "acems12.com.evil.test", "xacems1.com", "acems{n}.com", "acems1x.com"):
        assert known.by_bounce_domain(trace) is None
    # What follows a number elsewhere in the name is not counted.
    assert known.by_bounce_domain("s7.cmail20.com").mark == "cmail{n}.com"  # type: ignore[union-attr]


def test_no_family_meets_a_name_that_another_service_claims() -> None:
    doors = {field: getattr(catalogue(), DOORS[field]) for field in NAMED}
    assert not [(one.id, mark) for one, field, mark in every(*NAMED) if doors[field](sample(mark)).service.id != one.id]


def test_who_carries_others_sends_for_anybody() -> None:
    assert {one.role for one in SERVICES if one.carries} == {"sender"}


def test_each_selector_is_a_pattern_and_is_found() -> None:
    for one, field, mark in every("selectors", "common_selectors"):
        compiled(mark)
        sample = mark.replace("{n}", "7").replace("{hex}", "0af").replace("{token}", "a2" * 16).replace("{any}", "x-y")
        assert (one.id, field) in [(m.service.id, m.field) for m in catalogue().by_selector(sample.upper())]


def test_texts_are_sentences_without_markup() -> None:
    for one in SERVICES:
        for text in (one.fix_spf, one.fix_dkim, *([one.notes] if one.notes else [])):
            assert re.fullmatch(r"[A-Z][^<>\[\]*`|\n]{15,320}\.", text), (one.id, text)
        assert one.name.strip() == one.name != ""
        assert not re.search(r"[<>\[\]*`|_\n]", one.name)


def test_documents_are_pages_of_the_web_and_checked_before_now() -> None:
    tomorrow = datetime.now(UTC).date() + timedelta(days=1)  # somewhere on Earth it is tomorrow already
    for one in SERVICES:
        url = urlsplit(one.docs)
        assert url.scheme == "https", one.id
        assert HOST_NAME.fullmatch(url.netloc), one.id
        assert not re.search(r"[\s()<>]", one.docs), one.id
        assert one.checked_on <= tomorrow, one.id


def words(text: str) -> set[str]:
    return set(re.findall(r"[a-z0-9]{3,}", text.lower()))


def test_the_map_of_names_agrees_or_the_reason_is_written_down() -> None:
    second, differing, compared = ServiceMap(), set(), 0
    for one, _, mark in every("ptr"):
        theirs = second.lookup(mark)
        if theirs is None:
            continue
        compared += 1
        ours = re.sub(r"[^a-z0-9]", "", f"{one.id}{one.name}".lower())
        squeezed = re.sub(r"[^a-z0-9]", "", theirs.name.lower())
        if not any(word in ours for word in words(theirs.name)) and not any(word in squeezed for word in words(one.id)):
            differing.add(mark)
        if theirs.type in {"ISP", "Web Host", "IaaS", "PaaS"} and one.role != "hosting":
            assert one.id in MAIL_OF_PROVIDERS, (one.id, mark, theirs)
    assert compared > 100
    assert differing == set(OTHERWISE)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[a", "marketing.toml"),
        ("a = 1", "is not a table"),
        ("[a]\nptrs = []", "unknown key ptrs"),
        ("[a]\nptr = 'x.example'", "ptr is not a list"),
        ("[a]\nasn = ['1']", "asn is not a list of numbers"),
        ("[a]\nname = 1", "name is not text"),
        ("[a]\nrole = 'king'\nchecked_on = 2026-01-01", "role is not one of"),
        ("[a]\nrole = 'list'\nchecked_on = 2026-01-01T00:00:00", "checked_on is not a date"),
        ("[a]\nrole = 'sender'\nchecked_on = 2026-01-01", "aligns_spf is not one of"),
        ("[a]\nrole = 'list'\nchecked_on = 2026-01-01\nchecked_with = 'records'\ncarries = 1", "carries is neither"),
    ],
)
def test_a_slip_of_the_pen_is_told_by_its_place(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "marketing.toml").write_text(text)
    with pytest.raises(BrokenCatalogue, match=re.escape(said)):
        load(tmp_path)


def test_a_file_of_no_category_is_refused(tmp_path: Path) -> None:
    (tmp_path / "odds.toml").write_text("")
    with pytest.raises(BrokenCatalogue, match="no category"):
        load(tmp_path)
