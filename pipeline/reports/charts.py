"""Charts as SVG inside the page. They use the page's text colour; equal numbers give equal bytes."""

import io
import re
from collections.abc import Callable, Mapping, Sequence
from textwrap import fill
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup
from matplotlib import rc_context
from matplotlib.figure import Figure

from pipeline.evaluation.pictures import COLOURS
from pipeline.metrics.base import MetricEntry

TEXT_COLOUR = "#010203"
"""Stands for the colour of the page's text, and is replaced by ``currentColor``."""
STYLE: Any = {
    "svg.fonttype": "none",
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    **{key: TEXT_COLOUR for key in ("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color")},
}
WIDTH = 5.6
"""Inches: letters stay readable on a phone."""
MAX_DOTS = 200
"""Dots of a method. Of more clips a chart shows this many, evenly spread over their values."""


def loss_chart(name: str, history: pd.DataFrame, columns: Mapping[str, str], y_label: str) -> Markup:
    """Losses over the training step; ``columns`` has the legend's label by the column of ``history``."""

    def draw(axes: Any) -> None:
        for (column, label), colour in zip(columns.items(), COLOURS[1:], strict=False):
            known = history[["step", column]].dropna()
            marker = "." if len(known) < 30 else ""
            axes.plot(known["step"], known[column], label=label, color=colour, marker=marker)
        axes.legend(frameon=False)
        _label(axes, "Training step", y_label)

    return _svg(name, 3.0, draw)


def study_chart(name: str, table: pd.DataFrame, metric: str, x_label: str, y_label: str) -> Markup:
    """The mean of a metric over the ``level``, and its 95% interval as a band around it."""
    known = table.dropna(subset=["level", metric]).sort_values("level")

    def draw(axes: Any) -> None:
        low, high = known[f"{metric}_low"], known[f"{metric}_high"]
        axes.fill_between(known["level"], low, high, color=COLOURS[1], alpha=0.25, linewidth=0, label="95% interval")
        axes.plot(known["level"], known[metric], color=COLOURS[1], marker=".", label="mean")
        axes.legend(frameon=False)
        _label(axes, x_label, y_label)

    return _svg(name, 3.0, draw)


def clips_chart(name: str, clips: pd.DataFrame, entry: MetricEntry, methods: Sequence[str]) -> Markup:
    """A row per method in this order: a dot per clip and a line at the mean. Methods without values are left out."""
    known = clips[["method", entry.name]].dropna()
    methods = [method for method in methods if method in set(known["method"])]

    def draw(axes: Any) -> None:
        for place, method in enumerate(reversed(methods)):
            values = known[known["method"] == method][entry.name].to_numpy()
            mean, colour = values.mean(), COLOURS[1:][(len(methods) - 1 - place) % (len(COLOURS) - 1)]
            if len(values) > MAX_DOTS:
                values = np.sort(values)[np.linspace(0, len(values) - 1, MAX_DOTS).astype(int)]
            heights = place + 0.28 * np.sin(2.4 * np.arange(len(values)))  # no random numbers: equal bytes
            axes.scatter(values, heights, s=14, color=colour, alpha=0.65, linewidths=0)
            axes.plot([mean] * 2, [place - 0.4, place + 0.4], color=TEXT_COLOUR, linewidth=2)
        axes.set_yticks(range(len(methods)), list(reversed(methods)))
        _label(axes, entry.label, "")

    return _svg(name, 0.9 + 0.42 * max(len(methods), 1), draw)


def _label(axes: Any, x_label: str, y_label: str) -> None:
    """Name the axes in lines short enough to fit."""
    axes.set_xlabel(fill(x_label, 55))
    axes.set_ylabel(fill(y_label, 30))


def _svg(name: str, height: float, draw: Callable[[Any], None]) -> Markup:
    """The SVG of what ``draw`` adds to the axes; ``name`` is unique in the page and starts all ids."""
    with rc_context({**STYLE, "svg.hashsalt": name}):
        figure = Figure(figsize=(WIDTH, height), layout="constrained")
        figure.patch.set_alpha(0)
        axes = figure.subplots()
        axes.patch.set_alpha(0)
        draw(axes)
        file = io.StringIO()
        figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    text = file.getvalue()
    text = text[text.index("<svg") :].replace(TEXT_COLOUR, "currentColor")
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    return Markup(re.sub(r'( id="|url\(#|href="#)', rf"\g<1>{name}-", text))
