"""LMD by the eyes, jitter, and the movement of the mouth."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import pearsonr

from tests.metrics.faces import Points, computed, moving_face

DRAW = np.random.default_rng(0)


def gaps(points: Points) -> list[float]:
    """Of each frame's inner lips, by the distance of the eyes."""
    pairs = ((61, 67), (62, 66), (63, 65))
    return [float(np.mean([np.hypot(*(frame[a] - frame[b])) for a, b in pairs])) / 40 for frame in points]


def test_lmd_by_the_eyes_is_in_percent_of_their_distance() -> None:
    real = moving_face(5)
    fake = (real + DRAW.normal(0, 2, real.shape)).astype(np.float32)
    real[2], fake[3] = np.nan, np.nan
    for name, points in (("lmd_eyes", slice(48, 68)), ("f_lmd_eyes", slice(0, 68))):
        shares = []
        for frame in (0, 1, 4):
            r, f = real[frame, points], fake[frame, points]
            apart = np.linalg.norm((r - r.mean(0)) - (f - f.mean(0)), axis=1).mean()
            shares.append(100 * apart / 40)  # the eyes' centres are at x = 45 and 85
        assert computed(name, fake, real) == pytest.approx(np.mean(shares), rel=1e-5)


def test_eyes_in_one_place_have_no_distance_to_divide_by() -> None:
    real = moving_face(3)
    real[1:, 42:48] = real[1:, 36:42]
    fake = (real + DRAW.normal(0, 2, real.shape)).astype(np.float32)
    assert computed("lmd_eyes", fake, real) == pytest.approx(computed("lmd_eyes", fake[:1], real[:1]))
    assert np.isnan(computed("lmd_eyes", fake[1:], real[1:]))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 99), st.floats(-40, 40), st.floats(-40, 40), st.floats(0.5, 3))
def test_distances_know_neither_place_nor_by_the_eyes_size(seed: int, x: float, y: float, scale: float) -> None:
    real = moving_face(4, seed)
    fake = (real + np.random.default_rng(seed).normal(0, 2, real.shape)).astype(np.float32)
    moved = (fake + np.array([x, y])).astype(np.float32)
    for name in ("lmd", "f_lmd", "lmd_eyes", "f_lmd_eyes", "paper_lmd"):
        assert computed(name, moved, real) == pytest.approx(computed(name, fake, real), rel=1e-3)
    larger = [(scale * one).astype(np.float32) for one in (fake, real)]
    assert computed("lmd_eyes", *larger) == pytest.approx(computed("lmd_eyes", fake, real), rel=1e-3)
    assert computed("lmd", *larger) == pytest.approx(scale * computed("lmd", fake, real), rel=1e-3)


def test_jitter_is_the_noise_and_even_motion_has_none() -> None:
    still = np.repeat(moving_face(1), 400, axis=0)
    moving = still + np.arange(400)[:, None, None] * np.array([0.25, -0.125])
    assert computed("jitter", moving.astype(np.float32)) == pytest.approx(0, abs=1e-5)
    shaken = (moving + DRAW.normal(0, 0.4, moving.shape)).astype(np.float32)
    assert computed("jitter", shaken) == pytest.approx(0.4, rel=0.03)
    lost = shaken.copy()
    lost[100] = np.nan
    assert computed("jitter", lost) == pytest.approx(0.4, rel=0.03)


def test_jitter_is_of_what_speech_does_not_move() -> None:
    assert computed("jitter", moving_face(30)) == 0
    assert np.isnan(computed("jitter", moving_face(2)))


def test_the_opening_correlates_as_scipy_says() -> None:
    real, fake = moving_face(60, 1), moving_face(60, 2)
    expected = pearsonr(gaps(fake), gaps(real)).statistic
    assert computed("opening", fake, real) == pytest.approx(expected, abs=1e-5)
    lost = fake.copy()
    lost[10:20] = np.nan
    kept = np.r_[0:10, 20:60]
    expected = pearsonr(gaps(fake[kept]), gaps(real[kept])).statistic
    assert computed("opening", lost, real) == pytest.approx(expected, abs=1e-5)


def test_the_spread_is_the_smaller_by_the_larger() -> None:
    real = moving_face(60)
    rest = real[:, 61:64][:, ::-1]
    for factor, expected in ((0.5, 0.5), (1.0, 1.0), (2.0, 0.5)):
        fake = real.copy()
        fake[:, 65:68] = rest + factor * (real[:, 65:68] - rest)
        assert computed("spread", fake, real) == pytest.approx(expected, rel=1e-4)
        deviations = sorted(float(np.std(gaps(one))) for one in (fake, real))
        assert computed("spread", fake, real) == pytest.approx(deviations[0] / deviations[1], rel=1e-4)
        assert computed("opening", fake, real) == pytest.approx(1)


def test_a_mouth_that_does_not_move() -> None:
    """The generated one's has no correlation and no spread; of a real one there is nothing to say."""
    real, still = moving_face(60), np.repeat(moving_face(1), 60, axis=0)
    assert np.isnan(computed("opening", still, real))
    assert computed("spread", still, real) == pytest.approx(0, abs=1e-9)
    assert np.isnan(computed("opening", real, still))
    assert np.isnan(computed("spread", real, still))
    assert np.isnan(computed("opening", real[:2], real[:2]))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 99), st.integers(100, 199), st.integers(3, 40))
def test_opening_and_spread_keep_their_range_and_are_symmetric(one: int, other: int, frames: int) -> None:
    real, fake = moving_face(frames, one), moving_face(frames, other)
    assert -1 - 1e-9 <= computed("opening", fake, real) <= 1 + 1e-9
    assert 0 <= computed("spread", fake, real) <= 1
    for name in ("opening", "spread"):
        assert computed(name, fake, real) == pytest.approx(computed(name, real, fake))
