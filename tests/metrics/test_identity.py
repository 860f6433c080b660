"""CSIM of random descriptors."""

import numpy as np
import pytest
import torch
from scipy.spatial.distance import cosine

from pipeline.metrics import METRICS

DRAW = np.random.default_rng(0)


def csim(frames: np.ndarray, reference: np.ndarray) -> float:
    metric = METRICS["csim"].make()
    metric.update(torch.from_numpy(frames), torch.from_numpy(reference))
    return float(metric.compute())


def test_csim_is_the_mean_cosine_of_frames_with_a_face() -> None:
    frames, reference = (
        DRAW.normal(0.1, 0.1, (4, 128)).astype(np.float32),
        DRAW.normal(0.1, 0.1, 128).astype(np.float32),
    )
    frames[1] = np.nan
    expected = np.mean([1 - cosine(frames[number], reference) for number in (0, 2, 3)])
    assert csim(frames, reference) == pytest.approx(expected, rel=1e-5)
    assert csim(5 * reference[None], reference) == pytest.approx(1)
    assert np.isnan(csim(frames[1:2], reference))
    assert np.isnan(csim(frames, np.full(128, np.nan, np.float32)))
