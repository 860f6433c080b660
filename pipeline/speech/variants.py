"""A clip's sound as others might have said it elsewhere: softer, with noise, with a higher voice, faster.

What changes is drawn from the clip's name and the variant's number alone.
"""

import hashlib
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.config.params import Mfcc
from pipeline.speech.features import SpeechFeatures
from pipeline.speech.mel import HOP

_NOISE_RANGE = 30.0
"""dB from the strongest noise that is drawn to the weakest."""
_PITCH_STEPS = 100
"""Pitch changes by ratios of whole numbers, of which this is one."""


class Variant(NamedTuple):
    """Rows of changed speech, not normalised, and how many times as fast as the clip it is."""

    rows_RC: NDArray[np.float32]
    rate: float


def variant(samples_N: NDArray[np.int16], features: SpeechFeatures, params: Mfcc, clip: str, number: int) -> Variant:
    """Variant ``number`` of a clip's 16 kHz mono speech.

    The pitch, and with it what the size of the throat does to the vowels, is changed by reading the samples faster or
    slower; the rate then by reading rows in another distance, which leaves each row's spectrum as it is.
    """
    from scipy.signal import resample_poly

    seed = hashlib.sha256(f"{clip}\0{number}".encode()).digest()
    random = np.random.default_rng(int.from_bytes(seed[:8], "little"))
    pitch, rate, gain, strength, slope = random.uniform(-1, 1, 5)
    faster = round(_PITCH_STEPS * 2 ** (params.pitch * pitch / 12))
    hop = round(HOP * (1 + params.rate * rate) * _PITCH_STEPS / faster)
    voice_N = resample_poly(samples_N / 32768.0, _PITCH_STEPS, faster)
    level = params.noise * np.sqrt(np.mean(voice_N**2)) * 10 ** (_NOISE_RANGE * (strength - 1) / 40)
    heard_N = (voice_N + level * _noise(len(voice_N), 1 + slope, random)) * 10 ** (params.gain * gain / 20)
    return Variant(features.compute(heard_N, hop), hop * faster / (HOP * _PITCH_STEPS))


def _noise(count: int, slope: float, random: np.random.Generator) -> NDArray[np.float64]:
    """Noise (count,) of deviation 1 whose power falls with the frequency to the power of ``slope``: 0 white, 1 pink."""
    spectrum = np.fft.rfft(random.standard_normal(count))
    spectrum *= np.maximum(np.arange(len(spectrum)), 1) ** (-slope / 2)
    noise_N = np.fft.irfft(spectrum, count)
    return np.asarray(noise_N / np.sqrt(np.mean(noise_N**2)))
