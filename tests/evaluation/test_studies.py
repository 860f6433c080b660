import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pipeline.evaluation.baselines.base import TestClip
from pipeline.evaluation.studies import StudyClip, babble, pitch, rate, voice, white_noise
from pipeline.runtime.clock import RATE

Sound = NDArray[np.float64]


def tone(frequency: float, seconds: float = 1.0) -> Sound:
    return np.asarray(0.1 * np.sin(2 * np.pi * frequency * np.arange(round(seconds * RATE)) / RATE))


def buzz(frequency: float) -> Sound:
    """All harmonics alike below 4 kHz: a spectrum whose peak is what a filter makes."""
    return np.asarray(sum(tone(frequency * number) for number in range(1, int(4000 / frequency))))


def study_clip(others_N: Sound) -> StudyClip:
    nothing = np.zeros((1, 128, 128, 3), np.uint8)
    clip = TestClip("a", "s", nothing, np.zeros((1, 68, 2), np.float32), np.zeros((1, 28, 12), np.float32))
    return StudyClip(clip, np.zeros(RATE, np.int16), others_N, seed=0)


def strongest(samples_N: Sound) -> float:
    """The frequency, Hz."""
    return float(np.abs(np.fft.rfft(samples_N * np.hanning(len(samples_N)))).argmax() * RATE / len(samples_N))


@settings(max_examples=20)
@given(st.floats(-30, 30))
def test_noise_has_the_level_that_is_asked_for_and_nothing_is_clipped(ratio: float) -> None:
    clean_N, others_N = tone(440), np.random.default_rng(1).laplace(size=RATE)
    for change, noise_N in ((white_noise, np.random.default_rng(0).normal(size=RATE)), (babble, others_N)):
        mixed_N = change(clean_N, study_clip(others_N), ratio)
        assert np.abs(mixed_N).max() <= 1
        (clean, noise), left, *_ = np.linalg.lstsq(np.stack([clean_N, noise_N], axis=1), mixed_N, rcond=None)
        assert left == pytest.approx(0, abs=1e-9)
        measured = 10 * np.log10(np.mean((clean * clean_N) ** 2) / np.mean((noise * noise_N) ** 2))
        assert measured == pytest.approx(ratio, abs=1e-6)


def test_babble_is_what_others_say() -> None:
    mixed_N = babble(tone(440), study_clip(tone(1000)), 0.0)
    spectrum = np.abs(np.fft.rfft(mixed_N))
    assert set(np.argsort(spectrum)[-2:] * RATE / len(mixed_N)) == {440.0, 1000.0}


@pytest.mark.parametrize("semitones", [-6.0, 3.0])
def test_pitch_moves_by_semitones_and_takes_as_long(semitones: float) -> None:
    higher_N = pitch(tone(440), study_clip(tone(1)), semitones)
    assert len(higher_N) == RATE
    assert strongest(higher_N) == pytest.approx(440 * 2 ** (semitones / 12), rel=0.01)


@pytest.mark.parametrize("times", [0.7, 1.3])
def test_rate_keeps_the_pitch(times: float) -> None:
    faster_N = rate(tone(440), study_clip(tone(1)), times)
    assert len(faster_N) == pytest.approx(RATE / times, abs=1)
    assert strongest(faster_N) == pytest.approx(440, rel=0.01)


def test_another_voice_has_other_formants_at_the_same_pitch() -> None:
    from scipy.signal import iirpeak, lfilter

    spoken_N = lfilter(*iirpeak(1000, 2, RATE), buzz(100))
    moved_N = voice(spoken_N, study_clip(tone(1)), 4.0)
    assert len(moved_N) == len(spoken_N)
    assert strongest(spoken_N) == pytest.approx(1000, abs=110)
    assert strongest(moved_N) == pytest.approx(1000 * 2 ** (4 / 12), abs=110)
    peaks = np.abs(np.fft.rfft(moved_N))
    assert peaks[::100][3:30].min() > 20 * np.median(peaks)  # harmonics of 100 Hz, as before


def test_a_voice_that_is_not_moved_is_as_it_was() -> None:
    spoken_N = buzz(130)
    assert np.abs(voice(spoken_N, study_clip(tone(1)), 0.0) - spoken_N).max() < 1e-6
