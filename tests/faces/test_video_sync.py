"""Sound and lips of whole videos, with signals of a known offset."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from pipeline.faces.video_sync import MIN_CLIPS, Fit, FitLimits, Signals, fit_video

FRAMES = 75
LIMITS = FitLimits(gain=1.0, correlation=0.42, no_gain=0.9, weak=0.3, fewest=5)
"""These signals fit foreign sound better by chance than a mouth of 20 points does."""


def speech(seed: int, clips: int) -> NDArray[np.float64]:
    return np.asarray(gaussian_filter1d(np.random.default_rng(seed).standard_normal((clips + 2) * FRAMES), 2.0) * 3)


def video(offset: int, clips: int = 8, noise: float = 0.3, seed: int = 0) -> list[Signals]:
    """Lips that come ``offset`` frames after the sound."""
    sound = speech(seed, clips)
    lips = np.roll(sound, offset) + np.random.default_rng(9).normal(0, noise, len(sound))
    return [_cut(lips, sound, number) for number in range(1, clips + 1)]


def _cut(lips: NDArray[np.float64], sound: NDArray[np.float64], number: int) -> Signals:
    frames = slice(number * FRAMES, (number + 1) * FRAMES)
    return [lips[frames, None]], [sound[frames, None]]


def fit(clips: list[Signals]) -> Fit:
    result = fit_video(clips, LIMITS)
    assert result is not None
    return result


@pytest.mark.parametrize("offset", [-20, -10, -3, -1, 0, 1, 3, 10])
def test_the_offset_of_a_video_is_found(offset: int) -> None:
    result = fit(video(offset))
    assert result.offset == offset
    assert result.matches
    assert not result.foreign
    assert result.shifted == (abs(offset) > 1)


@pytest.mark.parametrize(("offset", "words"), [(-10, "0.40 s late (10 frames)"), (3, "0.12 s early (3 frames)")])
def test_an_offset_in_words(offset: int, words: str) -> None:
    assert fit(video(offset)).offset_text == words


@pytest.mark.parametrize("seed", [0, 1, 3])
def test_other_speech_is_foreign(seed: int) -> None:
    lips, sound = video(0, clips=20, seed=seed), video(0, clips=20, seed=seed + 100)
    result = fit([(a[0], b[1]) for a, b in zip(lips, sound, strict=True)])
    assert result.foreign
    assert not result.shifted


def test_weak_lips_are_not_foreign() -> None:
    result = fit(video(0, noise=6.0))
    assert result.correlation < LIMITS.weak
    assert not result.foreign


def test_too_few_clips_have_no_result() -> None:
    assert fit_video(video(0)[: MIN_CLIPS - 1], LIMITS) is None
    assert fit_video([((), ())] * 5, LIMITS) is None


def test_few_clips_are_never_foreign() -> None:
    lips, sound = video(0, clips=4), video(0, clips=4, seed=100)
    assert not fit([(a[0], b[1]) for a, b in zip(lips, sound, strict=True)]).foreign
