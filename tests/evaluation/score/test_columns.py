from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from pipeline.evaluation.score.columns import WIDTH, table_lines

NAMES = st.text("abc 張三", min_size=1, max_size=120).filter(lambda one: one.strip() == one)
CELLS = st.text("0123456789.±", min_size=1, max_size=30)


@given(st.lists(NAMES, min_size=1, max_size=9, unique=True), st.lists(CELLS, min_size=1, max_size=25), NAMES)
def test_every_line_fits_and_no_number_is_shortened(names: list[str], cells: list[str], title: str) -> None:
    lines = list(table_lines(title, [f"metric{place}" for place in range(len(cells))], dict.fromkeys(names, cells)))
    assert all(cell_len(line) <= WIDTH for line in lines)
    words = [word for line in lines for word in line.split()]
    assert all(words.count(cell) >= len(names) for cell in cells)


def test_columns_that_do_not_fit_follow_below_with_the_names_again() -> None:
    rows = {"ours": ["1.25"] * 12, "theirs": ["10.5"] * 12}
    lines = list(table_lines("Means", [f"number{place:02}" for place in range(12)], rows))
    assert lines[:5] == [
        "Means",
        "",
        "        number00  number01  number02  number03  number04  number05  number06",
        "ours        1.25      1.25      1.25      1.25      1.25      1.25      1.25",
        "theirs      10.5      10.5      10.5      10.5      10.5      10.5      10.5",
    ]
    assert sum(line.startswith("ours") for line in lines) == 2


def test_a_long_name_stands_above_its_numbers() -> None:
    name = "a-system-with-a-very-long-name"
    lines = list(table_lines("Means", ["lmd"], {name: ["0.5"], "b": ["0.6"]}))
    assert [(one, other) for one, other in pairwise(lines) if one == name] == [(name, "   0.5")]
