"""Openings of the mouth, closed lips, and THEval's metrics of lips and sound."""

from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import pearsonr

from benchmarks.closed_lips import Real
from pipeline.landmarks.shape import eye_distance, mouth_opening
from pipeline.metrics.lips import (
    CLOSED,
    DEPTH,
    HIGHEST_REST,
    closed_level,
    closed_share,
    closures,
    decibels,
    lip_dynamics,
    lip_sync,
    runs,
    silent_frames,
    silent_stability,
)
from pipeline.speech.phonemes import Phoneme
from tests.metrics.faces import Points, computed, moving_face
from tests.metrics.mouths import babble, loudness_of, opened

DRAW = np.random.default_rng(0)


B, V = Phoneme.BILABIAL, Phoneme.OPEN_VOWEL


def gaps(points: Points) -> list[float]:
    """Of each frame's inner lips, by the distance of the eyes."""
    pairs = ((61, 67), (62, 66), (63, 65))
    return [float(np.mean([np.hypot(*(frame[a] - frame[b])) for a, b in pairs])) / 40 for frame in points]


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


def test_opening_equals_scipy() -> None:
    real, fake = moving_face(60, 1), moving_face(60, 2)
    expected = pearsonr(gaps(fake), gaps(real)).statistic
    assert computed("opening", fake, real) == pytest.approx(expected, abs=1e-5)
    lost = fake.copy()
    lost[10:20] = np.nan
    kept = np.r_[0:10, 20:60]
    expected = pearsonr(gaps(fake[kept]), gaps(real[kept])).statistic
    assert computed("opening", lost, real) == pytest.approx(expected, abs=1e-5)


def test_spread_is_the_smaller_over_the_larger() -> None:
    real = moving_face(60)
    rest = real[:, 61:64][:, ::-1]
    for factor, expected in ((0.5, 0.5), (1.0, 1.0), (2.0, 0.5)):
        fake = real.copy()
        fake[:, 65:68] = rest + factor * (real[:, 65:68] - rest)
        assert computed("spread", fake, real) == pytest.approx(expected, rel=1e-4)
        deviations = sorted(float(np.std(gaps(one))) for one in (fake, real))
        assert computed("spread", fake, real) == pytest.approx(deviations[0] / deviations[1], rel=1e-4)
        assert computed("opening", fake, real) == pytest.approx(1)


def test_still_mouths() -> None:
    """The generated one's has no correlation and no spread; of a real one there is nothing to say."""
    real, still = moving_face(60), np.repeat(moving_face(1), 60, axis=0)
    assert np.isnan(computed("opening", still, real))
    assert computed("spread", still, real) == pytest.approx(0, abs=1e-9)
    assert np.isnan(computed("opening", real, still))
    assert np.isnan(computed("spread", real, still))
    assert np.isnan(computed("opening", real[:2], real[:2]))


@settings(max_examples=25)
@given(st.integers(0, 99), st.integers(100, 199), st.integers(3, 40))
def test_opening_and_spread_are_symmetric_and_in_range(one: int, other: int, frames: int) -> None:
    real, fake = moving_face(frames, one), moving_face(frames, other)
    assert -1 - 1e-9 <= computed("opening", fake, real) <= 1 + 1e-9
    assert 0 <= computed("spread", fake, real) <= 1
    for name in ("opening", "spread"):
        assert computed(name, fake, real) == pytest.approx(computed(name, real, fake))


def test_openings_are_in_eye_distances() -> None:
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
def test_lips_close_on_or_beside_the_phoneme(closed: tuple[int, ...], expected: list[bool]) -> None:
    assert closures(speaking(36, *closed), said(36, 5, 15, 25)).tolist() == expected


def test_still_mouths_never_close() -> None:
    for level in (0.0, 0.02, 0.3):
        assert computed("closed", opened(np.full(30, level)), said(30, 5, 15)) == 0


def test_mouths_that_stay_open_do_not_close() -> None:
    """Though it is least open on the phonemes."""
    assert closed_share(opened(speaking(36, 5, 15, 25, rest=0.2)), said(36, 5, 15, 25)) == 0
    assert closed_level(np.full(9, 0.2)) == HIGHEST_REST


def test_the_level_of_closed_lips_depends_on_the_speaker() -> None:
    for rest in (0.0, 0.03, HIGHEST_REST):
        shut = speaking(36, 5, 15, 25, rest=rest)
        assert closed_share(opened(shut), said(36, 5, 15, 25)) == 1
        ajar = np.where(shut == rest, rest + 0.9 * CLOSED, shut)
        ajar[30:] = rest  # at rest afterwards
        assert closed_share(opened(ajar), said(36, 5, 15, 25)) == 1
        ajar[[5, 15]] = rest + 1.2 * CLOSED
        assert closed_share(opened(ajar), said(36, 5, 15, 25)) == pytest.approx(1 / 3)


def test_lips_without_a_face_do_not_close() -> None:
    opening = speaking(36, 5, 15, 25)
    opening[13:18] = np.nan
    assert closed_share(opened(opening), said(36, 5, 15, 25)) == pytest.approx(2 / 3)


