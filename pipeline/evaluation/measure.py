"""How a generated clip is measured against the real one."""

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.evaluation.baselines import REFERENCE_FRAME
from pipeline.evaluation.metrics import LandmarkDistance, PictureMetrics, interval
from pipeline.faces.detect import detect_faces
from pipeline.faces.shape_predictor import predict_landmarks

METRICS = ("psnr", "ssim", "lmd", "f_lmd", "lost")


def find_landmarks(frames_THWC: NDArray[np.uint8]) -> NDArray[np.float32]:
    """dlib's 68 points (T, 68, 2) of 128x128 frames, NaN where it finds no face. Runs in worker processes."""
    cv2.setNumThreads(0)
    points = np.full((len(frames_THWC), 68, 2), np.nan, np.float32)
    for number, frame in enumerate(frames_THWC):
        boxes = detect_faces(frame)
        if boxes:
            points[number] = predict_landmarks([frame], boxes[:1])[0]
    return points


def compare(
    real_THWC: NDArray[np.uint8],
    fake_THWC: NDArray[np.uint8],
    real_T68x2: NDArray[np.float32],
    fake_T68x2: NDArray[np.float32],
) -> dict[str, float]:
    """The ``METRICS`` of one clip, over all frames but the reference."""
    judged = np.arange(len(real_THWC)) != REFERENCE_FRAME
    pictures, landmarks = PictureMetrics(), LandmarkDistance()
    pictures.add(real_THWC[judged], fake_THWC[judged])
    landmarks.update(real_T68x2[judged], fake_T68x2[judged])
    values = {**pictures.compute(), **landmarks.compute()}
    return {name: float(values[name]) for name in METRICS}


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
