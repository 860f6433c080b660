"""Changed speech: what it becomes, by sounds whose pitch, level and time are known."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.config.params import Mfcc
from pipeline.runtime.clock import RATE
from pipeline.speech.features import SpeechFeatures
from pipeline.speech.variants import Variant, variant

STILL = Mfcc(kind="log_mel", gain=0, noise=0, pitch=0, rate=0)
FEATURES = SpeechFeatures.of(0.025, "log_mel")


def made(samples_N: NDArray[np.int16], number: int = 1, **strengths: float) -> Variant:
    return variant(samples_N, FEATURES, Mfcc(**{**vars(STILL), **strengths}), "s1/a", number)


def tone(hertz: float, level: float = 3000) -> NDArray[np.int16]:
    return np.round(level * np.sin(2 * np.pi * hertz * np.arange(2 * RATE) / RATE)).astype(np.int16)


def test_strength_0_changes_nothing() -> None:
    samples = np.random.default_rng(0).normal(0, 3000, RATE).astype(np.int16)
    same = made(samples)
    assert same.rate == 1
    np.testing.assert_allclose(same.rows_RC, FEATURES.compute(samples), atol=2e-3)


def test_a_variant_is_a_function_of_clip_and_number() -> None:
    samples, strong = tone(300), Mfcc(variants=2)
    first = variant(samples, FEATURES, strong, "s1/a", 1)
    np.testing.assert_array_equal(first.rows_RC, variant(samples, FEATURES, strong, "s1/a", 1).rows_RC)
    for other in (("s1/a", 2), ("s1/b", 1)):
        assert variant(samples, FEATURES, strong, *other).rate != first.rate


def test_gain_changes_the_level() -> None:
    plain = made(tone(500)).rows_RC[50].max()
    moved = [float(made(tone(500), number, gain=12).rows_RC[50].max() - plain) for number in range(9)]
    most = np.log(10 ** (12 / 10))
    assert -most < min(moved) < -0.3 * most
    assert most > max(moved) > 0.3 * most


def test_a_room_goes_on_after_the_sound() -> None:
    """A tone that stops after a second is heard after it, and not before it begins."""
    samples = tone(500)
    samples[: RATE // 2] = samples[RATE:] = 0
    plain, echoed = made(samples).rows_RC, [made(samples, number, room=0.5).rows_RC for number in range(6)]
    for rows in echoed:
        np.testing.assert_allclose(rows[:48], plain[:48], atol=2e-3)
        assert rows[102:106, 1:].max() > plain[102:106, 1:].max() + 3


def test_a_microphone_changes_the_bands_and_not_the_time() -> None:
    samples = np.random.default_rng(0).normal(0, 3000, RATE).astype(np.int16)
    plain = made(samples).rows_RC[:, 1:]
    most = 12 * np.log(10) / 10
    lowest = []
    for number in range(12):
        response = made(samples, number, band=12).rows_RC[2:-2, 1:] - plain[2:-2]
        assert response.mean(axis=0).max() < most + 0.1
        assert response.std(axis=0).max() < 0.3 * np.ptp(response.mean(axis=0))
        lowest.append(response.mean(axis=0).min())
    assert min(lowest) < -most - 1  # at least one passes a band alone
    assert sum(value > -most - 0.1 for value in lowest) > 4


def test_pitch_changes_the_tone_and_not_the_time() -> None:
    """A tone that stops after a second goes up or down by as much as three semitones, and stops there still."""
    samples = tone(1000)
    samples[RATE:] = 0
    bands = set()
    for number in range(12):
        rows, rate = made(samples, number, pitch=3)
        assert rate == pytest.approx(1, abs=0.005)
        assert len(rows) == pytest.approx(200, abs=2)
        heard = rows[:, 1:].max(axis=1) > -5
        assert heard.sum() == pytest.approx(100, abs=2)
        bands.add(int(rows[50, 1:].argmax()))
    middle = int(made(samples).rows_RC[50, 1:].argmax())
    assert min(bands) < middle < max(bands)
    assert max(bands) - min(bands) <= 6


def test_rate_changes_the_time_and_not_the_tone() -> None:
    samples = tone(1000)
    samples[RATE:] = 0
    rates = []
    for number in range(12):
        rows, rate = made(samples, number, rate=0.2)
        rates.append(rate)
        assert len(rows) == pytest.approx(200 / rate, abs=1)
        assert (rows[:, 1:].max(axis=1) > -5).sum() == pytest.approx(100 / rate, abs=2)
        assert rows[50, 1:].argmax() == made(samples).rows_RC[50, 1:].argmax()
    assert 0.8 <= min(rates) < 0.9
    assert 1.1 < max(rates) <= 1.2


@pytest.mark.parametrize(("strength", "decibels"), [(1.0, 0.0), (0.1, -20.0)])
def test_noise_has_the_stated_strength(strength: float, decibels: float) -> None:
    """Of the power that all bands together have; at most that of the speech, at least 30 dB less."""
    samples = tone(1000)

    def power(rows_RC: NDArray[np.float32]) -> float:
        quiet = np.delete(np.exp(rows_RC[20:180, 1:].astype(np.float64)), slice(7, 14), axis=1)  # away from the tone
        return float(10 * np.log10(quiet.mean()))

    white = np.random.default_rng(0).normal(0, np.sqrt(np.mean(samples.astype(float) ** 2)), 2 * RATE).astype(np.int16)
    most = power(FEATURES.compute(white)) + decibels
    found = [power(made(samples, number, noise=strength).rows_RC) for number in range(12)]
    assert max(found) < most + 6  # coloured noise has more of its power in fewer bands
    assert min(found) > most - 45
    assert max(found) - min(found) > 8


def test_silence_stays_silent() -> None:
    rows, _ = variant(np.zeros(RATE, np.int16), FEATURES, Mfcc(), "a", 1)
    assert (rows == rows[0, 0]).all()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Mfcc(variants=-1), "variants must be 0"),
        (lambda: Mfcc(gain=-1), "gain must be 0 to 40 dB"),
        (lambda: Mfcc(noise=-1), "noise must be 0"),
        (lambda: Mfcc(pitch=13), "pitch must be 0 to 12 semitones"),
        (lambda: Mfcc(rate=0.6), "rate must be 0 to 0.5"),
    ],
)
def test_strengths_out_of_range(make: Callable[[], Mfcc], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()
