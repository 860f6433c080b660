"""Write the measured tables into the docs: `python docs/tables.py`. With `--check` only compare.

A page marks a table with `<!-- measured: NAME -->` and `<!-- /measured -->`. docs/measured/NAME.csv has its cells, and
docs/measured/sources.csv the command that produced each file.
"""

import csv
import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
MEASURED = ROOT / "docs/measured"
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), ROOT / "models/pretrained/README.md")
NOT_TABLES = ("sources", "numbers", "constants")
"""Files of docs/measured without a table in the docs: the sources, and the numbers in sentences."""
WRITTEN, RECORDED = "command", "recorded from the output"
"""How a file was written, in sources.csv: by its command, or by hand from the output of the command."""
BLOCK = re.compile(r"<!-- measured: (\w+) -->\n(.*?)<!-- /measured -->", re.DOTALL)


def read(name: str) -> list[list[str]]:
    """Return the rows of docs/measured/NAME.csv, the header first."""
    with (MEASURED / f"{name}.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    assert all(len(row) == len(rows[0]) for row in rows), f"{name}.csv has rows of different lengths"
    return rows


def write(name: str, rows: list[list[str]]) -> None:
    """Write docs/measured/NAME.csv, the header first."""
    with (MEASURED / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)


def markdown(rows: list[list[str]]) -> str:
    """Return the rows as a Markdown table."""
    header, *body = [[f"{cell} " if cell else "" for cell in row] for row in rows]
    lines = ["".join(f"| {cell}" for cell in row) + "|\n" for row in (header, *body)]
    return lines[0] + "|---" * len(header) + "|\n" + "".join(lines[1:])


def names(text: str) -> list[str]:
    """Return the names of the tables in a page."""
    return [match[1] for match in BLOCK.finditer(text)]


def rendered(text: str) -> str:
    """Return the page with its tables taken from the CSV files."""
    return BLOCK.sub(lambda match: f"<!-- measured: {match[1]} -->\n{markdown(read(match[1]))}<!-- /measured -->", text)


def main(check: bool) -> int:
    """Write the tables, or only compare them with ``check``. Return the exit status: 1 if a compared page differs."""
    changed = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        if (new := rendered(text)) != text:
            changed.append(page.relative_to(ROOT).as_posix())
            if not check:
                page.write_text(new, encoding="utf-8")
    verb = "differs from docs/measured. Run `python docs/tables.py`." if check else "written"
    for name in changed:
        print(f"{name}: {verb}")
    return int(check and bool(changed))


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv[1:]))
