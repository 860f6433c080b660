"""Tables in the terminal in which no value is ever cut off."""

from collections.abc import Iterator, Sequence

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

_WIDE, _NARROW = 2, 1
"""Spaces between two columns, where there is room and where there is not."""


def print_table(console: Console, title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table; the first column names the rows.

    Columns that do not fit beside each other go into further tables below. Where the console has no room for the first
    column and one other, each row is printed as lines of ``column value``. Piped output is 80 columns wide.
    """
    widths = [max(cell_len(row[place]) for row in (header, *rows)) for place in range(len(header))]
    if widths[0] + _NARROW + max(widths[1:], default=0) > console.width:
        _print_below_each_other(console, title, header, rows)
        return
    for chosen in _beside_each_other(widths, console.width):
        room = console.width - sum(widths[place] for place in chosen)
        gap = _WIDE if room >= _WIDE * (len(chosen) - 1) else _NARROW
        table = Table(box=SIMPLE_HEAD, padding=(0, gap - 1, 0, 0), show_edge=False, pad_edge=False)
        for place in chosen:
            table.add_column(Text(header[place]), justify="right" if place else "left", no_wrap=True)
        for row in rows:
            table.add_row(*(Text(row[place]) for place in chosen))
        console.print(Text(title, style="italic"), soft_wrap=True)
        console.print(table)
        console.print()


def _beside_each_other(widths: Sequence[int], room: int) -> Iterator[list[int]]:
    """Places of columns, by table: the first column, and as many others as there is room for."""
    chosen = [0]
    for place in range(1, len(widths)):
        if len(chosen) > 1 and sum(widths[one] + _NARROW for one in chosen) + widths[place] > room:
            yield chosen
            chosen = [0]
        chosen = [*chosen, place]
    yield chosen


def _print_below_each_other(console: Console, title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    console.print(Text(title, style="italic"), soft_wrap=True)
    for name, *cells in rows:
        console.print(Text(name, style="bold"), soft_wrap=True)
        for column, cell in zip(header[1:], cells, strict=True):
            if cell:
                console.print(Text(f"  {column} {cell}".rstrip()), soft_wrap=True)
    console.print()
