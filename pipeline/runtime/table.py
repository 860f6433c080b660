"""CSV tables that users write by hand, with a spreadsheet or with pandas."""

import csv
import io
import re
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from typing import NamedTuple

from pipeline.runtime.errors import PipelineError
from pipeline.runtime.files import decode

CsvRow = dict[str, str]
"""The stripped cells of a row, by column."""

_SEPARATORS = ",;\t|"
_SEP_LINE = re.compile(r'\s*"?sep=(.)"?[,;\t|]*[^\S\r\n]*(?:\r\n|\r|\n|$)', re.IGNORECASE)
"""A first line that Excel writes."""
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")  # first bytes of .xlsx and .ods, and of .xls


@dataclass(frozen=True)
class Table:
    """A table with column names in lower case."""

    columns: list[str]
    rows: list[CsvRow]
    faults: dict[int, str] = field(default_factory=dict)
    """Reasons, by index, why rows cannot be used; their cells may be in wrong columns."""


def read_table(path: Path, known: Collection[str]) -> Table:
    """Read a CSV. The separator is that of Excel's `sep=` line, or the one that yields most of the ``known`` columns.

    Missing cells at the end of a row are empty. Blank lines and empty columns without a name are dropped.

    Raises OSError if the file cannot be opened, and PipelineError if it is no CSV, or has columns without a name or two
    of one name.
    """
    text = _text(path)
    sep_line = _SEP_LINE.match(text)
    body = text[sep_line.end() :] if sep_line else text
    separator = sep_line.group(1) if sep_line else _separator(body, known)
    lines = _split(path, body, separator, len(text.splitlines()) - len(body.splitlines()))
    header = lines.pop(0) if lines else _Line(1, [], None)
    if header.last:
        raise PipelineError(f"{path}: a column's name holds a line break. Close its quotes, or write it in one line.")
    names = [name.lower() for name in header.cells]
    while names and not names[-1]:
        names.pop()
    if twice := [name for name, count in Counter(filter(None, names)).items() if count > 1]:
        raise PipelineError(f"{path}: the column {', '.join(twice)} is there twice. Remove or rename one of the two.")
    rows, faults = [], {}
    for number, line in enumerate(lines):
        named = list(zip_longest(names, line.cells[: len(names)], fillvalue=""))
        for place, (name, cell) in enumerate(named, 1):
            if cell and not name:
                raise PipelineError(
                    f"{path}: column {place} has no name, and line {line.number} has {cell[:40]!r} in it. Name or "
                    "remove the column; pandas leaves its index out with to_csv(..., index=False)."
                )
        if line.last:
            faults[number] = f"Lines {line.number} to {line.last} are one row, as a quote is not closed. Close it."
        elif any(line.cells[len(names) :]):
            faults[number] = f"Line {line.number} has more cells than columns. Quote cells that hold the separator."
        elif "\0" in "".join(line.cells):
            faults[number] = f"Line {line.number} has a NUL byte. Write the line again."
        rows.append({name: cell for name, cell in named if name})
    return Table(list(filter(None, names)), rows, faults)


def _text(path: Path) -> str:
    data = path.read_bytes()
    if data.startswith(_WORKBOOKS):
        raise PipelineError(f"{path} is a workbook, not a CSV. Save it as CSV UTF-8, and give that file.")
    if "\0" in decode(data, errors="replace").partition("\n")[0]:
        raise PipelineError(f"{path} is UTF-16 without a byte order mark, or no text. Save it as CSV UTF-8.")
    try:
        return decode(data)
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        fault = f"is not {error.encoding.upper()}: {error.reason} in line {line}"
        raise PipelineError(fault, subject=path, advice="Save it as CSV UTF-8, and give that file.") from error


class _Line(NamedTuple):
    number: int
    cells: list[str]
    last: int | None  # the last line, if a cell with a line break joins several


def _separator(text: str, known: Collection[str]) -> str:
    """The separator that yields most of the ``known`` columns in the first line, preferably the comma."""
    header = next((line.lower() for line in text.splitlines() if re.search(r"\w", line)), "")

    def known_columns(separator: str) -> int:
        try:
            (names,) = csv.reader([header], delimiter=separator, skipinitialspace=True) if header else ([],)
        except csv.Error:  # a very long line; `_split` reports it if the chosen separator does not help
            return 0
        return len({name.strip() for name in names} & set(known))

    return max(_SEPARATORS, key=known_columns)


def _split(path: Path, text: str, separator: str, before: int) -> list[_Line]:
    """The lines of ``text`` that are not blank; ``before`` is the number of lines above it in the file."""
    file = io.StringIO(text if text.endswith(("\n", "\r")) else f"{text}\n", newline="")
    reader = csv.reader(file, delimiter=separator, skipinitialspace=True)
    lines: list[_Line] = []
    line = 1
    try:
        for cells in reader:
            broken = any("\n" in cell or "\r" in cell for cell in cells)
            if any(stripped := [cell.strip() for cell in cells]):
                lines.append(_Line(before + line, stripped, before + reader.line_num if broken else None))
            line = reader.line_num + 1
    except csv.Error as error:
        raise PipelineError(f"{path}, line {before + line}: {error}. Correct that line.") from error
    return lines
