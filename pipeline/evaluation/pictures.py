"""Pictures of an evaluation: strips of frames, side-by-side videos, and bars of the metrics."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.evaluation.baselines.base import Generated, TestClip
from pipeline.inference.compositing.panels import LABEL_HEIGHT, PANEL, draw_landmarks, enlarge, heat, label
from pipeline.media import VideoWriter
from pipeline.metrics import METRICS
from pipeline.runtime.clock import FPS

COLUMNS = 5
"""Columns of the figure of metrics."""
COLOURS = ("#999999", "#4c78a8", "#e45756", "#72b7b2", "#54a24b", "#eeca3b", "#b279a2", "#9d755d")


def strip(clip: TestClip, generated: Mapping[str, Generated], columns: int = 8) -> NDArray[np.uint8]:
    """A picture with rows for the real clip, each method and the last method's attention; columns are frames."""
    chosen = np.linspace(0, len(clip.frames_THWC) - 1, columns).astype(int)
    rows = {"real": clip.frames_THWC, **{name: output.frames_THWC for name, output in generated.items()}}
    pictures = [label(np.hstack(list(frames[chosen])), name) for name, frames in rows.items()]
    attentions = [output.attention_THW for output in generated.values() if output.attention_THW is not None]
    if attentions:
        pictures.append(label(np.hstack([heat(attention_HW) for attention_HW in attentions[-1][chosen]]), "attention"))
    return np.vstack(pictures)


def write_video(path: Path, clip: TestClip, generated: Generated, samples_N: NDArray[np.int16]) -> None:
    """Write panels of ``PANEL`` pixels side by side with sound: real, landmarks, attention, colour and generated.

    Panels without data are left out.
    """
    size = clip.frames_THWC.shape[1]
    panels = {"real": [enlarge(frame) for frame in clip.frames_THWC]}
    if generated.points_T68x2 is not None:
        panels["landmarks from speech"] = [
            draw_landmarks(points, size, PANEL // size) for points in generated.points_T68x2
        ]
    if generated.attention_THW is not None:
        panels["attention"] = [enlarge(heat(attention_HW)) for attention_HW in generated.attention_THW]
    if generated.colour_THWC is not None:
        panels["colour"] = [enlarge(colour_HWC) for colour_HWC in generated.colour_THWC]
    panels["generated"] = [enlarge(frame) for frame in generated.frames_THWC]
    with VideoWriter(path, size=(len(panels) * PANEL, PANEL + LABEL_HEIGHT), fps=FPS, audio=samples_N) as video:
        for pictures in zip(*panels.values(), strict=True):
            video.write(np.hstack([label(picture, name) for name, picture in zip(panels, pictures, strict=True)]))


def metrics_figure(summary: Mapping[str, Mapping[str, float]]) -> Any:
    """A matplotlib figure with bars of each metric that has values, by method, with 95% intervals."""
    from matplotlib.figure import Figure

    entries = [entry for entry in METRICS.values() if any(entry.name in row for row in summary.values())]
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
