"""Lips against the level of the sound: THEval's metrics, and the audio-visual offset."""

from itertools import combinations, pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from torch.nn.functional import pairwise_distance

from benchmarks.av_offset import found
from benchmarks.closed_lips import Real
from pipeline.metrics import METRICS
from pipeline.metrics.base import ClipMetric
from pipeline.metrics.lips import DEPTH, decibels, lip_dynamics, lip_sync, runs, silent_frames, silent_stability
from pipeline.metrics.offset import LAGS, av_offset, lag_correlations
from pipeline.metrics.syncnet import lse_c, lse_d, mean_distances, syncnet_offset
from tests.metrics.faces import computed
from tests.metrics.mouths import Array, babble, opened

DRAW = np.random.default_rng(0)
SOUND = ("lip_sync", "silent_stability", "av_offset", "av_strength")


def loudness_of(opening_T: Array) -> NDArray[np.float32]:
    """A sound that is louder the further the mouth is open, and silent where it is shut."""
    return (0.0005 + 0.4 * np.clip(opening_T - 0.02, 0, None)).astype(np.float32)


def test_levels_are_decibels_below_the_loudest_frame() -> None:
    np.testing.assert_allclose(decibels(np.array([0.5, 0.05, 0.005, 0.0005, 0])), [0, -20, -DEPTH, -DEPTH, -DEPTH])
    assert silent_frames(np.array([0.5, 0.06, 0.04, 0])).tolist() == [False, False, True, True]
    assert silent_frames(np.zeros(3)).all()
    assert not decibels(np.zeros(3)).any()


@given(st.lists(st.booleans(), max_size=30))
def test_runs_are_what_is_marked(marked: list[bool]) -> None:
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


def test_lips_that_open_as_the_sound_swells_are_in_sync() -> None:
    opening = babble(75)
    loudness = loudness_of(opening)
    assert computed("lip_sync", opened(opening), loudness) == pytest.approx(0, abs=1e-4)
    still = computed("lip_sync", opened(np.full(75, 0.1)), loudness)
    assert still == pytest.approx(computed("lip_sync", opened(np.full(75, 0.3)), loudness))
    assert still > 0.2


def test_silent_stability_equals_numpys_deviation() -> None:
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


@pytest.mark.parametrize("shift", [-9, -3, 0, 1, 6, 15])
def test_a_shift_of_the_lips_is_found(shift: int) -> None:
    opening = babble(140)
    lips, sound = opening[20 - shift : 120 - shift], opening[20:120]
    assert computed("av_offset", opened(lips), loudness_of(sound)) == shift
    assert computed("av_strength", opened(lips), loudness_of(sound)) > 0.3


@pytest.mark.parametrize("shift", [-4, 0, 3])
def test_a_shift_of_real_lips_is_found(real_clips: list[Real], shift: int) -> None:
    """In the median; benchmarks/av_offset.py says how often in single clips."""
    assert np.median([found(clip, shift) for clip in real_clips]) == pytest.approx(shift, abs=1)


def test_correlations_are_pearsons_of_the_frames_that_overlap() -> None:
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


def test_a_still_mouth_has_no_offset_and_no_strength() -> None:
    points, loudness = opened(np.full(75, 0.1)), loudness_of(babble(75))
    assert np.isnan(computed("av_offset", points, loudness))
    assert computed("av_strength", points, loudness) == 0


@pytest.mark.parametrize("name", SOUND)
def test_nothing_is_said_where_nothing_is_seen_or_heard(name: str) -> None:
    faceless = opened(np.full(75, np.nan))
    assert np.isnan(computed(name, faceless, loudness_of(babble(75))))
    if name != "silent_stability":  # all of it is silence
        assert np.isnan(computed(name, opened(babble(75)), np.zeros(75, np.float32)))
    assert np.isnan(computed(name, opened(babble(1)), np.ones(1, np.float32)))
    assert np.isnan(float(METRICS[name].make().compute()))


def test_frames_without_a_face_hardly_move_the_offset() -> None:
    opening = babble(100)
    lips = np.roll(opening, 4)
    lips[[7, 30, 31, 60]] = np.nan
    assert av_offset(opened(lips), loudness_of(opening)) == 4


@given(
    st.lists(st.one_of(st.floats(0, 1, width=32), st.just(float("nan"))), min_size=2, max_size=80), st.integers(0, 99)
)
def test_no_value_is_infinite(opening: list[float], seed: int) -> None:
    loudness = np.random.default_rng(seed).choice([0, 1e-5, 0.01, 0.5], len(opening)).astype(np.float32)
    for name in SOUND:
        assert not np.isinf(computed(name, opened(np.array(opening)), loudness))


def test_a_clip_may_come_in_parts() -> None:
    points, loudness = torch.from_numpy(opened(babble(75))), torch.from_numpy(loudness_of(babble(75, seed=1)))
    for name in SOUND:
        whole, parts = METRICS[name].make(), METRICS[name].make()
        whole.update(points, loudness)
        for part in (slice(0, 20), slice(20, 75)):
            parts.update(points[part], loudness[part])
        assert float(whole.compute()) == float(parts.compute())


def test_distances_are_torchs() -> None:
    seen, heard = DRAW.normal(0, 1, (2, 40, 64)).astype(np.float32)
    padded = torch.nn.functional.pad(torch.from_numpy(heard), (0, 0, 15, 15))
    expected = [float(pairwise_distance(torch.from_numpy(seen), padded[s : s + 40]).mean()) for s in range(31)]
    np.testing.assert_allclose(mean_distances(seen, heard), expected, rtol=1e-5)
    assert lse_d(seen, heard) == pytest.approx(min(expected), rel=1e-5)
    assert lse_c(seen, heard) == pytest.approx(np.median(expected) - min(expected), rel=1e-3)


@given(st.integers(-15, 15), st.integers(20, 60))
def test_syncnets_offset_is_how_late_the_pictures_are(shift: int, windows: int) -> None:
    whole = np.random.default_rng(shift + 15).normal(0, 1, (windows + 30, 16))
    seen, heard = whole[15 - shift : 15 - shift + windows], whole[15 : 15 + windows]
    assert syncnet_offset(seen, heard) == shift


def test_no_window_gives_no_distance() -> None:
    nothing = torch.zeros(0, 1024)
    for function in (lse_c, lse_d, syncnet_offset):
        metric = ClipMetric(function)
        metric.update(nothing, nothing)
        assert np.isnan(float(metric.compute()))


def test_both_offsets_have_one_sign() -> None:
    """Positive where the lips are late."""
    units = {METRICS[name].unit for name in ("av_offset", "syncnet_offset")}
    assert units == {"frames the lips are late"}
    assert METRICS["av_offset"].direction == "nearer to 0 is better"
