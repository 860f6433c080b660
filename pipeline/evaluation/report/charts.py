"""Charts as SVG that lies in a page: it takes the page's colour of text, and the same numbers give the same bytes."""

import io
import re
from collections.abc import Callable, Mapping, Sequence
from textwrap import fill
from typing import Any

import numpy as np
import pandas as pd
from matplotlib import rc_context
from matplotlib.figure import Figure

from pipeline.evaluation.pictures import COLOURS
from pipeline.metrics.base import MetricEntry

INK = "#010203"
"""Stands for the colour of the page's text."""
STYLE: Any = {
    "svg.fonttype": "none",
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    **{key: INK for key in ("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color")},
}


WIDTH = 5.6
"""Inches, so that letters can be read on a phone."""
DOTS = 200
"""Dots of a method; of more clips a chart shows so many, evenly over their values."""


def curves(name: str, table: pd.DataFrame, columns: Mapping[str, str], x: tuple[str, str], y_label: str) -> str:
    """Columns of ``table`` over a column of it; ``columns`` says by which name each is drawn, and ``x`` is the column
    and the label of the axis.
    """

    def draw(axes: Any) -> None:
        for (column, label), colour in zip(columns.items(), COLOURS[1:], strict=False):
            known = table[[x[0], column]].dropna()
            axes.plot(known[x[0]], known[column], label=label, color=colour, marker="." if len(known) < 30 else "")
        axes.legend(frameon=False)
        _label(axes, x[1], y_label)

    return _svg(name, (WIDTH, 3.0), draw)


def band(name: str, table: pd.DataFrame, column: str, x: tuple[str, str], y_label: str) -> str:
    """A mean as a line, and its interval, the columns ``column``_low and ``column``_high, as a band around it."""
    known = table.dropna(subset=[x[0], column]).sort_values(x[0])

    def draw(axes: Any) -> None:
        ends = known[[f"{column}_low", f"{column}_high"]].to_numpy().T
        axes.fill_between(known[x[0]], *ends, color=COLOURS[1], alpha=0.25, linewidth=0, label="95% interval")
        axes.plot(known[x[0]], known[column], color=COLOURS[1], marker=".", label="mean")
        axes.legend(frameon=False)
        _label(axes, x[1], y_label)

    return _svg(name, (WIDTH, 3.0), draw)


def per_clip(name: str, clips: pd.DataFrame, entry: MetricEntry, methods: Sequence[str]) -> str:
    """A dot per clip for every method that has values, in this order, and their mean as a line across."""
    known = clips[["method", entry.name]].dropna()
    methods = [one for one in methods if one in set(known["method"])]

    def draw(axes: Any) -> None:
        for place, method in enumerate(reversed(methods)):
            values = known[known["method"] == method][entry.name].to_numpy()
            shown = np.sort(values)[np.linspace(0, len(values) - 1, DOTS).astype(int)] if len(values) > DOTS else values
            colour = COLOURS[1:][(len(methods) - 1 - place) % (len(COLOURS) - 1)]
            # spread by rank, so that equal inputs are drawn alike
            heights = place + 0.28 * np.sin(2.4 * np.arange(len(shown)))
            axes.scatter(shown, heights, s=14, color=colour, alpha=0.65, linewidths=0)
            axes.plot([values.mean()] * 2, [place - 0.4, place + 0.4], color=INK, linewidth=2)
        axes.set_yticks(range(len(methods)), list(reversed(methods)))
        _label(axes, entry.label, "")

    return _svg(name, (WIDTH, 0.9 + 0.42 * max(len(methods), 1)), draw)


def _label(axes: Any, x_label: str, y_label: str) -> None:
    """Name the axes, in lines short enough that none is cut off."""
    axes.set_xlabel(fill(x_label, 55))
    axes.set_ylabel(fill(y_label, 30))


def _svg(name: str, size: tuple[float, float], draw: Callable[[Any], None]) -> str:
    with rc_context({**STYLE, "svg.hashsalt": name}):
        figure = Figure(figsize=size, layout="constrained")
        figure.patch.set_alpha(0)
        axes = figure.subplots()
        axes.patch.set_alpha(0)
        draw(axes)
        file = io.StringIO()
        figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    text = file.getvalue()
    text = text[text.index("<svg") :].replace(INK, "currentColor")
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    return re.sub(r'( id="|url\(#|href="#)', rf"\g<1>{name}-", text)  # ids are the whole page's
