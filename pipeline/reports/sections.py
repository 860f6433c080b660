"""What the HTML page consists of: sections with tables, charts, clips and pictures."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd
from markupsafe import Markup

MAX_ROWS = 200
"""The longest list of clips; its caption says how many there are."""


@dataclass(frozen=True)
class PageTable:
    """Rows of text; the first cell of a row is its name."""

    caption: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    best: Collection[tuple[int, int]] = ()
    """Row and column of the cells in bold."""
    links: Mapping[str, str] = field(default_factory=dict)
    """Address by the text of the cell that links to it."""


@dataclass(frozen=True)
class ShownClip:
    """A clip with a remark; ``video``, ``poster`` and ``strip`` are data URIs, or empty."""

    id: str
    about: str
    video: str
    poster: str
    strip: str


@dataclass
class Section:
    """A section of the page. The page leaves out empty sections, and shows folded items after a click."""

    title: str
    intro: str = ""
    notes: Sequence[str] = ()
    """Lines above the tables."""
    tables: list[PageTable] = field(default_factory=list)
    folded: list[PageTable] = field(default_factory=list)
    charts: list[tuple[str, Markup]] = field(default_factory=list)
    """Captions and SVG."""
    clips: list[ShownClip] = field(default_factory=list)
    folded_clips: list[ShownClip] = field(default_factory=list)
    pictures: list[tuple[str, str]] = field(default_factory=list)
    """Captions and data URIs."""

    @property
    def empty(self) -> bool:
        """Whether there is nothing to show."""
        return not any((self.tables, self.folded, self.charts, self.clips, self.folded_clips, self.pictures))

    @property
    def anchor(self) -> str:
        """The id of its heading."""
        return self.title.lower().replace(" ", "-")


def table_of(caption: str, table: pd.DataFrame, columns: Sequence[str]) -> list[PageTable]:
    """A list with one table of these columns; an empty list if there are no rows."""
    if not len(table):
        return []
    cut = f", the first {MAX_ROWS} of {len(table)}" if len(table) > MAX_ROWS else ""
    cells = table.head(MAX_ROWS)[list(columns)].map(lambda cell: f"{cell:g}" if isinstance(cell, float) else str(cell))
    return [PageTable(caption + cut, columns, cells.to_numpy().tolist())]
