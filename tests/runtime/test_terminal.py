"""Tables keep every value at every width."""

import re

import pytest
from rich.console import Console

from pipeline.runtime.terminal import print_table

HEADER = ("metric", "before", "after", "difference")
ROWS = [
    ("silent_stability", "0.652", "0.710", "+0.058 [+0.031, +0.085]"),
    ("lmd ↓", "[name]", "0.541", "-0.003 [-0.010, +0.004]"),
]


def printed(width: int) -> list[str]:
    console = Console(width=width, force_terminal=False)
    with console.capture() as captured:
        print_table(console, "Means", HEADER, ROWS)
    return captured.get().splitlines()


@pytest.mark.parametrize("width", [20, 40, 46, 60, 80, 200])
def test_every_value_is_whole(width: int) -> None:
    lines = printed(width)
    text = "\n".join(lines)
    assert "…" not in text
    for value in (one for row in (HEADER[1:], *ROWS) for one in row):
        assert re.search(rf"(^|\s){re.escape(value)}($|\s)", text, re.MULTILINE), value


@pytest.mark.parametrize(("width", "tables"), [(200, 1), (59, 1), (46, 2)])
def test_columns_that_do_not_fit_get_a_further_table(width: int, tables: int) -> None:
    lines = printed(width)
    assert sum(line.startswith("metric") for line in lines) == tables
    assert max(map(len, lines)) <= width


def test_a_very_narrow_terminal_gets_a_line_per_value() -> None:
    assert printed(38)[:5] == [
        "Means",
        "silent_stability",
        "  before 0.652",
        "  after 0.710",
        "  difference +0.058 [+0.031, +0.085]",
    ]