def test_closed_needs_a_face_and_a_bilabial() -> None:
    assert np.isnan(computed("closed", opened(np.full(30, np.nan)), said(30, 5)))
    assert np.isnan(computed("closed", opened(speaking(30, 5)), said(30)))


@given(
    st.lists(st.one_of(st.floats(0, 0.6), st.just(np.nan)), min_size=1, max_size=60),
    st.integers(0, 2**32 - 1),
)
def test_closed_is_a_share_and_ignores_size_and_place(opening: list[float], seed: int) -> None:
    draw = np.random.default_rng(seed)
    points, classes = opened(np.array(opening)), draw.integers(0, 8, len(opening)).astype(np.int8)
    value = closed_share(points, classes)
    if np.isnan(opening).all() or not (classes == B).any():
        assert np.isnan(value)
        return
    assert 0 <= value <= 1
    assert closed_share(points.astype(np.float64) * 2 + [30, -10], classes) == pytest.approx(value)


@pytest.mark.slow
def test_real_lips_close_and_frozen_lips_do_not(real_clips: list[Real]) -> None:
    """More of them in benchmarks/closed_lips.py."""
    shares = [closed_share(clip.points_T68x2, clip.phonemes_T) for clip in real_clips]
    assert np.mean(shares) > 0.8
    for clip in real_clips:
        assert closed_share(clip.points_T68x2[:1].repeat(len(clip.phonemes_T), axis=0), clip.phonemes_T) == 0


def test_levels_are_decibels_below_the_loudest_frame() -> None:
    np.testing.assert_allclose(decibels(np.array([0.5, 0.05, 0.005, 0.0005, 0])), [0, -20, -DEPTH, -DEPTH, -DEPTH])
    assert silent_frames(np.array([0.5, 0.06, 0.04, 0])).tolist() == [False, False, True, True]
    assert silent_frames(np.zeros(3)).all()
    assert not decibels(np.zeros(3)).any()


@given(st.lists(st.booleans(), max_size=30))
def test_runs_cover_the_marked_frames(marked: list[bool]) -> None:
    seen = runs(np.array(marked, bool))
    assert [number for first, last in seen for number in range(first, last)] == list(np.flatnonzero(marked))
    assert all(before[1] < after[0] for before, after in pairwise(seen))


def test_lip_sync_equals_a_loop() -> None:
    opening, loudness = babble(75), DRAW.uniform(0.1, 1, 75)
    opening[40] = np.nan
    loudness[:20] = 0.001
    frames = [t for t in range(20, 75) if t != 40]
    o = [opening[t] for t in frames]
    a = [loudness[t] for t in frames]
    expected = np.mean(
        [abs((x - min(o)) / (max(o) - min(o)) - (y - min(a)) / (max(a) - min(a))) for x, y in zip(o, a, strict=True)]
    )
    assert lip_sync(opened(opening), loudness) == pytest.approx(expected, rel=1e-4)


def test_lips_that_follow_the_level_are_in_sync() -> None:
    opening = babble(75)
    loudness = loudness_of(opening)
    assert computed("lip_sync", opened(opening), loudness) == pytest.approx(0, abs=1e-4)
    still = computed("lip_sync", opened(np.full(75, 0.1)), loudness)
    assert still == pytest.approx(computed("lip_sync", opened(np.full(75, 0.3)), loudness))
    assert still > 0.2


def test_silent_stability_equals_numpy() -> None:
    """Of silences of 0.3 s (8 frames) and more alone, weighted by their frames."""
    opening, loudness = DRAW.uniform(0, 0.2, 75), np.full(75, 0.5)
    loudness[:10] = loudness[30:37] = loudness[55:] = 0.001  # 10, 7 and 20 frames
    opening[60] = np.nan
    parts = [opening[:10], np.delete(opening[55:], 5)]
    expected = 100 * (10 * parts[0].std() + 19 * parts[1].std()) / 29
    assert silent_stability(opened(opening), loudness) == pytest.approx(expected, rel=1e-4)
    loudness[:10] = loudness[55:] = 0.5
    assert np.isnan(silent_stability(opened(opening), loudness))


def test_lip_dynamics_equals_a_loop_over_pairs() -> None:
    points = opened(babble(30)) + DRAW.normal(0, 0.5, (30, 68, 2))
    points[4] = np.nan
    seen = np.delete(points, 4, axis=0)
    eyes = np.linalg.norm(seen[:, 36:42].mean(1) - seen[:, 42:48].mean(1), axis=1)
    spread = [
        np.std([np.hypot(*(frame[a] - frame[b])) / eye for frame, eye in zip(seen, eyes, strict=True)])
        for a, b in combinations(range(48, 68), 2)
    ]
    assert lip_dynamics(points) == pytest.approx(100 * np.mean(spread))
    assert computed("lip_dynamics", points.astype(np.float32)) == pytest.approx(100 * np.mean(spread), rel=1e-4)
    assert computed("lip_dynamics", opened(np.full(30, 0.1))) == pytest.approx(0, abs=1e-4)
