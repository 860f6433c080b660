"""Rows by the statistics of the recording, and by running ones."""

import pickle
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from pipeline.runtime.clock import RATE
from pipeline.speech.mel import STEP, log_mel, mfcc
from pipeline.speech.normalisation import InitialStatistics, Running, Statistics, normalised
from tests.factories import noise

INITIAL = InitialStatistics(mean=(-3.0, 2.5), deviation=(1.0, 0.25), weight=5, memory=8)
PAUSES = replace(INITIAL, pause=3, variation=4.0)
either = pytest.mark.parametrize("initial", [INITIAL, PAUSES], ids=["all", "speech"])


def rows(count: int, seed: int = 0) -> NDArray[np.float32]:
    """Rows of two columns on the grid that rows lie on."""
    random = np.random.default_rng(seed)
    return (np.rint(random.normal((-2, 4), (3, 0.5), (count, 2)) / STEP) * STEP).astype(np.float32)


def test_normalised_rows_have_mean_0_and_deviation_1() -> None:
    rows = np.pad(log_mel(noise(2.0)), ((0, 0), (0, 1)), constant_values=3.0)  # a column that does not vary
    made = normalised(rows).astype(np.float64)
    np.testing.assert_allclose(made.mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(made.std(axis=0), [1] * 27 + [0], atol=1e-6)
    assert normalised(rows[:0]).shape == (0, 28)


def test_normalisation_removes_loudness() -> None:
    quiet, loud = log_mel(noise(1.0)), log_mel(2 * noise(1.0))
    assert np.abs(quiet - loud).max() > 1
    np.testing.assert_allclose(normalised(quiet), normalised(loud), atol=0.02)


@given(st.lists(st.integers(1, 400), max_size=5))
def test_statistics_do_not_depend_on_chunks(cuts: list[int]) -> None:
    rows, chunked = mfcc(noise(5.0)), Statistics(13)
    for chunk in np.split(rows, sorted(cuts)):
        chunked.add(chunk)
    np.testing.assert_array_equal(chunked.normalise(rows), normalised(rows))


def by_the_definition(rows_RC: NDArray[np.float32], row: int, initial: InitialStatistics) -> NDArray[np.float64]:
    """One row of `Running`, with rows of the initial mean and deviation put before the last ones that count."""
    heard = range(row + 1)
    counts = [one for one in heard if one < initial.pause - 1 or varies(rows_RC[: one + 1, 0], initial)]
    last = rows_RC[counts[-initial.memory :]].astype(np.float64)
    mean_C, deviation_C = np.array(initial.mean), np.array(initial.deviation)
    before = np.tile([mean_C - deviation_C, mean_C + deviation_C], (initial.weight, 1))  # twice the weight
    seen = np.concatenate([before, np.repeat(last, 2, axis=0)])
    return np.asarray((rows_RC[row] - seen.mean(axis=0)) / seen.std(axis=0))


def varies(levels: NDArray[np.float32], initial: InitialStatistics) -> bool:
    return bool(np.ptp(levels[-initial.pause :]) >= initial.variation)


@either
def test_running_rows_follow_the_definition(initial: InitialStatistics) -> None:
    given_rows = rows(30)
    made = Running(initial).normalise(given_rows)
    expected = [by_the_definition(given_rows, row, initial) for row in range(30)]
    np.testing.assert_allclose(made, expected, atol=1e-5)
    assert initial.variation == 0 or not np.array_equal(made, Running(INITIAL).normalise(given_rows))


@either
@given(cuts=st.lists(st.integers(0, 40), max_size=5))
def test_running_rows_do_not_depend_on_chunks(initial: InitialStatistics, cuts: list[int]) -> None:
    running = Running(initial)
    made = np.concatenate([running.normalise(chunk) for chunk in np.split(rows(40), sorted(cuts))])
    np.testing.assert_array_equal(made, Running(initial).normalise(rows(40)))


def test_later_rows_have_no_influence() -> None:
    whole, begun = rows(40), rows(40)[:20]
    np.testing.assert_array_equal(Running(INITIAL).normalise(whole)[:20], Running(INITIAL).normalise(begun))


@either
def test_running_statistics_take_constant_memory(initial: InitialStatistics) -> None:
    running, sizes = Running(initial), []
    for _ in range(3):
        running.normalise(rows(100))
        sizes.append(len(pickle.dumps(running)))
    assert sizes[0] == sizes[1] == sizes[2]


def test_a_change_of_loudness_is_forgotten() -> None:
    """A voice 12 dB louder than the initial statistics is the same as the voice itself after the memory."""
    quiet, loud = (log_mel(noise(2.0) / scale) for scale in (2**17, 2**15))
    statistics = Statistics(27)
    statistics.add(quiet)
    initial = replace(statistics.initial(), weight=1, memory=100)
    apart = np.abs(Running(initial).normalise(quiet) - Running(initial).normalise(loud)).mean(axis=1)
    assert apart[0] > 1
    assert apart[100:].max() < 0.5  # the initial statistics still count for one row in 101


def speech(seconds: float, scale: float = 1.0) -> NDArray[np.float64]:
    """Noise whose level rises and falls four times a second."""
    sound = noise(seconds) / 2**15
    return np.asarray(scale * sound * np.sin(4 * np.pi * np.arange(len(sound)) / RATE) ** 2)


def of_speech() -> InitialStatistics:
    statistics = Statistics(27)
    statistics.add(log_mel(speech(5.0)))
    return replace(statistics.initial(), weight=30, pause=50)  # little, so that effects show within seconds


def test_long_silence_stays_below_speech() -> None:
    """Six seconds of digital silence, or of noise 50 dB below the speech."""
    for silence in (np.zeros(6 * RATE), noise(6.0) / 2**15 / 300):
        made = Running(of_speech()).normalise(log_mel(np.concatenate([speech(3.0), silence])))
        level = made[:, 1:].mean(axis=1)
        assert level[400:].mean() < -1
        assert abs(level[800:].mean() - level[355:400].mean()) < 0.1
        every = Running(replace(of_speech(), variation=0.0)).normalise(log_mel(np.concatenate([speech(3.0), silence])))
        assert every[800:, 1:].mean() > -0.5


def test_a_quiet_voice_after_a_loud_one_counts() -> None:
    """A voice 26 dB softer. After `memory` rows, its rows are those of a recording without the loud voice."""
    quiet = log_mel(speech(5.0, 0.05))
    after = Running(of_speech()).normalise(np.concatenate([log_mel(speech(5.0)), quiet]))[500:]
    apart = np.abs(after - Running(of_speech()).normalise(quiet)).mean(axis=1)
    assert apart[10] > 0.5
    assert apart[300:].max() < 0.02


def test_a_constant_column_becomes_0() -> None:
    flat = np.full((20, 1), 3.0, np.float32)
    made = Running(InitialStatistics((3.0,), (0.0,))).normalise(flat)
    np.testing.assert_array_equal(made, np.zeros((20, 1)))


def test_initial_statistics_cover_all_counted_rows() -> None:
    parts = [rows(100, seed) for seed in (1, 2)]
    total = Statistics(2)
    for part in parts:
        one = Statistics(2)
        one.add(part)
        total.merge(one)
    initial, every = total.initial(), np.concatenate(parts).astype(np.float64)
    np.testing.assert_allclose(initial.mean, every.mean(axis=0), atol=STEP)
    np.testing.assert_allclose(initial.deviation, every.std(axis=0), atol=STEP)
    assert (initial.weight, initial.memory) == (200, 300)
    assert all(value % STEP == 0 for value in (*initial.mean, *initial.deviation, initial.variation))
    assert initial.variation == pytest.approx(0.75 * initial.deviation[0], abs=STEP)


def test_all_rows_count_with_a_record_of_an_older_version() -> None:
    record = {"mean": [0.0], "deviation": [1.0], "weight": 30, "memory": 300}
    assert InitialStatistics.read(record).variation == 0


def test_a_record_of_another_version_is_rejected() -> None:
    with pytest.raises(TypeError):
        InitialStatistics.read({"mean": [0.0], "deviation": [1.0], "decay": 3})
