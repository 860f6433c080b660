"""Every measured number of the docs is in docs/measured, in tables and in sentences."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from docs import measure, tables

PROSE = ("README.md", "docs/results.md", "docs/generate.md", "docs/personalize.md", "models/pretrained/README.md")
"""Pages whose sentences are checked too."""
DEFINITIONS = {
    ("docs/evaluation.md", "| file | content |"),  # levels of intervals
    ("docs/install.md", "| what | licence |"),
    ("docs/metrics.md", "| metric | what | formula | unit | better | needs | source |"),
    ("docs/published.md", "| | difference |"),  # tolerances of tests
    ("docs/published.md", "| | the original | here |"),
    ("docs/serving.md", "| what | how, with the names of |"),  # formulas
    ("docs/troubleshooting.md", "| text | cause and fix |"),
    ("models/pretrained/README.md", "| corpus | clips of 3 s that trained | what |"),
}
"""Tables whose decimals or percentages are definitions, not measurements: page and header."""
NUMBER = re.compile(r"(?<![\w.,])\d[\d,]*(?:\.\d+%?|%)(?![\w.]*\d)")
"""A decimal number or a percentage, without its sign."""


def text_of(page: str) -> str:
    """The page without code, which has parameters, not results."""
    text = (tables.ROOT / page).read_text(encoding="utf-8")
    text = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    return re.sub(r"^    .*$|`[^`\n]*`|\]\([^)]*\)", "", text, flags=re.MULTILINE)


def tables_in(text: str) -> list[str]:
    return re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE)


def numbers_of(name: str) -> set[str]:
    return {number for row in tables.read(name) for cell in row for number in NUMBER.findall(cell)}


def constants_of(page: str) -> set[str]:
    """The numbers that numbers.csv and constants.csv give for the page."""
    return {number for name in ("numbers", "constants") for where, number, _ in tables.read(name) if where == page}


def test_the_pages_show_the_measured_tables() -> None:
    done = subprocess.run(
        [sys.executable, "docs/tables.py", "--check"], cwd=tables.ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout


def test_a_different_table_is_found_and_rewritten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"Before.\n\n<!-- measured: grid -->\n{tables.markdown(tables.read('grid'))}<!-- /measured -->\n")
    monkeypatch.setattr(tables, "ROOT", tmp_path)
    monkeypatch.setattr(tables, "PAGES", (page,))
    right = page.read_text()
    assert tables.main(check=True) == 0
    page.write_text(right.replace("0.652", "0.552"))
    assert tables.main(check=True) == 1
    assert "page.md: differs" in capsys.readouterr().out
    assert tables.main(check=False) == 0
    assert page.read_text() == right


def test_every_file_has_a_source_and_a_page() -> None:
    files = {path.stem for path in tables.MEASURED.glob("*.csv")}
    _, *sources = tables.read("sources")
    assert sorted(row[0] for row in sources) == sorted(files - {"sources", "constants"})
    assert all(all(row) for row in sources), "a cell of sources.csv is empty"
    assert {row[-1] for row in sources} == {tables.WRITTEN, tables.RECORDED}
    shown = {name for page in tables.PAGES for name in tables.names(page.read_text(encoding="utf-8"))}
    assert shown == files - set(tables.NOT_TABLES)


def test_every_measured_table_is_in_a_block() -> None:
    used = set()
    for page in tables.PAGES:
        name = page.relative_to(tables.ROOT).as_posix()
        for table in tables_in(tables.BLOCK.sub("", text_of(name))):
            if NUMBER.search(table):
                used.add((name, " ".join(table.splitlines()[0].split())))
    assert used == DEFINITIONS


@pytest.mark.parametrize("page", PROSE)
def test_every_number_in_a_sentence_is_measured_or_a_constant(page: str) -> None:
    text = (tables.ROOT / page).read_text(encoding="utf-8")
    measured = set().union(*map(numbers_of, tables.names(text)))
    prose = "".join(line for line in text_of(page).splitlines(True) if not line.startswith("|"))
    stated = set(NUMBER.findall(prose))
    assert stated - measured - constants_of(page) == set(), "add it to a table, to numbers.csv or to constants.csv"
    assert constants_of(page) - stated == set(), "a number of numbers.csv or constants.csv is no longer in the page"


def test_the_overview_has_the_numbers_of_the_other_pages() -> None:
    assert tables.read("overview") == measure.overview()
