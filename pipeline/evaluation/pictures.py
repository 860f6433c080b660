"""What the evaluation shows: strips of frames, side-by-side videos, and the bars of the metrics."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.evaluation.baselines.base import Generated, TestClip
from pipeline.evaluation.registry import METRICS
from pipeline.inference.compositing.panels import LABEL_HEIGHT, PANEL, draw_landmarks, enlarge, heat, label
from pipeline.media import VideoWriter
from pipeline.runtime.clock import FPS

COLUMNS = 5
"""Metrics beside each other in their figure."""
COLOURS = ("#999999", "#4c78a8", "#e45756", "#72b7b2", "#54a24b", "#eeca3b", "#b279a2", "#9d755d")


def strip(clip: TestClip, generated: Mapping[str, Generated], columns: int = 8) -> NDArray[np.uint8]:
    """Rows real, each baseline and the last attention that there is; columns are frames spread over the clip."""
    chosen = np.linspace(0, len(clip.frames_THWC) - 1, columns).astype(int)
    rows = {"real": clip.frames_THWC, **{name: one.frames_THWC for name, one in generated.items()}}
    pictures = [label(np.hstack(list(frames[chosen])), name) for name, frames in rows.items()]
    attentions = [one.attention_THW for one in generated.values() if one.attention_THW is not None]
    if attentions:
        pictures.append(label(np.hstack([heat(one) for one in attentions[-1][chosen]]), "attention"))
    return np.vstack(pictures)


def write_video(path: Path, clip: TestClip, generated: Generated, samples_N: NDArray[np.int16]) -> None:
    """Side by side, each of ``PANEL`` pixels, with the clip's sound: real, landmarks, attention, paint and generated;
    those in between are left out where there are none.
    """
    size = clip.frames_THWC.shape[1]
    panels = {"real": [enlarge(one) for one in clip.frames_THWC]}
    if generated.points_T68x2 is not None:
        points_T68x2 = generated.points_T68x2
        panels["landmarks from speech"] = [draw_landmarks(one, size, PANEL // size) for one in points_T68x2]
    if generated.attention_THW is not None:
        panels["attention"] = [enlarge(heat(one)) for one in generated.attention_THW]
    if generated.colour_THWC is not None:
        panels["colour"] = [enlarge(one) for one in generated.colour_THWC]
    panels["generated"] = [enlarge(one) for one in generated.frames_THWC]
    with VideoWriter(path, size=(len(panels) * PANEL, PANEL + LABEL_HEIGHT), fps=FPS, audio=samples_N) as video:
        for pictures in zip(*panels.values(), strict=True):
            video.write(np.hstack([label(one, name) for name, one in zip(panels, pictures, strict=True)]))


def metrics_figure(summary: Mapping[str, Mapping[str, float]]) -> Any:
    """Bars of every metric that has a value, by baseline with their 95% intervals: a matplotlib figure."""
    from matplotlib.figure import Figure

    entries = [one for one in METRICS.values() if any(one.name in row for row in summary.values())]
    rows = max(1, -(-len(entries) // COLUMNS))
    figure = Figure(figsize=(3.7 * COLUMNS, 3.2 * rows), layout="constrained")
    places = figure.subplots(rows, COLUMNS, squeeze=False).ravel()
    for axes in places[len(entries) :]:
        axes.set_visible(False)
    for axes, entry in zip(places, entries, strict=False):
        known = {baseline: row for baseline, row in summary.items() if entry.name in row}
        low, mean, high = (
            np.array([row.get(entry.name + end, row[entry.name]) for row in known.values()])
            for end in ("_low", "", "_high")
        )
        axes.bar(list(known), mean, yerr=np.abs([mean - low, high - mean]), capsize=5, color=COLOURS[: len(known)])
        axes.tick_params(axis="x", labelsize=7)
        axes.set_title(entry.label, fontsize=9)
    return figure
