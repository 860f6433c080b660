"""Sound and lips of whole videos: signals that follow each other at a known distance."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from pipeline.faces.video_sync import MIN_CLIPS, Fit, FitLimits, Signals, fit_video

FRAMES = 75
LIMITS = FitLimits(gain=1.0, correlation=0.42, no_gain=0.9, weak=0.3, fewest=5)
"""Of these signals, which fit others better by chance than a mouth of 20 points does."""


def speech(seed: int, clips: int) -> NDArray[np.float64]:
    return np.asarray(gaussian_filter1d(np.random.default_rng(seed).standard_normal((clips + 2) * FRAMES), 2.0) * 3)


def video(offset: int, clips: int = 8, noise: float = 0.3, seed: int = 0) -> list[Signals]:
    """Lips that come ``offset`` frames after the sound."""
    said = speech(seed, clips)
    lips = np.roll(said, offset) + np.random.default_rng(9).normal(0, noise, len(said))
    return [_cut(lips, said, number) for number in range(1, clips + 1)]


def _cut(lips: NDArray[np.float64], sound: NDArray[np.float64], number: int) -> Signals:
    its = slice(number * FRAMES, (number + 1) * FRAMES)
    return [lips[its, None]], [sound[its, None]]


def fit(clips: list[Signals]) -> Fit:
    found = fit_video(clips, LIMITS)
    assert found is not None
    return found


@pytest.mark.parametrize("offset", [-20, -10, -3, -1, 0, 1, 3, 10])
def test_the_offset_of_a_video_is_found(offset: int) -> None:
    found = fit(video(offset))
    assert found.offset == offset
    assert found.matches
    assert not found.foreign
    assert found.shifted == (abs(offset) > 1)


@pytest.mark.parametrize(("offset", "words"), [(-10, "0.40 s late (10 frames)"), (3, "0.12 s early (3 frames)")])
def test_an_offset_in_words(offset: int, words: str) -> None:
    assert fit(video(offset)).offset_text == words


@pytest.mark.parametrize("seed", [0, 1, 3])
def test_other_speech_is_foreign(seed: int) -> None:
    lips, sound = video(0, clips=20, seed=seed), video(0, clips=20, seed=seed + 100)
    found = fit([(one[0], other[1]) for one, other in zip(lips, sound, strict=True)])
    assert found.foreign
    assert not found.shifted


def test_lips_that_are_hard_to_see_are_not_called_foreign() -> None:
    found = fit(video(0, noise=6.0))
    assert found.correlation < LIMITS.weak
    assert not found.foreign


def test_too_few_clips_have_no_result() -> None:
    assert fit_video(video(0)[: MIN_CLIPS - 1], LIMITS) is None
    assert fit_video([((), ())] * 5, LIMITS) is None


def test_few_clips_are_never_called_foreign() -> None:
    lips, sound = video(0, clips=4), video(0, clips=4, seed=100)
    assert not fit([(one[0], other[1]) for one, other in zip(lips, sound, strict=True)]).foreign
