"""Speech for tests, by espeak-ng, with the times of its words and phonemes."""

import numpy as np
from numpy.typing import NDArray
from scipy.signal import resample_poly

from pipeline.runtime.clock import RATE
from pipeline.speech.espeak import Utterance, Voice, synthesise

LEAD = 0.2
"""Silence before and after the speech, in seconds."""


def say(text: str, voice: str = "en-us+f2") -> tuple[NDArray[np.int16], Utterance]:
    """Samples (N,) at 16 kHz that say ``text`` after `LEAD`, and what espeak-ng reports without it."""
    utterance = synthesise(text.split(), Voice(voice, rate=150, pitch=50, pitch_range=50))
    speech_N = resample_poly(utterance.samples_N.astype(np.float64), 320, 441)
    noise_N = np.random.default_rng(0).normal(0, 5e-4, round(2 * LEAD * RATE) + len(speech_N))
    noise_N[round(LEAD * RATE) :][: len(speech_N)] += speech_N
    return np.round(noise_N.clip(-1, 1) * 32767).astype(np.int16), utterance
