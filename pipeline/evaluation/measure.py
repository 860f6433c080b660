"""How a generated clip is measured against the real one."""

import cv2
import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from pipeline.evaluation.baselines.base import REFERENCE_FRAME
from pipeline.evaluation.bootstrap import interval
from pipeline.evaluation.registry import DECIDING, METRICS
from pipeline.faces.crop import SIZE, rescale
from pipeline.faces.detect import detect_faces, levels_above
from pipeline.faces.shape_predictor import predict_landmarks

SMALLEST = 40.0
"""Pixels of a face of 128x128 from which on dlib finds one."""


def find_landmarks(frames_THWC: NDArray[np.uint8]) -> NDArray[np.float32]:
    """dlib's 68 points (T, 68, 2) of square frames, NaN where it finds no face. Runs in worker processes.

    They are in pixels of a face of 128x128, whatever the frames' size, so that metrics of both sizes are comparable;
    larger frames are searched for faces as large in proportion.
    """
    cv2.setNumThreads(0)
    size = frames_THWC.shape[1]
    skip = levels_above(SMALLEST * size / SIZE)
    points = np.full((len(frames_THWC), 68, 2), np.nan, np.float32)
    for number, frame in enumerate(frames_THWC):
        boxes = detect_faces(frame, skip)
        if boxes:
            points[number] = predict_landmarks([frame], boxes[:1])[0]
    return rescale(points, size, SIZE)


def compare(
    real_THWC: NDArray[np.uint8],
    fake_THWC: NDArray[np.uint8],
    real_T68x2: NDArray[np.float32],
    fake_T68x2: NDArray[np.float32],
) -> dict[str, float]:
    """All metrics of one clip, over all frames but the reference."""
    judged = np.arange(len(real_THWC)) != REFERENCE_FRAME
    compared = {
        "frames": (_floats(fake_THWC[judged]), _floats(real_THWC[judged])),
        "landmarks": (torch.from_numpy(fake_T68x2[judged]), torch.from_numpy(real_T68x2[judged])),
    }
    values = {}
    for name, entry in METRICS.items():
        metric = entry.make()
        metric.update(*compared[entry.compares])
        values[name] = float(metric.compute())
    return values


def _floats(frames_THWC: NDArray[np.uint8]) -> Tensor:
    return torch.from_numpy(frames_THWC.astype(np.float32) / 255.0).permute(0, 3, 1, 2).contiguous()


def summarize(clips: pd.DataFrame, seed: int) -> dict[str, dict[str, float]]:
    """Means over clips by method with 95% bootstrap intervals: ``{"at_vg": {"lmd": ..., "lmd_low": ..., "lmd_high":
    ...}}``.

    ``clips`` has a row per clip and method with the columns ``method`` and ``METRICS``. A metric that no clip has (LMD
    where no face was found at all) is left out.
    """
    summary: dict[str, dict[str, float]] = {}
    for method, rows in clips.groupby("method", sort=False):
        metrics: dict[str, float] = {}
        for name in METRICS:
            values = rows[name].dropna()
            if len(values):
                low, high = interval(values, seed)
                metrics |= {name: float(values.mean()), f"{name}_low": low, f"{name}_high": high}
        summary[str(method)] = {name: round(value, 6) for name, value in metrics.items()}
    return summary


def means(summary: dict[str, dict[str, float]]) -> dict[str, dict[str, float]]:
    """A `summary` without its intervals, what matters most first, which DVC and MLflow then show first."""
    names = sorted(METRICS, key=lambda name: name != DECIDING)
    return {
        method: {name: summary[method][name] for name in names if name in summary[method]}
        for method in reversed(summary)
    }
