"""The distribution of every metric beside its limit."""

from typing import Any

import numpy as np
import pandas as pd

from pipeline.prepare.quality.thresholds import LIMITS

TITLES = {
    "frames": "frames at 25 fps",
    "damaged": "damaged frames, share",
    "level": "level of the sound, dB",
    "length_difference": "sound longer than picture, s",
    "detected": "face found, share of frames",
    "score": "detector's score",
    "face_size": "face size, source px",
    "jitter": "jitter, crop px",
    "sharpness": "sharpness",
    "mouth": "mouth shows, share of frames",
    "frontal": "frontal (1) to turned away (0)",
    "cuts": "shots that begin within the clip",
    "identity": "how unlike its faces are",
    "movement": "movement of the mouth, crop px",
    "sync": "sound and lips, correlation",
}
BINS = 40
_KEPT, _REJECTED = "#4c78a8", "#e45756"


def histograms_figure(table: pd.DataFrame, params: Any) -> Any:
    """Histograms of all clips of the quality table, the rejected in red, and the limits as lines: a matplotlib figure.

    Below each axis a red tick stands for rejected clips, since one of many thousands has no visible bar. ``params`` are
    all params, in which the limits are found.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(13, 11.3))
    lost = table["status"] != "ok"
    figure.suptitle(f"{len(table)} clips, {lost.sum()} rejected (red); limits dashed", fontsize=11)
    room = {"left": 0.04, "right": 0.985, "bottom": 0.045, "top": 0.94, "hspace": 0.42, "wspace": 0.22}
    axes = figure.subplots(4, 4, gridspec_kw=room).ravel()
    for axis, limit in zip(axes, LIMITS, strict=False):
        value = limit.value(getattr(params, limit.section))
        lines = [value] if limit.smallest else [-value, value] if (table[limit.metric] < 0).any() else [value]
        _histogram(axis, table.loc[~lost, limit.metric].dropna(), table.loc[lost, limit.metric].dropna(), lines)
        axis.set_title(TITLES[limit.metric], fontsize=10)
        missing = int(table[limit.metric].isna().sum())
        note = f", {missing} not measured" if missing else ""
        axis.set_xlabel(f"{limit.section}.{limit.param} = {value:g}{note}", fontsize=8)
        axis.tick_params(labelsize=8)
    for axis in axes[len(LIMITS) :]:
        axis.set_axis_off()
    return figure


def _histogram(axis: Any, kept: "pd.Series[float]", lost: "pd.Series[float]", lines: list[float]) -> None:
    values = np.concatenate([lines, kept, lost])
    low, high = float(values.min()), float(values.max())
    edges = np.linspace(low, high if high > low else low + 1, BINS + 1)
    axis.hist([kept, lost], bins=edges, stacked=True, color=[_KEPT, _REJECTED])
    for line in lines:
        axis.axvline(line, color="black", linestyle="--", linewidth=1)
    marked = np.unique(np.digitize(lost, edges[1:-1]))
    axis.set_ylim(bottom=0)
    middles = (edges[:-1] + edges[1:]) / 2
    axis.plot(middles[marked], np.zeros(len(marked)), "|", color=_REJECTED, markersize=12, clip_on=False)
