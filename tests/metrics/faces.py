"""Pictures and points that tests of metrics compare."""

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from skimage import data

from pipeline.metrics import METRICS

Image = NDArray[np.uint8]
Points = NDArray[np.float32]


def face(size: int = 128) -> Image:
    """A photograph's face, RGB (size, size, 3)."""
    return np.asarray(
        cv2.resize(data.astronaut()[20:220, 120:320], (size, size), interpolation=cv2.INTER_AREA), np.uint8
    )


def floats(frames_THWC: Image) -> torch.Tensor:
    """As metrics are given them."""
    return torch.from_numpy(frames_THWC.astype(np.float32) / 255).permute(0, 3, 1, 2).contiguous()


def computed(name: str, preds: Image | Points, target: Image | Points | NDArray[np.int8] | None = None) -> float:
    """A metric of the registry, of frames or points, against the same, loudness or phonemes."""
    metric = METRICS[name].make()
    metric.update(*(_tensor(one) for one in (preds, target) if one is not None))
    return float(metric.compute())


def _tensor(given: Image | Points | NDArray[np.int8]) -> torch.Tensor:
    return floats(given.astype(np.uint8)) if given.dtype == np.uint8 else torch.from_numpy(given)


def moving_face(frames: int, seed: int = 0) -> Points:
    """Points whose mouth opens and closes, (frames, 68, 2) in pixels of the 128x128 face."""
    draw = np.random.default_rng(seed)
    points = np.repeat(draw.uniform(30, 100, (1, 68, 2)), frames, axis=0)
    points[:, 36:42] = [45, 50]
    points[:, 42:48] = [85, 50]
    points[:, 61:64] = [[60, 90], [65, 90], [70, 90]]
    points[:, 65:68] = [[70, 91], [65, 91], [60, 91]]
    points[:, 65:68, 1] += np.cumsum(draw.normal(0, 1, (frames, 1)), axis=0) ** 2
    return points.astype(np.float32)


def noisy_pair() -> tuple[torch.Tensor, torch.Tensor]:
    """Two frames of a face with noise, and without: (2, 3, 128, 128)."""
    draw = np.random.default_rng(0)
    real = np.stack([face()] * 2).astype(int)
    fake = np.clip(real + draw.integers(-12, 13, real.shape), 0, 255)
    return floats(fake.astype(np.uint8)), floats(real.astype(np.uint8))
