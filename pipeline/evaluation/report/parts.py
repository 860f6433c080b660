"""What a page is made of."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd
from markupsafe import Markup

LONGEST = 200
"""Rows of a list of clips; what is beyond is counted."""


@dataclass(frozen=True)
class Table:
    """Rows of text, of which the first cell names the row."""

    caption: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    best: Collection[tuple[int, int]] = ()
    """Row and column of the cells that are marked as the best ones."""
    links: Mapping[str, str] = field(default_factory=dict)
    """Addresses by the text of the cells that lead to them."""


@dataclass(frozen=True)
class Clip:
    """A clip that is shown; its video, what that shows before it is played, and its strip are data URIs, or empty."""

    id: str
    about: str
    """Such as its place by the deciding metric."""
    video: str
    poster: str
    strip: str


@dataclass(frozen=True)
class Chart:
    """An SVG, with what it shows in words."""

    caption: str
    svg: Markup


@dataclass
class Part:
    """A section of the page; one with nothing in it is left out."""

    title: str
    intro: str = ""
    notes: Sequence[str] = ()
    """Lines to be read before the tables."""
    tables: list[Table] = field(default_factory=list)
    folded: list[Table] = field(default_factory=list)
    """Tables that are opened by a click."""
    charts: list[Chart] = field(default_factory=list)
    clips: list[Clip] = field(default_factory=list)
    folded_clips: list[Clip] = field(default_factory=list)
    """Clips that are opened by a click."""
    pictures: list[tuple[str, str]] = field(default_factory=list)
    """Captions and data URIs."""

    @property
    def empty(self) -> bool:
        """Whether there is nothing to show."""
        shown = (self.tables, self.folded, self.charts, self.clips, self.folded_clips, self.pictures)
        return not any(shown)

    @property
    def anchor(self) -> str:
        """Its address within the page."""
        return self.title.lower().replace(" ", "-")


def listed(caption: str, table: pd.DataFrame, columns: Sequence[str]) -> list[Table]:
    """A table of these columns, or none where it has no rows."""
    if not len(table):
        return []
    beyond = f", the first {LONGEST} of {len(table)}" if len(table) > LONGEST else ""
    shown = table.head(LONGEST)[list(columns)].map(lambda one: f"{one:g}" if isinstance(one, float) else str(one))
    return [Table(caption + beyond, columns, shown.to_numpy().tolist())]
