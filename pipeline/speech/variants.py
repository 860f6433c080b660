"""Augmented versions of a clip's sound: another level, noise, pitch, speed, room and microphone."""

import hashlib
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.config.params import Mfcc
from pipeline.runtime.clock import RATE
from pipeline.speech.features import SpeechFeatures
from pipeline.speech.mel import HOP

_NOISE_RANGE = 30.0  # dB between the strongest and the weakest noise
_ECHO = 0.1, 0.5  # shortest and longest reverberation time that is drawn: seconds in which an echo falls by 60 dB
_ECHO_DELAY = 20, 160  # shortest and longest delay of an echo, in samples
_BENDS = 0.0, 150.0, 400.0, 1000.0, 2500.0, 5000.0, RATE / 2
"""Hertz at which a microphone's response is drawn; linear between them."""
_NARROW = 0.3  # share of the microphones that pass only a band of frequencies
_LOWEST, _HIGHEST = (50.0, 300.0), (3000.0, 6500.0)  # ranges of the lower and the upper limit of such a band, in hertz
_PITCH_STEPS = 100  # denominator of the ratios by which pitch changes


class Variant(NamedTuple):
    """A changed version of a clip's speech."""

    rows_RC: NDArray[np.float32]
    """Rows, not normalised."""
    rate: float
    """Speed relative to the clip."""


def variant(samples_N: NDArray[np.int16], features: SpeechFeatures, params: Mfcc, clip: str, number: int) -> Variant:
    """Variant ``number`` of a clip's 16 kHz mono speech, drawn from the clip's name and the number alone.

    Resampling changes the pitch together with the formants. Another distance of the rows then changes the speed.
    """
    from scipy.signal import resample_poly

    seed = hashlib.sha256(f"{clip}\0{number}".encode()).digest()
    random = np.random.default_rng(int.from_bytes(seed[:8], "little"))
    pitch, rate, gain, strength, slope = random.uniform(-1, 1, 5)
    faster = round(_PITCH_STEPS * 2 ** (params.pitch * pitch / 12))
    hop = round(HOP * (1 + params.rate * rate) * _PITCH_STEPS / faster)
    voice_N = resample_poly(samples_N / 32768.0, _PITCH_STEPS, faster)
    if params.room > 0:
        voice_N = _echoed(voice_N, params.room, random)
    if params.band > 0:
        voice_N = _through_microphone(voice_N, params.band, random)
    level = params.noise * np.sqrt(np.mean(voice_N**2)) * 10 ** (_NOISE_RANGE * (strength - 1) / 40)
    changed_N = (voice_N + level * _noise(len(voice_N), 1 + slope, random)) * 10 ** (params.gain * gain / 20)
    return Variant(features.compute(changed_N, hop), hop * faster / (HOP * _PITCH_STEPS))


def _noise(count: int, slope: float, random: np.random.Generator) -> NDArray[np.float64]:
    """Noise (count,) of deviation 1 with a power of frequency ** -slope: 0 is white noise, 1 is pink noise."""
    spectrum = np.fft.rfft(random.standard_normal(count))
    spectrum *= np.maximum(np.arange(len(spectrum)), 1) ** (-slope / 2)
    noise_N = np.fft.irfft(spectrum, count)
    return np.asarray(noise_N / np.sqrt(np.mean(noise_N**2)))


def _echoed(voice_N: NDArray[np.float64], energy: float, random: np.random.Generator) -> NDArray[np.float64]:
    """The voice with an echo of exponentially falling noise. Its energy is at most ``energy`` times the voice's."""
    count = int(random.uniform(*_ECHO) * RATE)
    echo_M = random.standard_normal(count) * 10 ** (-3 * np.arange(count) / count)
    echo_M *= np.sqrt(energy * random.uniform() / np.sum(echo_M**2))
    response_M = np.concatenate([[1.0], np.zeros(int(random.uniform(*_ECHO_DELAY))), echo_M])
    size = len(voice_N) + len(response_M)
    echoed_N = np.fft.irfft(np.fft.rfft(voice_N, size) * np.fft.rfft(response_M, size), size)
    return np.asarray(echoed_N[: len(voice_N)])


def _through_microphone(voice_N: NDArray[np.float64], most: float, random: np.random.Generator) -> NDArray[np.float64]:
    """The voice through a microphone whose frequency response differs from flat by up to ``most`` dB."""
    spectrum = np.fft.rfft(voice_N)
    hertz = np.linspace(0, RATE / 2, len(spectrum))
    decibels = np.interp(hertz, _BENDS, random.uniform(-most, most, len(_BENDS)))
    if random.uniform() < _NARROW:
        low, high = random.uniform(*_LOWEST), random.uniform(*_HIGHEST)
        decibels -= 30 / (1 + np.exp((hertz - low) / 30)) + 30 / (1 + np.exp((high - hertz) / 200))
    return np.fft.irfft(spectrum * 10 ** (decibels / 20), len(voice_N))
