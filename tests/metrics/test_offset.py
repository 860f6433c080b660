"""Offsets of the lips from the sound and from the real lips."""

import numpy as np
import pytest

from benchmarks.av_offset import found
from benchmarks.closed_lips import Real
from pipeline.metrics import METRICS
from pipeline.metrics.lips import decibels
from pipeline.metrics.offset import LAGS, av_offset, lag_correlations, relative_offset
from tests.metrics.faces import computed
from tests.metrics.mouths import babble, loudness_of, opened

DRAW = np.random.default_rng(0)


@pytest.mark.parametrize("shift", [-9, -3, 0, 1, 6, 15])
def test_shifted_lips_are_found(shift: int) -> None:
    opening = babble(140)
    lips, sound = opening[20 - shift : 120 - shift], opening[20:120]
    assert computed("av_offset", opened(lips), loudness_of(sound)) == shift
    assert computed("av_strength", opened(lips), loudness_of(sound)) > 0.3


@pytest.mark.slow
@pytest.mark.parametrize("shift", [-4, 0, 3])
def test_shifted_real_lips_are_found(real_clips: list[Real], shift: int) -> None:
    """In the median; benchmarks/av_offset.py says how often in single clips."""
    assert np.median([found(clip, shift) for clip in real_clips]) == pytest.approx(shift, abs=1)


def test_lag_correlations_equal_numpy() -> None:
    opening, loudness = babble(75), DRAW.uniform(0.02, 1, 75).astype(np.float32)
    points, level = opened(opening), decibels(loudness)
    mouth = points[:, 48:].astype(np.float64)
    speed = np.linalg.norm(np.diff(mouth - mouth.mean(1, keepdims=True), axis=0), axis=2).mean(1)
    speed = (np.r_[speed[:1], speed] + np.r_[speed, speed[-1:]]) / 2
    kernel = np.exp(-0.5 * (np.arange(-8, 9) / 2) ** 2)
    speed = np.convolve(np.pad(speed, 8, mode="edge"), kernel / kernel.sum(), "valid")
    ours = lag_correlations(points, loudness)
    assert ours.shape == LAGS.shape
    for lag, value in zip(range(-15, 16), ours, strict=True):
        late, early = slice(max(0, lag), 75 + min(0, lag)), slice(max(0, -lag), 75 - max(0, lag))
        pairs = [(opening, level), (speed, level), (np.gradient(opening), np.gradient(level))]
        expected = np.mean([np.corrcoef(lips[late], sound[early])[0, 1] for lips, sound in pairs])
        assert value == pytest.approx(expected, abs=1e-4)


def test_still_mouths_have_no_offset_and_no_strength() -> None:
    points, loudness = opened(np.full(75, 0.1)), loudness_of(babble(75))
    assert np.isnan(computed("av_offset", points, loudness))
    assert computed("av_strength", points, loudness) == 0


def test_missing_frames_do_not_change_the_offset() -> None:
    opening = babble(100)
    lips = np.roll(opening, 4)
    lips[[7, 30, 31, 60]] = np.nan
    assert av_offset(opened(lips), loudness_of(opening)) == 4


@pytest.mark.parametrize("lag", [-7, -1, 0, 3, 12])
def test_late_lips_are_found(lag: int) -> None:
    opening = np.concatenate([np.full(15, 0.02), babble(75), np.full(15, 0.02)])
    fake, real = opened(np.roll(opening, lag)), opened(opening)
    assert relative_offset(fake, real) == lag
    assert computed("relative_offset", fake, real) == lag


@pytest.mark.slow
def test_late_real_lips_are_found_despite_noise(real_clips: list[Real]) -> None:
    draw = np.random.default_rng(0)
    for clip in real_clips:
        points = clip.points_T68x2
        noisy = points + draw.normal(0, 0.3, points.shape)
        assert relative_offset(noisy[:-4], points[4:]) == pytest.approx(4, abs=1)  # frame t shows what is real at t - 4
        assert relative_offset(noisy[4:], points[:-4]) == pytest.approx(-4, abs=1)


def test_unrelated_lips_have_no_offset() -> None:
    real = opened(babble(75))
    others = [relative_offset(opened(babble(75, seed)), real) for seed in range(1, 9)]
    assert np.isnan(others).sum() >= 6


def test_still_short_and_lost_mouths_have_no_offset() -> None:
    real = opened(babble(75))
    still = np.repeat(opened(np.full(1, 0.1)), 75, axis=0)
    for fake in (still, np.full_like(real, np.nan)):
        assert np.isnan(relative_offset(fake, real))
        assert np.isnan(relative_offset(real, fake))
    assert np.isnan(relative_offset(real[:20], real[:20]))


def test_offsets_have_one_sign() -> None:
    """Positive where the lips are late."""
    units = {METRICS[name].unit for name in ("av_offset", "syncnet_offset")}
    assert units == {"frames the lips are late"}
    assert METRICS["av_offset"].direction == "nearer to 0 is better"
