"""The opening of the eyes by its definition, and landmarks with closed eyes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.landmarks.shape import close_eyes, eye_opening


def face(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(64, 20, (68, 2)).astype(np.float32)


def test_eye_opening_by_definition() -> None:
    """EAR = (|p2 - p6| + |p3 - p5|) / (2 |p1 - p4|), over both eyes."""
    points = np.zeros((1, 68, 2))
    points[0, 36:42] = [(0, 0), (1, -1), (3, -1), (4, 0), (3, 1), (1, 1)]
    points[0, 42:48] = points[0, 36:42] + (10, 0)
    assert eye_opening(points) == pytest.approx([0.5])


@given(st.integers(0, 1000), st.floats(0, 1))
def test_close_eyes_reduces_the_opening_by_the_share(seed: int, closed: float) -> None:
    before = face(seed)[None]
    after = close_eyes(before, np.array([closed]))
    assert eye_opening(after)[0] == pytest.approx((1 - closed) * eye_opening(before)[0], abs=1e-4)
    others = np.setdiff1d(np.arange(68), [37, 38, 43, 44])
    np.testing.assert_array_equal(after[:, others], before[:, others])
