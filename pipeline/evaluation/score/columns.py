"""Tables in the terminal that fit 80 columns: a row per name, and beside it the columns that there is room for."""

from collections.abc import Iterator, Mapping, Sequence

from rich.cells import cell_len, chop_cells, set_cell_size

WIDTH = 80
"""Columns of a terminal; a pipe and a log have no more."""
LONGEST = 20
"""Columns of a name that stands in the line of its numbers; a longer one has lines of its own above them."""
_GAP = "  "


def table_lines(
    title: str, columns: Sequence[str], rows: Mapping[str, Sequence[str]], width: int = WIDTH
) -> Iterator[str]:
    """The lines of a table: below ``title`` the headings, then a line per row, its name on the left and a cell per
    column on the right. Columns that do not fit beside the others follow below them, with the names again.

    No cell is shortened: one that is wider than ``width`` has a table of its own.
    """
    names = max((cell_len(name) for name in rows if cell_len(name) <= LONGEST), default=0)
    widths = [max(cell_len(text) for text in (head, *cells)) for head, *cells in _by_column(columns, rows)]
    yield from chop_cells(title, width)
    for group in _groups(widths, width - names):
        yield ""
        yield _line("", names, [columns[one] for one in group], [widths[one] for one in group])
        for name, cells in rows.items():
            own = name
            if cell_len(name) > LONGEST:
                yield from chop_cells(name, width)
                own = ""
            yield _line(own, names, [cells[one] for one in group], [widths[one] for one in group])
    yield ""


def _by_column(columns: Sequence[str], rows: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, ...]]:
    for place, head in enumerate(columns):
        yield head, *(cells[place] for cells in rows.values())


def _groups(widths: Sequence[int], room: int) -> Iterator[list[int]]:
    """Numbers of the columns that stand beside each other."""
    group: list[int] = []
    used = 0
    for place, width in enumerate(widths):
        if group and used + len(_GAP) + width > room:
            yield group
            group, used = [], 0
        group.append(place)
        used += len(_GAP) + width
    if group:
        yield group


def _line(name: str, names: int, cells: Sequence[str], widths: Sequence[int]) -> str:
    right = (" " * (width - cell_len(cell)) + cell for cell, width in zip(cells, widths, strict=True))
    return _GAP.join([set_cell_size(name, names), *right]).rstrip()
