"""Rows of text as a table: for the terminal, and as Markdown. No value is ever cut off."""

from collections.abc import Iterable, Iterator, Sequence

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

NAME_WIDTH = 20
"""Columns of the longest row name that stays beside its values when a table is too wide."""
GAP = 2
"""Spaces between two columns."""


def print_table(console: Console, title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table as wide as the console; the first column names the rows.

    Columns that do not fit follow in further tables below, with the names again. Long names then get a line of their
    own above their values. Piped output is 80 columns wide.
    """
    console.print(Text(title, style="italic"), soft_wrap=True)
    print_lines(console, table_lines(header, rows, console.width))


def print_lines(console: Console, lines: Iterable[str]) -> None:
    """Print lines as they are; the terminal wraps those that are too long."""
    for line in lines:
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def table_lines(header: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> Iterator[str]:
    """The lines of a table that is at most ``width`` columns wide, unless a single cell is wider."""
    widths = [max(map(cell_len, column)) for column in zip(header, *rows, strict=True)]
    names = [cell_len(row[0]) for row in (header, *rows)]
    name_width = widths[0]
    if sum(widths) + GAP * (len(widths) - 1) > width:
        longest = min(NAME_WIDTH, width - GAP - max(widths[1:], default=0))
        name_width = max((length for length in names if length <= longest), default=0)
    for columns in _groups(widths, width - name_width):
        yield from _aligned(header, columns, name_width, widths)
        yield "─" * min(width, name_width + sum(GAP + widths[column] for column in columns))
        for row in rows:
            yield from _aligned(row, columns, name_width, widths)
        yield ""


def _groups(widths: Sequence[int], room: int) -> Iterator[list[int]]:
    """The columns of each table, by their position in the row."""
    group: list[int] = []
    for column in range(1, len(widths)):
        if group and sum(GAP + widths[other] for other in (*group, column)) > room:
            yield group
            group = []
        group.append(column)
    yield group


def _aligned(row: Sequence[str], columns: Sequence[int], name_width: int, widths: Sequence[int]) -> Iterator[str]:
    name = row[0]
    if cell_len(name) > name_width:
        yield name
        name = ""
    cells = [" " * (widths[column] - cell_len(row[column])) + row[column] for column in columns]
    yield (" " * GAP).join([name + " " * (name_width - cell_len(name)), *cells]).rstrip()


def markdown_lines(header: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """The lines of a table in Markdown."""
    cells = [header, ["---"] * len(header), *rows]
    return [f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in cells]
