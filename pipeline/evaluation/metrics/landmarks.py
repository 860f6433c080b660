"""LMD: how far the mouth of a generated face is from the real one (Chen et al., ECCV 2018, section 4.2)."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torchmetrics import Metric

from pipeline.landmarks.points import MOUTH


def landmark_distance(
    real_T68x2: NDArray[np.floating], fake_T68x2: NDArray[np.floating], points: slice = MOUTH
) -> NDArray[np.float64]:
    """Per frame the mean distance of the chosen points in pixels, each set's own mean subtracted: (T,).

    LMD_f = 1/P sum_p || (real_fp - mean_p real_fp) - (fake_fp - mean_p fake_fp) ||_2
    """
    real, fake = real_T68x2[:, points].astype(np.float64), fake_T68x2[:, points].astype(np.float64)
    apart = (real - real.mean(axis=1, keepdims=True)) - (fake - fake.mean(axis=1, keepdims=True))
    return np.asarray(np.linalg.norm(apart, axis=2).mean(axis=1))


class LandmarkDistance(Metric):
    """LMD (mouth) and f_lmd (all 68 points) over frames, and the share of frames in which the fake face was not found.

    ``update(real, fake)`` takes points (T, 68, 2) in pixels of the 128x128 crop, NaN where no face was found. Frames
    without either face have no distance; those without the fake one are counted in ``lost``.
    """

    distance: Tensor
    f_distance: Tensor
    compared: Tensor
    lost: Tensor
    frames: Tensor

    def __init__(self) -> None:
        super().__init__()
        for name in ("distance", "f_distance", "compared", "lost", "frames"):
            self.add_state(name, torch.zeros((), dtype=torch.float64), dist_reduce_fx="sum")

    def update(self, real_T68x2: NDArray[np.floating], fake_T68x2: NDArray[np.floating]) -> None:
        """Add frames."""
        real_found = ~np.isnan(real_T68x2).any(axis=(1, 2))
        fake_found = ~np.isnan(fake_T68x2).any(axis=(1, 2))
        both = real_found & fake_found
        self.distance += float(landmark_distance(real_T68x2[both], fake_T68x2[both]).sum())
        self.f_distance += float(landmark_distance(real_T68x2[both], fake_T68x2[both], slice(None)).sum())
        self.compared += int(both.sum())
        self.lost += int((real_found & ~fake_found).sum())
        self.frames += int(real_found.sum())

    def compute(self) -> dict[str, Tensor]:
        """``lmd`` and ``f_lmd`` in pixels (not a number without a compared frame) and ``lost``, a share from 0 to 1."""
        return {
            "lmd": self.distance / self.compared,
            "f_lmd": self.f_distance / self.compared,
            "lost": self.lost / self.frames,
        }
