"""Numbers as people read them: one thing is one thing."""

from __future__ import annotations

import pytest

from analysis.gates import Gate
from analysis.wording import count, percent


@pytest.mark.parametrize(
    ("number", "said"), [(0, "0 days"), (1, "1 day"), (2, "2 days"), (1204, "1,204 days"), (1001, "1,001 days")]
)
def test_one_is_one(number: int, said: str) -> None:
    assert count(number, "day") == said


def test_a_plural_that_is_not_made_with_an_s_is_given() -> None:
    assert [count(number, "address", "addresses") for number in (1, 2)] == ["1 address", "2 addresses"]


def test_a_share_is_none_or_all_only_where_it_is() -> None:
    assert [percent(part, 1_000_000) for part in (0, 1, 999_999, 1_000_000)] == [
        "0.0 %",
        "less than 0.1 %",
        "almost 100 %",
        "100.0 %",
    ]


def test_what_stops_says_who_is_to_act_or_that_nobody_is_known() -> None:
    said = [Gate("dkim", state, "", "Sign.", owner).step for state in ("stop", "unknown") for owner in ("Ada", None)]
    assert said == ["Sign. (Ada)", "Sign. (nobody yet)", "Sign. (Ada)", "Sign."]
