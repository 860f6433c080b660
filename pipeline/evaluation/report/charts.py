"""Charts as SVG that lies in a page: it takes the page's colour of text, and the same numbers give the same bytes."""

import io
import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib import rc_context
from matplotlib.figure import Figure

from pipeline.evaluation.metrics.base import MetricEntry
from pipeline.evaluation.pictures import COLOURS

INK = "#010203"
"""Stands for the colour of the page's text."""
STYLE: Any = {
    "svg.fonttype": "none",
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    **{key: INK for key in ("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color")},
}


def curves(name: str, table: pd.DataFrame, columns: Mapping[str, str], x: str, y_label: str) -> str:
    """Columns of ``table`` over its column ``x``; ``columns`` says by which name each is drawn."""

    def draw(axes: Any) -> None:
        for (column, label), colour in zip(columns.items(), COLOURS[1:], strict=False):
            known = table[[x, column]].dropna()
            axes.plot(known[x], known[column], label=label, color=colour, marker="." if len(known) < 30 else "")
        axes.set_xlabel(x)
        axes.set_ylabel(y_label)
        axes.legend(frameon=False)

    return _svg(name, (6.4, 3.0), draw)


def per_clip(name: str, clips: pd.DataFrame, entry: MetricEntry) -> str:
    """A dot per clip for every method, and their mean as a line across."""
    known = clips[["method", entry.name]].dropna()
    methods = list(dict.fromkeys(known["method"]))

    def draw(axes: Any) -> None:
        for place, method in enumerate(reversed(methods)):
            values = known[known["method"] == method][entry.name].to_numpy()
            colour = COLOURS[(len(methods) - 1 - place) % len(COLOURS)]
            # spread by rank, so that equal inputs are drawn alike
            heights = place + 0.28 * np.sin(2.4 * np.arange(len(values)))
            axes.scatter(values, heights, s=14, color=colour, alpha=0.65, linewidths=0)
            axes.plot([values.mean()] * 2, [place - 0.4, place + 0.4], color=INK, linewidth=2)
        axes.set_yticks(range(len(methods)), reversed(methods))
        axes.set_xlabel(entry.label)

    return _svg(name, (6.4, 0.7 + 0.42 * max(len(methods), 1)), draw)


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
