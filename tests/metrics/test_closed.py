"""Lips closed on p, b and m."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from benchmarks.closed_lips import Real
from pipeline.landmarks.shape import eye_distance, mouth_opening
from pipeline.metrics.lips import CLOSED, HIGHEST_REST, closed_level, closed_share, closures
from pipeline.speech.phonemes import Phoneme
from tests.metrics.faces import computed
from tests.metrics.mouths import opened

B, V = Phoneme.BILABIAL, Phoneme.OPEN_VOWEL


def said(frames: int, *at: int) -> NDArray[np.int8]:
    """A p, b or m of one frame at each of ``at``, vowels elsewhere."""
    classes = np.full(frames, V, np.int8)
    classes[list(at)] = B
    return classes


def speaking(frames: int, *closed: int, rest: float = 0.02) -> NDArray[np.float64]:
    """A mouth that is open but in the frames ``closed``."""
    opening = np.full(frames, rest + 0.2)
    opening[list(closed)] = rest
    return opening


def test_the_opening_is_in_distances_of_the_eyes() -> None:
    points = opened(np.array([0.0, 0.1, np.nan]))
    np.testing.assert_allclose(eye_distance(points), [40, 40, np.nan])
    np.testing.assert_allclose(mouth_opening(points), [0, 0.1, np.nan], atol=1e-6)
    np.testing.assert_allclose(mouth_opening(2.5 * points + 7), [0, 0.1, np.nan], atol=1e-6)


@pytest.mark.parametrize(
    ("closed", "expected"),
    [
        ((5, 15, 25), [True, True, True]),
        ((4, 16, 25), [True, True, True]),  # a frame beside the phoneme counts
        ((3, 15, 27), [False, True, False]),
        ((10, 20, 30), [False, False, False]),
    ],
)
def test_lips_close_on_the_phoneme_or_beside_it(closed: tuple[int, ...], expected: list[bool]) -> None:
    assert closures(speaking(36, *closed), said(36, 5, 15, 25)).tolist() == expected


def test_a_still_mouth_closes_on_nothing_open_or_shut() -> None:
    for level in (0.0, 0.02, 0.3):
        assert computed("closed", opened(np.full(30, level)), said(30, 5, 15)) == 0


def test_a_mouth_that_never_shuts_does_not_close() -> None:
    """Though it is least open on the phonemes."""
    assert closed_share(opened(speaking(36, 5, 15, 25, rest=0.2)), said(36, 5, 15, 25)) == 0
    assert closed_level(np.full(9, 0.2)) == HIGHEST_REST


def test_closed_lips_of_speakers_differ() -> None:
    for rest in (0.0, 0.03, HIGHEST_REST):
        shut = speaking(36, 5, 15, 25, rest=rest)
        assert closed_share(opened(shut), said(36, 5, 15, 25)) == 1
        ajar = np.where(shut == rest, rest + 0.9 * CLOSED, shut)
        ajar[30:] = rest  # at rest afterwards
        assert closed_share(opened(ajar), said(36, 5, 15, 25)) == 1
        ajar[[5, 15]] = rest + 1.2 * CLOSED
        assert closed_share(opened(ajar), said(36, 5, 15, 25)) == pytest.approx(1 / 3)


def test_phonemes_in_frames_without_a_face_are_not_closed() -> None:
    opening = speaking(36, 5, 15, 25)
    opening[13:18] = np.nan
    assert closed_share(opened(opening), said(36, 5, 15, 25)) == pytest.approx(2 / 3)


def test_it_says_nothing_without_a_face_or_a_bilabial() -> None:
    assert np.isnan(computed("closed", opened(np.full(30, np.nan)), said(30, 5)))
    assert np.isnan(computed("closed", opened(speaking(30, 5)), said(30)))


@given(
    st.lists(st.one_of(st.floats(0, 0.6), st.just(np.nan)), min_size=1, max_size=60),
    st.integers(0, 2**32 - 1),
)
def test_it_is_a_share_that_does_not_depend_on_size_place_or_parts(opening: list[float], seed: int) -> None:
    draw = np.random.default_rng(seed)
    points, classes = opened(np.array(opening)), draw.integers(0, 8, len(opening)).astype(np.int8)
    value = closed_share(points, classes)
    if np.isnan(opening).all() or not (classes == B).any():
        assert np.isnan(value)
        return
    assert 0 <= value <= 1
    assert closed_share(points.astype(np.float64) * 2 + [30, -10], classes) == pytest.approx(value)


def test_real_lips_close_and_frozen_ones_do_not(real_clips: list[Real]) -> None:
    """More of them in benchmarks/closed_lips.py."""
    shares = [closed_share(clip.points_T68x2, clip.phonemes_T) for clip in real_clips]
    assert np.mean(shares) > 0.8
    for clip in real_clips:
        assert closed_share(clip.points_T68x2[:1].repeat(len(clip.phonemes_T), axis=0), clip.phonemes_T) == 0
