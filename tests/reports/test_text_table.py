"""Tables in the terminal keep every value at every width."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from pipeline.reports.text_table import print_table, table_lines

HEADER = ("metric", "before", "after", "difference")
ROWS = [
    ("silent_stability", "0.652", "0.710", "+0.058 [+0.031, +0.085]"),
    ("lmd ↓", "[name]", "0.541", "-0.003 [-0.010, +0.004]"),
]
NAMES = st.text("abc 張三", min_size=1, max_size=79).filter(lambda name: name.strip() == name)
CELLS = st.text("0123456789.±", min_size=1, max_size=30)


def printed(width: int) -> list[str]:
    console = Console(width=width, force_terminal=False)
    with console.capture() as captured:
        print_table(console, "Means", HEADER, ROWS)
    return captured.get().splitlines()


@pytest.mark.parametrize("width", [20, 40, 46, 60, 80, 200])
def test_every_value_is_whole(width: int) -> None:
    text = "\n".join(printed(width))
    assert "…" not in text
    for value in (cell for row in (HEADER[1:], *ROWS) for cell in row):
        assert re.search(rf"(^|\s){re.escape(value)}($|\s)", text, re.MULTILINE), value


@pytest.mark.parametrize(("width", "tables"), [(200, 1), (56, 1), (46, 2)])
def test_columns_that_do_not_fit_get_a_further_table(width: int, tables: int) -> None:
    lines = printed(width)
    assert sum(line.startswith("metric") for line in lines) == tables
    assert max(map(len, lines)) <= width


@given(st.lists(NAMES, min_size=1, max_size=9, unique=True), st.lists(CELLS, min_size=1, max_size=25))
def test_every_line_fits_and_no_value_is_shortened(names: list[str], cells: list[str]) -> None:
    header = ["", *(f"metric{place}" for place in range(len(cells)))]
    lines = list(table_lines(header, [[name, *cells] for name in names], 80))
    assert all(cell_len(line) <= 80 for line in lines)
    words = [word for line in lines for word in line.split()]
    assert all(words.count(cell) >= len(names) for cell in cells)


def test_long_names_stand_above_their_values_where_the_table_is_too_wide() -> None:
    rows = [["a-system-with-a-very-long-name", "0.5", "0.6"], ["b", "0.7", "0.8"]]
    beside = list(table_lines(["", "lmd", "psnr"], rows, 80))
    assert beside[2] == "a-system-with-a-very-long-name  0.5   0.6"
    assert list(table_lines(["", "lmd", "psnr"], rows, 40)) == [
        "   lmd  psnr",
        "────────────",
        "a-system-with-a-very-long-name",
        "   0.5   0.6",
        "b  0.7   0.8",
        "",
    ]
