"""Distances of landmarks, lost faces and jitter."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.metrics.landmarks import landmark_distance
from tests.metrics.faces import computed, moving_face

DRAW = np.random.default_rng(0)


def test_landmark_distance_by_hand() -> None:
    real = np.zeros((2, 68, 2))
    fake = real.copy()
    fake[0] += [7, -3]  # a face that stands elsewhere is not worse
    fake[1, 48:58, 1] += 2  # ten of the twenty mouth points 2 px lower: each is 1 px from its place about the mean
    np.testing.assert_allclose(landmark_distance(torch.from_numpy(fake), torch.from_numpy(real)), [0, 1], atol=1e-12)


def test_landmark_distance_equals_a_loop() -> None:
    real, fake = DRAW.normal(64, 20, (2, 5, 68, 2))
    expected = []
    for r, m in zip(real[:, 48:], fake[:, 48:], strict=True):
        r, m = r - r.mean(0), m - m.mean(0)
        expected.append(np.mean([np.hypot(*(a - b)) for a, b in zip(r, m, strict=True)]))
    np.testing.assert_allclose(landmark_distance(torch.from_numpy(fake), torch.from_numpy(real)), expected)


def test_lost_faces_are_counted_and_left_out_of_lmd() -> None:
    real = DRAW.normal(64, 20, (4, 68, 2)).astype(np.float32)
    fake = real.copy()
    fake[1] = np.nan  # not found in the generated picture
    real[3] = np.nan  # not found in the real one: nothing to compare, and not the baseline's fault
    assert computed("lmd", fake, real) == computed("f_lmd", fake, real) == 0
    assert computed("lost", fake, real) == pytest.approx(1 / 3)


def test_without_any_face_there_is_no_distance() -> None:
    real, fake = np.zeros((2, 68, 2), np.float32), np.full((2, 68, 2), np.nan, np.float32)
    assert np.isnan(computed("lmd", fake, real))
    assert computed("lost", fake, real) == 1


def test_lmd_ignores_the_jaw_and_f_lmd_does_not() -> None:
    real = DRAW.normal(64, 20, (3, 68, 2)).astype(np.float32)
    fake = real.copy()
    fake[:, 0] += 6  # the jaw
    assert computed("lmd", fake, real) == 0
    assert computed("f_lmd", fake, real) > 0.1


def test_lmd_by_eyes_is_in_percent_of_the_eye_distance() -> None:
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


def test_frames_with_coinciding_eyes_are_left_out() -> None:
    real = moving_face(3)
    real[1:, 42:48] = real[1:, 36:42]
    fake = (real + DRAW.normal(0, 2, real.shape)).astype(np.float32)
    assert computed("lmd_eyes", fake, real) == pytest.approx(computed("lmd_eyes", fake[:1], real[:1]))
    assert np.isnan(computed("lmd_eyes", fake[1:], real[1:]))


@settings(max_examples=25)
@given(st.integers(0, 99), st.floats(-40, 40), st.floats(-40, 40), st.floats(0.5, 3))
def test_distances_ignore_place_and_by_eyes_also_size(seed: int, x: float, y: float, scale: float) -> None:
    real = moving_face(4, seed)
    fake = (real + np.random.default_rng(seed).normal(0, 2, real.shape)).astype(np.float32)
    moved = (fake + np.array([x, y])).astype(np.float32)
    for name in ("lmd", "f_lmd", "lmd_eyes", "f_lmd_eyes", "paper_lmd"):
        assert computed(name, moved, real) == pytest.approx(computed(name, fake, real), rel=1e-3)
    larger = [(scale * one).astype(np.float32) for one in (fake, real)]
    assert computed("lmd_eyes", *larger) == pytest.approx(computed("lmd_eyes", fake, real), rel=1e-3)
    assert computed("lmd", *larger) == pytest.approx(scale * computed("lmd", fake, real), rel=1e-3)


def test_jitter_measures_noise_and_not_even_motion() -> None:
    still = np.repeat(moving_face(1), 400, axis=0)
    moving = still + np.arange(400)[:, None, None] * np.array([0.25, -0.125])
    assert computed("jitter", moving.astype(np.float32)) == pytest.approx(0, abs=1e-5)
    shaken = (moving + DRAW.normal(0, 0.4, moving.shape)).astype(np.float32)
    assert computed("jitter", shaken) == pytest.approx(0.4, rel=0.03)
    lost = shaken.copy()
    lost[100] = np.nan
    assert computed("jitter", lost) == pytest.approx(0.4, rel=0.03)


def test_jitter_ignores_the_mouth() -> None:
    assert computed("jitter", moving_face(30)) == 0
    assert np.isnan(computed("jitter", moving_face(2)))
