"""Whether held-out clips confirm the choice of new networks."""

import math

import pytest

from pipeline.personalize.choose import HeldOutRow
from pipeline.personalize.personalize import AFTER, BEFORE, confirmed


def rows(before: list[float], after: list[float]) -> list[HeldOutRow]:
    return [
        {"method": method, "lmd": lmd, "opening": 0.5}
        for method, values in ((BEFORE, before), (AFTER, after))
        for lmd in values
    ]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ([1.0, 1.2], [0.9, 1.0], True),
        ([1.0, 1.2], [1.1, 1.2], False),
        ([1.0, math.nan], [0.9, 0.8], True),  # a clip without a face does not count as LMD 0
        ([1.0, 1.2], [1.3, math.nan], False),
        ([1.0, 1.2], [math.nan, math.nan], False),
    ],
)
def test_only_a_lower_lmd_confirms(before: list[float], after: list[float], expected: bool) -> None:
    assert confirmed(rows(before, after)) == expected


def test_a_still_mouth_has_no_correlation() -> None:
    still = rows([1.0], [0.9])
    still[1]["opening"] = math.nan
    assert not confirmed(still)
