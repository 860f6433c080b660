"""Pictures that show the progress of a training."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

PANEL = (480, 120)  # width and height of a panel of curves, in pixels


def draw_strips(rows: Sequence[Sequence[NDArray[np.uint8]]]) -> NDArray[np.uint8]:
    """One picture of a table of RGB pictures of equal size."""
    return np.concatenate([np.concatenate(row, axis=1) for row in rows], axis=0)


def draw_curves(clips: Sequence[tuple[NDArray[np.floating], NDArray[np.floating]]]) -> NDArray[np.uint8]:
    """The first three coefficients over time, true (grey) and predicted (red), as a row of panels per clip.

    `clips` has pairs of true and predicted coefficients (T, K).
    """
    return draw_strips(
        [[_panel(true_TK[:, k], fake_TK[:, k]) for k in range(min(3, true_TK.shape[1]))] for true_TK, fake_TK in clips]
    )


def _panel(true_T: NDArray[np.floating], fake_T: NDArray[np.floating]) -> NDArray[np.uint8]:
    width, height = PANEL
    panel = np.full((height, width, 3), 255, np.uint8)
    low = float(min(true_T.min(), fake_T.min()))
    high = float(max(true_T.max(), fake_T.max(), low + 1e-6))
    for values_T, colour in ((true_T, (120, 120, 120)), (fake_T, (200, 30, 30))):
        x = np.linspace(4, width - 5, len(values_T))
        y = height - 5 - (values_T - low) / (high - low) * (height - 10)
        line = np.stack([x, y], axis=1).round().astype(np.int32)
        cv2.polylines(panel, [line], isClosed=False, color=colour, thickness=1, lineType=cv2.LINE_AA)
    cv2.rectangle(panel, (0, 0), (width - 1, height - 1), (220, 220, 220))
    return panel
